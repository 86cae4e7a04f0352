package authorizer

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"regexp"
	"strings"
	"time"

	"github.com/tidegate/tidegate/dataplane/definition"
)

// Scope is what an authorizer's definition may refer to.
type Scope struct {
	APIID     string
	Stage     string
	Variables map[string]string // of the stage
	Context   map[string]string // $context variables that the stage fixes

	// Function returns the function that the URI of a Lambda invocation names.
	Function func(uri string) (string, error)
}

// Compile makes an authorizer of type TOKEN or REQUEST for a stage. Its verdicts
// and its calls are kept by store, which may be nil: then the definition is only
// checked.
//
// A validation expression is read as RE2, which is the common part of it and
// Java's. Refused are look-around, back-references, possessive quantifiers,
// atomic groups, intersections and unions of character classes, and whatever
// else would be read differently.
//
// A stage variable that has no value is no error, as it may get one: the URI is
// then [Authorizer.Unresolved], and who has such a variable as identity source
// answers every request with 401.
func Compile(def *definition.Authorizer, scope *Scope, store *Store) (*Authorizer, error) {
	if store == nil {
		store = NewStore(Options{})
		store.options.Lambda = unchecked{}
	}
	a, err := compile(def, scope, store)
	if err != nil {
		return nil, fmt.Errorf("authorizer %q: %w", def.Name, err)
	}
	return a, nil
}

func compile(def *definition.Authorizer, scope *Scope, store *Store) (*Authorizer, error) {
	a := &Authorizer{Name: def.Name, ID: def.ID, timeout: store.options.Timeout}
	switch {
	case def.Type != definition.AuthorizerToken && def.Type != definition.AuthorizerRequest:
		return nil, fmt.Errorf("type %q: a custom authorizer is of type TOKEN or REQUEST", def.Type)
	case def.ID == "":
		return nil, fmt.Errorf("it has no id")
	case def.Credentials != "":
		return nil, fmt.Errorf("authorizerCredentials: roles are not assumed here, functions are called with the host's credentials; remove it")
	case len(def.ProviderARNs) > 0 || def.Issuer != "" || len(def.Audience) > 0:
		return nil, fmt.Errorf("providerARNs, issuer and audience are not of type %s; remove them", def.Type)
	}
	ttl := definition.DefaultAuthorizerTTL
	if def.ResultTTLSeconds != nil {
		ttl = *def.ResultTTLSeconds
	}
	if ttl < 0 || ttl > definition.MaxAuthorizerTTL {
		return nil, fmt.Errorf("authorizerResultTtlInSeconds: %d is not a number from 0 to %d", ttl, definition.MaxAuthorizerTTL)
	}
	a.ttl = int64(ttl) * int64(time.Second)
	sum := sha256.New()
	if err := a.compileIdentity(def, scope); err != nil {
		return nil, err
	}
	for _, fixed := range a.fixed {
		sum.Write(appendPart(nil, fixed))
	}
	uri := resolve(def.URI, scope.Variables)
	sum.Write(appendPart(nil, uri))
	a.state = store.state(place{definition.StageKey{APIID: scope.APIID, Stage: scope.Stage}, def.ID}, def.Name)
	var err error
	if a.endpoint, err = compileEndpoint(uri, scope, store, a.state); err != nil {
		err = fmt.Errorf("authorizerUri: %w", err)
		if uri == def.URI {
			return nil, err
		}
		a.Unresolved, a.endpoint = err, unresolved{err}
	}
	text, err := json.Marshal(def)
	if err != nil {
		return nil, err
	}
	sum.Write(text)
	a.prefix = appendPart(appendPart(appendPart(nil, scope.APIID), scope.Stage), def.ID)
	a.prefix = sum.Sum(a.prefix)
	return a, nil
}

// compileIdentity reads what tells callers apart.
func (a *Authorizer) compileIdentity(def *definition.Authorizer, scope *Scope) error {
	list := def.IdentitySource
	a.token = def.Type == definition.AuthorizerToken
	if a.token && list == "" {
		list = defaultSource
	}
	if list != "" {
		for text := range strings.SplitSeq(list, ",") {
			if err := a.addSource(strings.TrimSpace(text), scope); err != nil {
				return fmt.Errorf("identitySource: %w", err)
			}
		}
	}
	switch {
	case a.token && (len(a.sources) != 1 || len(a.fixed) > 0 || a.sources[0].kind != fromHeader):
		return fmt.Errorf("identitySource: %q: type TOKEN takes one header field, such as %s", list, defaultSource)
	case list == "" && a.ttl > 0:
		return fmt.Errorf("identitySource: what is remembered for %d seconds has to be told apart by something; name a source, or set authorizerResultTtlInSeconds to 0", a.ttl/int64(time.Second))
	case !a.token && def.IdentityValidation != "":
		return fmt.Errorf("identityValidationExpression: it is of type TOKEN; remove it")
	}
	var err error
	if a.validation, err = compileExpression(def.IdentityValidation); err != nil {
		return fmt.Errorf("identityValidationExpression: %w", err)
	}
	return nil
}

var stageVariable = regexp.MustCompile(`\$\{stageVariables\.([A-Za-z0-9_]+)\}`)

// resolve fills in stage variables. One that is not set is empty, as on AWS.
func resolve(text string, variables map[string]string) string {
	return stageVariable.ReplaceAllStringFunc(text, func(ref string) string {
		return variables[stageVariable.FindStringSubmatch(ref)[1]]
	})
}

// appendPart appends a part of a key so that no other parts give the same bytes.
func appendPart(dst []byte, part string) []byte {
	return append(binary.AppendUvarint(dst, uint64(len(part))), part...)
}
