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

// page sorts items by key, which must be unique, and returns those that the
// query parameters limit and position ask for. A position names the last item
// of the page before, so what is created or deleted meanwhile moves nothing.
func page[T any](items []T, key func(T) string, query url.Values) (List[T], error) {
	limit := defaultLimit
	if v := query.Get("limit"); v != "" {
		n, err := strconv.Atoi(v)
		if err != nil || n < 1 {
			return List[T]{}, badRequest("Invalid limit: %s. It must be a number from 1 to %d", v, maxLimit)
		}
		limit = min(n, maxLimit)
	}
	slices.SortFunc(items, func(a, b T) int { return strings.Compare(key(a), key(b)) })
	if v := query.Get("position"); v != "" {
		after, err := base64.RawURLEncoding.DecodeString(v)
		if err != nil {
			return List[T]{}, badRequest("Invalid position: %s", v)
		}
		i := slices.IndexFunc(items, func(it T) bool { return key(it) > string(after) })
		if i < 0 {
			i = len(items)
		}
		items = items[i:]
	}
	if len(items) <= limit {
		return List[T]{Items: append([]T{}, items...)}, nil
	}
	items = items[:limit]
	return List[T]{Items: items, Position: base64.RawURLEncoding.EncodeToString([]byte(key(items[limit-1])))}, nil
}
