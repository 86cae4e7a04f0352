package main

import (
	"context"

	"github.com/tidegate/tidegate/dataplane/control"
	"github.com/tidegate/tidegate/dataplane/definition"
)

// importAPI overwrites the API that --api or the title names, or makes one.
func (d *deployment) importAPI(ctx context.Context, c *control.Client, title string) error {
	apis, err := allAPIs(ctx, c)
	if err != nil {
		return err
	}
	var found []api
	if d.api != "" {
		named, err := apiKind.find(apis, d.api)
		if err != nil {
			return err
		}
		if named.protocol != d.protocol {
			return refusef("%s is a %s API, and %s describes a %s API", named.name, named.protocol, d.file, d.protocol)
		}
		found = []api{*named}
	} else {
		for _, a := range apis {
			if a.name == title && a.protocol == d.protocol {
				found = append(found, a)
			}
		}
	}
	switch len(found) {
	case 0:
		d.created = true
		d.result, err = d.put(ctx, c, "")
	case 1:
		d.result, err = d.put(ctx, c, found[0].id)
	default:
		err = apiKind.ambiguous(title, found)
	}
	return err
}

// put imports the document into an API, or into a new one.
func (d *deployment) put(ctx context.Context, c *control.Client, apiID string) (api, error) {
	if d.protocol == definition.ProtocolWebSocket {
		var a *control.WebSocketAPI
		var err error
		if apiID == "" {
			a, err = c.ImportWebSocket(ctx, d.document, false)
		} else {
			a, err = c.PutWebSocket(ctx, apiID, d.document, false)
		}
		if err != nil {
			return api{}, err
		}
		return api{id: a.APIID, name: a.Name, protocol: d.protocol}, nil
	}
	var a *control.RestAPI
	var err error
	if apiID == "" {
		a, err = c.Import(ctx, d.document, control.ImportOptions{})
	} else {
		a, err = c.Put(ctx, apiID, d.document, "overwrite", control.ImportOptions{})
	}
	if err != nil {
		return api{}, err
	}
	return api{id: a.ID, name: a.Name, protocol: d.protocol, wire: restRow{protocolREST, *a}}, nil
}
