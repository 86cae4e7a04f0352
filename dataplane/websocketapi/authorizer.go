package websocketapi

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/tidegate/tidegate/dataplane/definition"
	"github.com/tidegate/tidegate/dataplane/document"
	"github.com/tidegate/tidegate/dataplane/expression"
)

var authorizerFields = object[definition.Authorizer]{
	"name":           text(128, func(a *definition.Authorizer) *string { return &a.Name }),
	"authorizerType": authorizerType,
	"authorizerUri":  text(2048, func(a *definition.Authorizer) *string { return &a.URI }),
	"identitySource": identitySource,

	"authorizerResultTtlInSeconds": resultTTL,

	"authorizerCredentialsArn":       refused[definition.Authorizer]("roles are not assumed here, functions are called with the host's credentials; remove it"),
	"authorizerPayloadFormatVersion": refused[definition.Authorizer](ofHTTPAPIs, "1.0"),
	"enableSimpleResponses":          refused[definition.Authorizer](ofHTTPAPIs),
	"identityValidationExpression":   refused[definition.Authorizer]("AWS does not use it; remove it"),
	"jwtConfiguration":               refused[definition.Authorizer](ofHTTPAPIs),
}

// ReadAuthorizer reads the body of CreateAuthorizer or UpdateAuthorizer into to.
// What the body does not mention stays. An error is a *document.Errors.
func ReadAuthorizer(body []byte, to *definition.Authorizer) error {
	return readBody(body, 0, func(r *reader, root document.Node) {
		if to.Type == "" && root.Get("identitySource").Absent() {
			r.Add(root.Get("identitySource"), "missing; list where a caller's identity is, or nothing")
		}
		read(r, root, authorizerFields, to)
		r.finishAuthorizer(root, to)
	})
}

func (r *reader) finishAuthorizer(at document.Node, a *definition.Authorizer) {
	if a.Name == "" {
		r.Add(at.Get("name"), "missing; give the authorizer a name")
	}
	if a.URI == "" {
		r.Add(at.Get("authorizerUri"), "missing; give the address or the function that is asked")
	}
	if a.Type == "" && at.Get("authorizerType").Absent() {
		r.Add(at.Get("authorizerType"), "missing; use REQUEST")
	}
	if a.ResultTTLSeconds == nil { // AWS asks authorizers of WebSocket APIs every time
		a.ResultTTLSeconds = new(int)
	}
	if *a.ResultTTLSeconds > 0 && a.IdentitySource == "" {
		r.Add(at.Get("identitySource"), "missing; what is remembered for %d seconds has to be told apart by something", *a.ResultTTLSeconds)
	}
}

func authorizerType(r *reader, at document.Node, a *definition.Authorizer) {
	if kind := strings.ToUpper(r.Text(at)); kind != definition.AuthorizerRequest {
		r.Add(at, "%q is not supported; authorizers of WebSocket APIs are of type REQUEST", document.Clip(at.Value))
		return
	}
	a.Type = definition.AuthorizerRequest
}

// Starts of identity sources, as WebSocket APIs and as definitions write them.
const (
	routeRequest  = "route.request."
	methodRequest = "method.request."
)

func identitySource(r *reader, at document.Node, a *definition.Authorizer) {
	var list []string
	for _, item := range r.bounded(at).Items() {
		source := r.Text(item)
		if strings.HasPrefix(source, "'") {
			r.Add(item, "a literal tells no callers apart")
		} else if err := expression.CheckSource(source, routeRequest, "header", "querystring"); err != nil {
			r.Add(item, "%s", err)
		} else if name, ok := strings.CutPrefix(source, routeRequest); ok {
			source = methodRequest + name
		}
		if slices.Contains(list, source) {
			r.Add(item, "%q stands twice", document.Clip(item.Value))
		}
		list = append(list, source)
	}
	a.IdentitySource = strings.Join(list, ",")
}

// IdentitySource returns the identitySource of an authorizer as WebSocket APIs
// write it.
func IdentitySource(a *definition.Authorizer) []string {
	list := []string{}
	if a.IdentitySource == "" {
		return list
	}
	for source := range strings.SplitSeq(a.IdentitySource, ",") {
		if name, ok := strings.CutPrefix(source, methodRequest); ok {
			source = routeRequest + name
		}
		list = append(list, source)
	}
	return list
}

func resultTTL(r *reader, at document.Node, a *definition.Authorizer) {
	seconds, err := strconv.Atoi(at.Value)
	if at.Tag != "!!int" || err != nil || seconds < 0 || seconds > definition.MaxAuthorizerTTL {
		r.Add(at, "must be a whole number of seconds from 0 to %s", fmt.Sprint(definition.MaxAuthorizerTTL))
		return
	}
	a.ResultTTLSeconds = &seconds
}
