package dataplane

import (
	"time"

	"github.com/tidegate/tidegate/configs"
	"github.com/tidegate/tidegate/dataplane/auth"
	"github.com/tidegate/tidegate/dataplane/auth/jwt"
	"github.com/tidegate/tidegate/dataplane/deploy"
	"github.com/tidegate/tidegate/dataplane/loop"
)

// makeCallers makes what knows callers by.
func (g *Gateway) makeCallers(host *configs.Host) (err error) {
	g.tokens, err = jwt.NewKeys(tokenOptions(host))
	return err
}

func tokenOptions(*configs.Host) jwt.Options {
	return jwt.Options{Now: loop.Now, Wall: func() int64 { return time.Now().UnixNano() }}
}

func (g *Gateway) authStores() auth.Stores { return auth.Stores{Keys: g.tokens} }

// retainCallers begins what the authorizers of s need, and ends what only others
// needed.
func (g *Gateway) retainCallers(s *deploy.Snapshot) {
	tokens := map[*jwt.Authorizer]bool{}
	s.Tokens(tokens)
	g.tokens.Retain(tokens)
}

// FlushAuthorizers implements control.Gateway.
func (g *Gateway) FlushAuthorizers(apiID, stage string) error { return nil }
