package control

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/tidegate/tidegate/dataplane/definition"
	"github.com/tidegate/tidegate/dataplane/document"
	"github.com/tidegate/tidegate/dataplane/websocketapi"
)

// editWebSocket changes a WebSocket API: edit gets copies of it and of what it
// has, with slices of their own whose elements it replaces and never writes to. It
// may run twice. Stages with autoDeploy get a deployment of the result in the same
// change; if that cannot be served they keep what they have, and say why.
func (s *Server) editWebSocket(r *request, edit func(*definition.API, *definition.WebSocket) error) error {
	return s.deployingUpdate(func(c *definition.Catalog) (*definition.API, error) {
		a, err := s.webSocketAPI(c, r.apiID())
		if err != nil {
			return nil, err
		}
		next, ws := *a, *a.Body.WebSocket
		next.Authorizers = slices.Clone(a.Authorizers)
		ws.Routes, ws.Integrations = slices.Clone(ws.Routes), slices.Clone(ws.Integrations)
		if err := edit(&next, &ws); err != nil {
			return nil, err
		}
		next.Body = sealedWebSocket(&next, ws)
		return &next, nil
	})
}

// sealedWebSocket is the body of a with what is given; the one it has already if
// that says the same.
func sealedWebSocket(a *definition.API, ws definition.WebSocket) *definition.Body {
	b := definition.NewWebSocketBody(a.ID, ws, a.Settings())
	if a.Body != nil && a.Body.Revision == b.Revision {
		return a.Body
	}
	return b
}

// remove is a slice without the element i; nil when nothing is left, as what is
// stored comes back.
func remove[T any](items []T, i int) []T {
	if len(items) == 1 {
		return nil
	}
	return slices.Delete(items, i, i+1)
}

// deployingUpdate stores the API that edit makes, and deploys it to its stages
// with autoDeploy.
func (s *Server) deployingUpdate(edit func(*definition.Catalog) (*definition.API, error)) error {
	var deployed bool
	var refused error
	try := func() error {
		return s.update(func(c *definition.Catalog) (definition.Change, error) {
			next, err := edit(c)
			if err != nil {
				return definition.Change{}, err
			}
			ch := definition.Change{PutAPIs: []*definition.API{next}}
			deployed = s.autoDeploy(c, next, refused, &ch)
			return ch, nil
		})
	}
	err := try()
	var invalid *definition.InvalidError
	if deployed && errors.As(err, &invalid) {
		refused = invalid.Err
		err = try()
	}
	return err
}

// autoDeploy adds to a change of an API what its stages with autoDeploy need: a
// deployment, or the reason why there is none. It reports whether it deploys.
func (s *Server) autoDeploy(c *definition.Catalog, next *definition.API, refused error, ch *definition.Change) bool {
	var stages []*definition.Stage
	for k, st := range c.Stages {
		if k.APIID == next.ID && st.AutoDeploy && c.Deployments[definition.DeploymentKey{APIID: k.APIID, ID: st.DeploymentID}].Body.Revision != next.Body.Revision {
			stages = append(stages, st)
		}
	}
	if len(stages) == 0 {
		return false
	}
	slices.SortFunc(stages, func(a, b *definition.Stage) int { return strings.Compare(a.Name, b.Name) })
	now := s.now().UTC()
	if refused == nil {
		refused = websocketapi.Check(next.Body)
	}
	if refused != nil {
		for _, st := range stages {
			kept := *st
			kept.LastDeploymentStatus, kept.LastUpdatedDate = "Deployment attempt failed: "+reasons(refused), now
			ch.PutStages = append(ch.PutStages, &kept)
		}
		return false
	}
	d := newDeployment(c, next, "Automatic deployment triggered by changes to the Api configuration", now)
	d.AutoDeployed = true
	ch.PutDeployments = append(ch.PutDeployments, d)
	for _, st := range stages {
		ch.PutStages = append(ch.PutStages, pointedAt(st, d, now))
	}
	ch.DeleteDeployments = append(ch.DeleteDeployments, superseded(c, stages)...)
	return true
}

// superseded are the automatic deployments that no stage but the given ones serves.
func superseded(c *definition.Catalog, stages []*definition.Stage) []definition.DeploymentKey {
	var gone []definition.DeploymentKey
	for _, st := range stages {
		key := definition.DeploymentKey{APIID: st.APIID, ID: st.DeploymentID}
		inUse := false
		for _, other := range c.Stages {
			inUse = inUse || other.APIID == st.APIID && other.DeploymentID == st.DeploymentID && !slices.Contains(stages, other)
		}
		if c.Deployments[key].AutoDeployed && !inUse && !slices.Contains(gone, key) {
			gone = append(gone, key)
		}
	}
	return gone
}

// newDeployment freezes a, which is the copy that the change puts.
func newDeployment(c *definition.Catalog, a *definition.API, description string, now time.Time) *definition.Deployment {
	a.DeploymentCount++
	return &definition.Deployment{
		ID: newID(6, func(id string) bool {
			return c.Deployments[definition.DeploymentKey{APIID: a.ID, ID: id}] != nil
		}),
		APIID: a.ID, Number: a.DeploymentCount, Description: description, CreatedDate: now, Body: a.Body,
	}
}

// pointedAt is a stage that serves d.
func pointedAt(st *definition.Stage, d *definition.Deployment, now time.Time) *definition.Stage {
	next := *st
	next.DeploymentID, next.LastUpdatedDate = d.ID, now
	next.LastDeploymentStatus = fmt.Sprintf("Successfully deployed stage with deployment ID '%s'", d.ID)
	return &next
}

// reasons is what is wrong with a definition, on one line. A lone reason that
// everybody knows the place of is said without it.
func reasons(err error) string {
	var list *document.Errors
	if !errors.As(err, &list) {
		return err.Error()
	}
	var all []string
	for _, p := range list.Problems {
		if p.Line = 0; p.Location == "routes" {
			p.Location = ""
		}
		all = append(all, p.String())
	}
	if list.Omitted > 0 {
		all = append(all, fmt.Sprintf("and %d more", list.Omitted))
	}
	return strings.Join(all, "; ")
}

// invalidInput is the answer to a body that says what cannot be; nil for nil.
func invalidInput(err error) error {
	if err == nil {
		return nil
	}
	return badRequest("Invalid request input: %s", reasons(err))
}
