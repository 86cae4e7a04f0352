package control

import (
	"encoding/base64"
	"net/url"
	"slices"
	"strconv"
	"strings"
)

const (
	defaultLimit = 25
	maxLimit     = 500
)

// pager is how a protocol asks for a page.
type pager struct {
	limit, position string // query parameters
	usual           int    // items, when it does not say how many
}

var (
	restPager      = pager{"limit", "position", defaultLimit}
	webSocketPager = pager{"maxResults", "nextToken", 100}
)

// pageBounds reads the query parameters limit and position: how many items to
// answer, and the key of the one that they come behind; empty: the first ones.
func pageBounds(query url.Values) (after string, limit int, err error) {
	return restPager.bounds(query)
}

func (p pager) bounds(query url.Values) (after string, limit int, err error) {
	limit = p.usual
	if v := query.Get(p.limit); v != "" {
		n, err := strconv.Atoi(v)
		if err != nil || n < 1 {
			return "", 0, badRequest("Invalid %s: %s. It must be a number from 1 to %d", p.limit, v, maxLimit)
		}
		limit = min(n, maxLimit)
	}
	v := query.Get(p.position)
	key, err := base64.RawURLEncoding.DecodeString(v)
	if err != nil {
		return "", 0, badRequest("Invalid %s: %s", p.position, v)
	}
	return string(key), limit, nil
}

// position names the last item of a page, so what is created or deleted
// meanwhile moves nothing.
func position(key string) string { return base64.RawURLEncoding.EncodeToString([]byte(key)) }

// page sorts items by key, which must be unique, and returns those that the
// query parameters limit and position ask for.
func page[T any](items []T, key func(T) string, query url.Values) (List[T], error) {
	return pageBy(restPager, items, key, query)
}

func pageBy[T any](p pager, items []T, key func(T) string, query url.Values) (List[T], error) {
	after, limit, err := p.bounds(query)
	if err != nil {
		return List[T]{}, err
	}
	slices.SortFunc(items, func(a, b T) int { return strings.Compare(key(a), key(b)) })
	if after != "" {
		i := slices.IndexFunc(items, func(it T) bool { return key(it) > after })
		if i < 0 {
			i = len(items)
		}
		items = items[i:]
	}
	if len(items) <= limit {
		return List[T]{Items: append([]T{}, items...)}, nil
	}
	items = items[:limit]
	return List[T]{Items: items, Position: position(key(items[limit-1]))}, nil
}
