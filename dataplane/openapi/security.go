package openapi

import (
	"slices"
	"strings"

	"github.com/tidegate/tidegate/dataplane/definition"
	"github.com/tidegate/tidegate/dataplane/document"
)

// keyHeader is the header field that API Gateway takes API keys from. Its name
// has no case.
// https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-api-key-source.html
const keyHeader = "x-api-key"

// caller is what a method asks of whoever calls it.
type caller struct {
	keyRequired bool
	iam         bool // a request signed with an access key
	authorizer  *definition.Authorizer
	scopes      []string
}

// security reads who may call an operation. The document's own requirements
// hold for operations without any.
func (r *reader) security(at document.Node, m *definition.Method) {
	list, inherited := at.Get("security"), false
	if list.Absent() {
		list, inherited = r.root.Get("security"), true
	}
	c := r.requirements(list)
	m.APIKeyRequired = c.keyRequired
	auth := at.Get(awsPrefix + "auth")
	kind := r.Text(r.Mapping(auth).Get("type"))
	switch {
	case auth.Absent():
	case strings.EqualFold(kind, definition.AuthIAM):
		if c.authorizer != nil && !inherited {
			r.Add(auth, "authorization type AWS_IAM beside the authorizer %q; keep one of them", document.Clip(c.authorizer.Name))
		}
		c.iam, c.authorizer = true, nil
	case strings.EqualFold(kind, definition.AuthNone):
		if (c.authorizer != nil || c.iam) && !inherited {
			r.Add(auth, "authorization type NONE beside a security requirement; keep one of them")
		}
		c.iam, c.authorizer = false, nil
	default:
		r.Add(auth, "authorization type %q is unknown; use NONE or AWS_IAM, or a security scheme with an authorizer", document.Clip(kind))
	}
	switch {
	case c.iam:
		m.AuthorizationType = definition.AuthIAM
	case c.authorizer != nil:
		m.AuthorizationType, m.AuthorizerID, m.AuthorizationScopes = authorizationType(c.authorizer), c.authorizer.ID, c.scopes
	}
}

func authorizationType(a *definition.Authorizer) string {
	switch a.Type {
	case definition.AuthorizerUserPools:
		return definition.AuthUserPools
	case definition.AuthorizerJWT:
		return definition.AuthJWT
	}
	return definition.AuthCustom
}

// requirements reads a list of security requirements. In OpenAPI they are
// alternatives; API Gateway holds a request to all of them. An empty one ("{}")
// asks for nothing.
func (r *reader) requirements(list document.Node) caller {
	if list.Absent() {
		return caller{}
	}
	if known := r.callers[list.Node]; known != nil {
		return *known // the document's own, once for all operations
	}
	var c caller
	for _, requirement := range r.List(list).Items() {
		for name, value := range r.Mapping(requirement).Fields() {
			r.require(&c, r.scheme(name), name, value)
		}
	}
	r.callers[list.Node] = &c
	return c
}

// require adds one requirement.
func (r *reader) require(c *caller, s *securityScheme, name string, value document.Node) {
	var scopes []string
	for _, item := range r.List(value).Items() {
		scopes = append(scopes, r.Text(item))
	}
	switch {
	case s.problem != "":
		r.Add(value, "%s; remove the requirement, or override it with security: []", s.problem)
	case s.keyRequired:
		c.keyRequired = true
	case c.iam && s.authorizer != nil, c.authorizer != nil && s.iam, c.authorizer != nil && s.authorizer != c.authorizer:
		r.Add(value, "a second way to authorize callers, %q; API Gateway has one for a method: keep one of them", document.Clip(name))
	case s.iam:
		c.iam = true
	default:
		c.authorizer = s.authorizer
		tokens := s.authorizer.Type == definition.AuthorizerUserPools || s.authorizer.Type == definition.AuthorizerJWT
		if len(scopes) > 0 && !tokens {
			r.Add(value, "scopes are for tokens of user pools and of JWT authorizers, and %q is a %s authorizer; write []", document.Clip(name), s.authorizer.Type)
			return
		}
		for _, scope := range scopes {
			if scope == "" || strings.ContainsAny(scope, " \t\r\n") {
				r.Add(value, "%q is not a scope", document.Clip(scope))
			} else if !slices.Contains(c.scopes, scope) {
				c.scopes = append(c.scopes, scope)
			}
		}
	}
}

// securityScheme is a security scheme: what it asks of a request, or what is wrong with
// it.
type securityScheme struct {
	problem     string
	keyRequired bool
	iam         bool
	authorizer  *definition.Authorizer
}

// scheme reads the security scheme of that name, once.
func (r *reader) scheme(name string) *securityScheme {
	s := r.schemes[name]
	if s == nil {
		var at document.Node
		if schemes := r.root.Get("components").Get("securitySchemes"); schemes.IsMapping() {
			at = r.resolve(r.member(schemes, name))
		}
		s = r.readScheme(at, name)
		r.schemes[name] = s
	}
	return s
}

func (r *reader) readScheme(at document.Node, name string) *securityScheme {
	quoted := `"` + document.Clip(name) + `"`
	if !at.IsMapping() {
		return &securityScheme{problem: "security scheme " + quoted + " is not in components.securitySchemes"}
	}
	field := func(name string) document.Node { return r.member(at, name) }
	authorizer, authType := field(awsPrefix+"authorizer"), field(awsPrefix+"authtype")
	switch {
	case is(authType, "awsSigv4"):
		if !authorizer.Absent() {
			return &securityScheme{problem: "security scheme " + quoted + " is awsSigv4, which has no authorizer"}
		}
		return &securityScheme{iam: true}
	case !authorizer.Absent():
		if !is(field("type"), "apiKey") && !is(field("type"), "oauth2") && !is(field("type"), "openIdConnect") && !is(field("type"), "http") {
			return &securityScheme{problem: "the type of security scheme " + quoted + " is not one of apiKey, oauth2, openIdConnect and http"}
		}
		return &securityScheme{authorizer: r.authorizer(at, authorizer, name)}
	case !authType.Absent():
		return &securityScheme{problem: "security scheme " + quoted + " has " + awsPrefix + "authtype and no " + awsPrefix + "authorizer"}
	case !field("type").IsText() || field("type").Value != "apiKey":
		return &securityScheme{problem: "security scheme " + quoted + " says nothing that API Gateway can check; add " + awsPrefix + "authorizer to it"}
	case !is(field("in"), "header") || !is(field("name"), keyHeader):
		return &securityScheme{problem: "security scheme " + quoted + " is not one that API Gateway takes API keys by: that has type: apiKey, in: header, name: " + keyHeader}
	}
	return &securityScheme{keyRequired: true}
}

// authorizers returns the authorizers of all security schemes, used or not, as
// API Gateway makes them.
func (r *reader) authorizers() (all []*definition.Authorizer) {
	for name := range r.Mapping(r.root.Get("components").Get("securitySchemes")).Fields() {
		if a := r.scheme(name).authorizer; a != nil && !slices.ContainsFunc(all, func(b *definition.Authorizer) bool { return a.ID == b.ID }) {
			all = append(all, a)
		}
	}
	return all
}

// is reports a text, whatever its case.
func is(n document.Node, text string) bool { return n.IsText() && strings.EqualFold(n.Value, text) }
