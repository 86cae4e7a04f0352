package main

import (
	"context"
	"regexp"
	"strings"

	"github.com/tidegate/tidegate/dataplane/control"
)

// target is what a limit is set for: a stage, or one method of it.
type target struct {
	api, stage string // api is a name or an id
	path, verb string // empty for the stage
}

// targetPattern takes the first colon after which the rest makes sense, since
// names of APIs may have colons.
var targetPattern = regexp.MustCompile(`^(.+?):([A-Za-z0-9_-]+)(?::(/.*)/([A-Za-z]+))?$`)

// parseTarget reads "API:STAGE" or "API:STAGE:/path/VERB".
func parseTarget(text string) (target, error) {
	m := targetPattern.FindStringSubmatch(text)
	if m == nil {
		return target{}, usagef("%q: write API:STAGE, or API:STAGE:/path/VERB such as petstore:prod:/pets/GET (the root's methods are //GET)", text)
	}
	return target{m[1], m[2], m[3], strings.ToUpper(m[4])}, nil
}

// parseStage reads "API:STAGE".
func parseStage(text string) (target, error) {
	t, err := parseTarget(text)
	if err == nil && t.verb != "" {
		err = usagef("%q: write API:STAGE, without a method", text)
	}
	return t, err
}

// method is the key of the method in patch paths, a JSON Pointer (RFC 6901).
func (t *target) method() string {
	return strings.NewReplacer("~", "~0", "/", "~1").Replace(t.path) + "/" + t.verb
}

// String is the target as parseTarget reads it.
func (t *target) String() string {
	if t.verb == "" {
		return t.api + ":" + t.stage
	}
	return t.api + ":" + t.stage + ":" + t.path + "/" + t.verb
}

// resolve puts the id of its API in each target. It returns what to call APIs
// by their ids.
func resolve(ctx context.Context, c *control.Client, targets ...*target) (names map[string]string, err error) {
	apis, err := allAPIs(ctx, c)
	if err != nil {
		return nil, err
	}
	for _, t := range targets {
		api, err := apiKind.find(apis, t.api)
		if err != nil {
			return nil, err
		}
		t.api = api.id
	}
	return apiNames(apis), nil
}

// apiNames returns what to call APIs by: their names, or the ids of those whose
// name another has too.
func apiNames(apis []api) map[string]string {
	times := map[string]int{}
	for _, a := range apis {
		times[a.name]++
	}
	names := map[string]string{}
	for _, a := range apis {
		names[a.id] = a.name
		if times[a.name] > 1 {
			names[a.id] = a.id
		}
	}
	return names
}

// nameOf is the name of an API, or its id if it is gone.
func nameOf(names map[string]string, apiID string) string {
	if name := names[apiID]; name != "" {
		return name
	}
	return apiID
}
