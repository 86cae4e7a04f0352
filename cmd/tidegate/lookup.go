package main

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"strconv"
	"strings"

	"github.com/tidegate/tidegate/dataplane/control"
)

// kind is a kind of objects that people call by name or id.
type kind[T any] struct {
	one, many string // "API", "APIs"
	list      string // the command that lists them
	id, name  func(*T) string
}

var (
	apiKind = kind[api]{
		"API", "APIs", "apis",
		func(a *api) string { return a.id }, func(a *api) string { return a.name },
	}
	keyKind = kind[control.APIKey]{
		"API key", "API keys", "keys",
		func(k *control.APIKey) string { return k.ID }, func(k *control.APIKey) string { return k.Name },
	}
	planKind = kind[control.UsagePlan]{
		"usage plan", "usage plans", "plans",
		func(p *control.UsagePlan) string { return p.ID }, func(p *control.UsagePlan) string { return p.Name },
	}
)

// find returns the object with the id or, if there is none, the name.
func (k *kind[T]) find(all []T, nameOrID string) (*T, error) {
	var named []T
	for i := range all {
		if k.id(&all[i]) == nameOrID {
			return &all[i], nil
		}
		if k.name(&all[i]) == nameOrID {
			named = append(named, all[i])
		}
	}
	switch len(named) {
	case 0:
		return nil, refusef("no %s has the name or id %q; tidegate %s lists them", k.one, nameOrID, k.list)
	case 1:
		return &named[0], nil
	}
	return nil, k.ambiguous(nameOrID, named)
}

// maxChoices is how many ids an error lists.
const maxChoices = 10

func (k *kind[T]) ambiguous(name string, found []T) error {
	ids := make([]string, 0, maxChoices+1)
	for i := range found[:min(len(found), maxChoices)] {
		ids = append(ids, k.id(&found[i]))
	}
	if len(found) > maxChoices {
		ids = append(ids, "…")
	}
	return refusef("%d %s have the name %q; choose one by its id: %s", len(found), k.many, name, strings.Join(ids, ", "))
}

// label names an object for a person: "gold (x2k9ab)".
func (k *kind[T]) label(of *T) string {
	if k.name(of) == "" {
		return k.id(of)
	}
	return fmt.Sprintf("%s (%s)", cell(k.name(of)), k.id(of))
}

func findAPI(ctx context.Context, c *control.Client, nameOrID string) (*api, error) {
	apis, err := allAPIs(ctx, c)
	if err != nil {
		return nil, err
	}
	return apiKind.find(apis, nameOrID)
}

// findRESTAPI is findAPI for what WebSocket APIs do not have; instead says what to
// do.
func findRESTAPI(ctx context.Context, c *control.Client, nameOrID, instead string) (*control.RestAPI, error) {
	a, err := findAPI(ctx, c, nameOrID)
	switch {
	case err != nil:
		return nil, err
	case a.webSocket():
		return nil, refusef("%s is a WebSocket API: %s", a.name, instead)
	}
	found := a.wire.(restRow).RestAPI
	return &found, nil
}

// findKey asks for the id first, since there may be very many keys.
func findKey(ctx context.Context, c *control.Client, nameOrID string) (*control.APIKey, error) {
	if idPattern.MatchString(nameOrID) {
		key, err := c.APIKey(ctx, nameOrID, false)
		var answered *control.Error
		if err == nil || !errors.As(err, &answered) || answered.Code != control.CodeNotFound {
			return key, err
		}
	}
	keys, err := c.APIKeys(ctx, false)
	if err != nil {
		return nil, err
	}
	return keyKind.find(keys, nameOrID)
}

var idPattern = regexp.MustCompile(`^[a-z0-9]{1,64}$`)

func findPlan(ctx context.Context, c *control.Client, nameOrID string) (*control.UsagePlan, error) {
	plans, err := c.UsagePlans(ctx, "")
	if err != nil {
		return nil, err
	}
	return planKind.find(plans, nameOrID)
}

// findDeployment returns the deployment with the number or id.
func findDeployment(all []control.Deployment, numberOrID string) (*control.Deployment, error) {
	number, err := strconv.Atoi(numberOrID)
	for i := range all {
		if err == nil && all[i].Number == number {
			return &all[i], nil
		}
	}
	if d := deploymentByID(all, numberOrID); d != nil {
		return d, nil
	}
	return nil, refusef("no deployment has the number or id %q; tidegate deployments lists them", numberOrID)
}

func deploymentByID(all []control.Deployment, id string) *control.Deployment {
	for i := range all {
		if all[i].ID == id {
			return &all[i]
		}
	}
	return nil
}

// label names a deployment for a person: "3 (k2x9ab)".
func label(d *control.Deployment) string { return fmt.Sprintf("%d (%s)", d.Number, d.ID) }
