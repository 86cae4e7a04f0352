package control

import (
	"crypto/rand"
	"fmt"
	"time"

	"github.com/tidegate/tidegate/dataplane/definition"
)

func (s *Server) api(c *definition.Catalog, id string) (*definition.API, error) {
	if a := c.APIs[id]; a != nil {
		return a, nil
	}
	return nil, notFound("Invalid API identifier specified %s:%s", s.options.AccountID, id)
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

const idLetters = "abcdefghijklmnopqrstuvwxyz0123456789"

// newID makes a random id of n characters that is not taken.
func newID(n int, taken func(string) bool) string {
	for {
		id := make([]byte, 0, n)
		for len(id) < n {
			var b [16]byte
			_, _ = rand.Read(b[:]) // never fails
			for _, v := range b {
				if int(v) < 256/len(idLetters)*len(idLetters) && len(id) < n { // no letter more likely than another
					id = append(id, idLetters[int(v)%len(idLetters)])
				}
			}
		}
		if !taken(string(id)) {
			return string(id)
		}
	}
}

// byTime is a sort key: older first, then by id.
func byTime(t time.Time, id string) string { return fmt.Sprintf("%020d/%s", t.UnixNano(), id) }
