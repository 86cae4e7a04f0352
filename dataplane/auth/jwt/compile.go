package jwt

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"time"

	"github.com/tidegate/tidegate/dataplane/definition"
)

// Bounds of authorizers.
//
// Source: https://docs.aws.amazon.com/apigateway/latest/developerguide/limits.html
const (
	maxPools    = 1000
	maxAudience = 50
)

// Authorizer is a compiled COGNITO_USER_POOLS or JWT authorizer. It can be used
// by many goroutines at once.
type Authorizer struct {
	source   Source
	pools    bool                   // of user pools
	issuers  map[string]*provider   // by iss
	accepts  func(name string) bool // an audience or client; nil accepts all
	form     *form                  // of claims
	keep     int64                  // nanoseconds that a verdict is remembered
	verdicts *verdicts

	configuration string // all that a verdict depends on, besides the keys
}

// Compile compiles an authorizer. It fetches nothing: that begins with
// Keys.Retain, or with the first token. keys may be nil: then the definition is
// only checked, for a host that allows and maps nothing.
func Compile(def *definition.Authorizer, keys *Keys) (*Authorizer, error) {
	if keys == nil {
		keys, _ = NewKeys(Options{}) // which has nothing to refuse
	}
	a := &Authorizer{issuers: map[string]*provider{}, keep: int64(definition.MaxAuthorizerTTL * time.Second)}
	var places []place
	var err error
	switch def.Type {
	case definition.AuthorizerUserPools:
		places, err = a.compilePools(def, keys)
	case definition.AuthorizerJWT:
		places, err = a.compileJWT(def, keys)
	default:
		err = fmt.Errorf("type %q verifies no tokens: write %s or %s", def.Type, definition.AuthorizerUserPools, definition.AuthorizerJWT)
	}
	if err == nil && (def.URI != "" || def.Credentials != "") {
		err = errors.New("authorizerUri and authorizerCredentials are for authorizers that are called")
	}
	if err == nil {
		a.source, err = compileSource(def.IdentitySource, a.pools)
	}
	if err != nil {
		return nil, fmt.Errorf("authorizer %q: %w", def.Name, err)
	}
	if ttl := def.ResultTTLSeconds; ttl != nil {
		a.keep = min(a.keep, int64(*ttl)*int64(time.Second))
	}
	var named []string
	for _, at := range places {
		if a.issuers[at.issuer] == nil {
			a.issuers[at.issuer] = keys.provider(at)
			named = append(named, at.issuer+" "+at.jwksURI)
		}
	}
	// Quoted, so that no two configurations give the same text.
	a.configuration = fmt.Sprintf("%s %q %q %q %d", def.Type,
		slices.Sorted(slices.Values(named)), slices.Sorted(slices.Values(def.Audience)), def.IdentityValidation, a.keep)
	a.verdicts = keys.verdictsOf(a.configuration)
	return a, nil
}

// Source returns where requests carry the token.
func (a *Authorizer) Source() Source { return a.source }

func (a *Authorizer) compilePools(def *definition.Authorizer, keys *Keys) ([]place, error) {
	a.pools, a.form = true, &formPools
	if def.Issuer != "" || len(def.Audience) > 0 {
		return nil, fmt.Errorf("issuer and audience are of type %s: name user pools in providerARNs", definition.AuthorizerJWT)
	}
	if n := len(def.ProviderARNs); n == 0 || n > maxPools {
		return nil, fmt.Errorf("providerARNs: has %d user pools: name 1 to %d", n, maxPools)
	}
	var places []place
	for i, arn := range def.ProviderARNs {
		at, err := keys.options.pool(arn)
		if err != nil {
			return nil, fmt.Errorf("providerARNs[%d]: %w", i, err)
		}
		if slices.ContainsFunc(places, func(p place) bool { return p.issuer == at.issuer && p != at }) {
			return nil, fmt.Errorf("providerARNs[%d]: another user pool has the same issuer %s, with its keys elsewhere", i, at.issuer)
		}
		places = append(places, at)
	}
	if def.IdentityValidation != "" {
		if _, err := regexp.Compile(def.IdentityValidation); err != nil {
			return nil, fmt.Errorf("identityValidationExpression: %w", err)
		}
		// It has to match the whole text, as for authorizers of type TOKEN.
		whole, err := regexp.Compile(`\A(?:` + def.IdentityValidation + `)\z`)
		if err != nil {
			return nil, fmt.Errorf("identityValidationExpression: %w", err)
		}
		a.accepts = whole.MatchString
	}
	return places, nil
}

func (a *Authorizer) compileJWT(def *definition.Authorizer, keys *Keys) ([]place, error) {
	a.form = &formJWT
	if len(def.ProviderARNs) > 0 || def.IdentityValidation != "" {
		return nil, fmt.Errorf("providerARNs and identityValidationExpression are of type %s: name issuer and audience", definition.AuthorizerUserPools)
	}
	if err := checkIssuer(def.Issuer, keys.options.AllowHTTP); err != nil {
		return nil, fmt.Errorf("issuer: %w", err)
	}
	if n := len(def.Audience); n == 0 || n > maxAudience {
		return nil, fmt.Errorf("audience: has %d entries: name 1 to %d", n, maxAudience)
	}
	accepted := map[string]bool{}
	for i, name := range def.Audience {
		if name == "" {
			return nil, fmt.Errorf("audience[%d]: is empty", i)
		}
		accepted[name] = true
	}
	a.accepts = func(name string) bool { return accepted[name] }
	return []place{{issuer: def.Issuer}}, nil
}
