package control

import (
	"crypto/rand"
	"fmt"
	"time"

	"github.com/tidegate/tidegate/dataplane/definition"
)

// api returns a REST API: the operations on those do not see WebSocket APIs.
func (s *Server) api(c *definition.Catalog, id string) (*definition.API, error) {
	if a := c.APIs[id]; a != nil && a.Protocol == "" {
		return a, nil
	}
	return nil, notFound("Invalid API identifier specified %s:%s", s.options.AccountID, id)
}

// webSocketAPI returns a WebSocket API, and no other.
func (s *Server) webSocketAPI(c *definition.Catalog, id string) (*definition.API, error) {
	if a := c.APIs[id]; a != nil && a.Protocol == definition.ProtocolWebSocket {
		return a, nil
	}
	return nil, missing("Api", "Invalid API identifier specified %s:%s", s.options.AccountID, id)
}

// deployment returns a deployment and its API.
func (s *Server) deployment(c *definition.Catalog, apiID, id string) (*definition.Deployment, error) {
	if _, err := s.api(c, apiID); err != nil {
		return nil, err
	}
	if d := c.Deployments[definition.DeploymentKey{APIID: apiID, ID: id}]; d != nil {
		return d, nil
	}
	return nil, notFound("Invalid Deployment identifier specified")
}

func (s *Server) stage(c *definition.Catalog, apiID, name string) (*definition.Stage, error) {
	if _, err := s.api(c, apiID); err != nil {
		return nil, err
	}
	if st := c.Stages[definition.StageKey{APIID: apiID, Stage: name}]; st != nil {
		return st, nil
	}
	return nil, notFound("Invalid Stage identifier specified")
}

func (s *Server) plan(c *definition.Catalog, id string) (*definition.UsagePlan, error) {
	if p := c.Plans[id]; p != nil {
		return p, nil
	}
	return nil, notFound("Invalid Usage Plan ID specified")
}

func (s *Server) key(id string) (*definition.APIKey, error) {
	k, err := s.gateway.Keys().Key(id)
	if err == nil && k == nil {
		err = notFound("Invalid API Key identifier specified")
	}
	return k, err
}

const idLetters = "abcdefghijklmnopqrstuvwxyz0123456789"

// newID makes a random id of n characters that is not taken.
func newID(n int, taken func(string) bool) string {
	for {
		if id := randomText(n, idLetters); !taken(id) {
			return id
		}
	}
}

// randomText makes a text of n of the letters, none more likely than another.
func randomText(n int, letters string) string {
	text := make([]byte, 0, n)
	for len(text) < n {
		var b [16]byte
		_, _ = rand.Read(b[:]) // never fails
		for _, v := range b {
			if int(v) < 256/len(letters)*len(letters) && len(text) < n {
				text = append(text, letters[int(v)%len(letters)])
			}
		}
	}
	return string(text)
}

// byTime is a sort key: older first, then by id.
func byTime(t time.Time, id string) string { return fmt.Sprintf("%020d/%s", t.UnixNano(), id) }
