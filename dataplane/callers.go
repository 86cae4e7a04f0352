package dataplane

import (
	"context"
	"crypto/x509"
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

// makeCallers makes what callers are known by, for the event loops.
func (g *Gateway) makeCallers(host *configs.Host) error {
	options, err := tokenOptions(host)
	if err != nil {
		return err
	}
	if g.tokens, err = jwt.NewKeys(options); err != nil {
		return err
	}
	roots, err := rootCAs("upstream.ca_file", host.Upstream.CAFile)
	if err != nil {
		return err
	}
	if g.lambda, err = lambda.New(lambdaConfig(host, roots)); err != nil {
		return err
	}
	g.authorizers = authorizer.NewStore(authorizer.Options{
		Timeout: host.Authorizers.Timeout, MaxCalls: host.Authorizers.MaxCalls, MaxWaiters: host.Authorizers.MaxWaiting,
		Loops: len(g.loops), Lambda: functions{g.lambda}, RootCAs: roots, Now: loop.Now,
	})
	return nil
}

func lambdaConfig(host *configs.Host, roots *x509.CertPool) lambda.Config {
	c := lambda.Config{
		Region: host.Region, Endpoint: host.Lambda.Endpoint, Functions: map[string]string{}, RootCAs: roots, Credentials: lambda.Environment(),
		Timeout: host.Authorizers.Timeout, MaxCalls: host.Authorizers.MaxCalls,
		// A message takes up to six bytes for one in an answer's JSON.
		MaxAnswer: max(authorizer.MaxResult, 6*host.WebSocket.MessageBytes) + 1,
	}
	for _, f := range host.Lambda.Functions {
		c.Functions[f.Name] = f.URL
	}
	return c
}

func tokenOptions(host *configs.Host) (jwt.Options, error) {
	t := &host.Tokens
	o := jwt.Options{
		AllowHTTP: t.AllowHTTP, AllowPrivate: t.AllowPrivate, JWKSURIs: map[string]string{}, Pools: map[string]jwt.Pool{},
		Now: loop.Now, Wall: func() int64 { return time.Now().UnixNano() },
	}
	for _, i := range t.Issuers {
		o.JWKSURIs[i.Issuer] = i.JWKSURI
	}
	for _, p := range t.UserPools {
		o.Pools[p.Pool] = jwt.Pool{Issuer: p.Issuer, JWKSURI: p.JWKSURI}
	}
	var err error
	o.RootCAs, err = rootCAs("tokens.ca_file", t.CAFile)
	return o, err
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
