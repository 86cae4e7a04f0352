package dataplane

import (
	"context"
	"time"

	"github.com/tidegate/tidegate/configs"
	"github.com/tidegate/tidegate/dataplane/auth"
	"github.com/tidegate/tidegate/dataplane/auth/authorizer"
	"github.com/tidegate/tidegate/dataplane/auth/jwt"
	"github.com/tidegate/tidegate/dataplane/definition"
	"github.com/tidegate/tidegate/dataplane/deploy"
	"github.com/tidegate/tidegate/dataplane/integration/lambda"
	"github.com/tidegate/tidegate/dataplane/loop"
)

// makeCallers makes what knows callers by.
func (g *Gateway) makeCallers(host *configs.Host) (err error) {
	if g.tokens, err = jwt.NewKeys(tokenOptions(host)); err != nil {
		return err
	}
	if g.lambda, err = lambda.New(lambdaConfig(host)); err != nil {
		return err
	}
	g.authorizers = authorizer.NewStore(authorizer.Options{Lambda: functions{g.lambda}, Now: loop.Now})
	return nil
}

func lambdaConfig(host *configs.Host) lambda.Config {
	return lambda.Config{Region: host.Region, MaxAnswer: authorizer.MaxResult + 1}
}

func tokenOptions(*configs.Host) jwt.Options {
	return jwt.Options{Now: loop.Now, Wall: func() int64 { return time.Now().UnixNano() }}
}

func (g *Gateway) authStores() auth.Stores {
	return auth.Stores{Keys: g.tokens, Authorizers: g.authorizers}
}

// retainCallers begins what the authorizers of s need, and ends what only others
// needed.
func (g *Gateway) retainCallers(s *deploy.Snapshot) {
	used := auth.InUse{Tokens: map[*jwt.Authorizer]bool{}, Custom: map[*authorizer.Authorizer]bool{}}
	s.Authorizers(&used)
	g.tokens.Retain(used.Tokens)
	g.authorizers.Retain(used.Custom)
}

// functions calls Lambda functions for authorizers.
type functions struct{ client *lambda.Client }

// Invoke implements authorizer.Lambda.
func (f functions) Invoke(ctx context.Context, function string, event []byte) ([]byte, bool, error) {
	answer, err := f.client.Invoke(ctx, function, event)
	return answer.Payload, answer.FunctionError != "", err
}

// FlushAuthorizers implements control.Gateway.
func (g *Gateway) FlushAuthorizers(apiID, stage string) error {
	g.authorizers.Flush(definition.StageKey{APIID: apiID, Stage: stage})
	return nil
}

// closeCallers ends what asks others who calls.
func (g *Gateway) closeCallers() {
	if g.tokens != nil {
		g.tokens.Close()
	}
	if g.authorizers != nil {
		g.authorizers.Close()
	}
	if g.lambda != nil {
		g.lambda.Close()
	}
}
