package main

import (
	"context"
	"fmt"
	"strconv"
	"strings"

	"github.com/tidegate/tidegate/dataplane/control"
)

// findAPI returns the API with the id or, if there is none, the name.
func findAPI(ctx context.Context, c *control.Client, nameOrID string) (*control.RestAPI, error) {
	apis, err := c.APIs(ctx)
	if err != nil {
		return nil, err
	}
	var named []control.RestAPI
	for _, a := range apis {
		if a.ID == nameOrID {
			return &a, nil
		}
		if a.Name == nameOrID {
			named = append(named, a)
		}
	}
	switch len(named) {
	case 0:
		return nil, refusef("no API has the name or id %q; tidegate apis lists them", nameOrID)
	case 1:
		return &named[0], nil
	}
	return nil, ambiguous(nameOrID, named)
}

func ambiguous(name string, apis []control.RestAPI) error {
	ids := make([]string, len(apis))
	for i, a := range apis {
		ids[i] = a.ID
	}
	return refusef("%d APIs have the name %q; choose one by its id: %s", len(apis), name, strings.Join(ids, ", "))
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
