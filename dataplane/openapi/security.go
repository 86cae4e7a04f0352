package openapi

import (
	"slices"
	"strings"

	"github.com/tidegate/tidegate/dataplane/definition"
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
func (r *reader) security(at node, m *definition.Method) {
	list, inherited := at.get("security"), false
	if list.absent() {
		list, inherited = r.root.get("security"), true
	}
	c := r.requirements(list)
	m.APIKeyRequired = c.keyRequired
	auth := at.get(awsPrefix + "auth")
	kind := r.text(r.mapping(auth).get("type"))
	switch {
	case auth.absent():
	case strings.EqualFold(kind, definition.AuthIAM):
		if c.authorizer != nil && !inherited {
			r.add(auth, "authorization type AWS_IAM beside the authorizer %q; keep one of them", clip(c.authorizer.Name))
		}
		c.iam, c.authorizer = true, nil
	case strings.EqualFold(kind, definition.AuthNone):
		if (c.authorizer != nil || c.iam) && !inherited {
			r.add(auth, "authorization type NONE beside a security requirement; keep one of them")
		}
		c.iam, c.authorizer = false, nil
	default:
		r.add(auth, "authorization type %q is unknown; use NONE or AWS_IAM, or a security scheme with an authorizer", clip(kind))
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
func (r *reader) requirements(list node) caller {
	if list.absent() {
		return caller{}
	}
	if known := r.callers[list.Node]; known != nil {
		return *known // the document's own, once for all operations
	}
	var c caller
	for _, requirement := range r.list(list).items() {
		for name, value := range r.mapping(requirement).fields() {
			r.require(&c, r.scheme(name), name, value)
		}
	}
	r.callers[list.Node] = &c
	return c
}

// require adds one requirement.
func (r *reader) require(c *caller, s *securityScheme, name string, value node) {
	var scopes []string
	for _, item := range r.list(value).items() {
		scopes = append(scopes, r.text(item))
	}
	switch {
	case s.problem != "":
		r.add(value, "%s; remove the requirement, or override it with security: []", s.problem)
	case s.keyRequired:
		c.keyRequired = true
	case c.iam && s.authorizer != nil, c.authorizer != nil && s.iam, c.authorizer != nil && s.authorizer != c.authorizer:
		r.add(value, "a second way to authorize callers, %q; API Gateway has one for a method: keep one of them", clip(name))
	case s.iam:
		c.iam = true
	default:
		c.authorizer = s.authorizer
		tokens := s.authorizer.Type == definition.AuthorizerUserPools || s.authorizer.Type == definition.AuthorizerJWT
		if len(scopes) > 0 && !tokens {
			r.add(value, "scopes are for tokens of user pools and of JWT authorizers, and %q is a %s authorizer; write []", clip(name), s.authorizer.Type)
			return
		}
		for _, scope := range scopes {
			if scope == "" || strings.ContainsAny(scope, " \t\r\n") {
				r.add(value, "%q is not a scope", clip(scope))
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
		var at node
		if schemes := r.root.get("components").get("securitySchemes"); schemes.isMapping() {
			at = r.resolve(r.member(schemes, name))
		}
		s = r.readScheme(at, name)
		r.schemes[name] = s
	}
	return s
}

func (r *reader) readScheme(at node, name string) *securityScheme {
	quoted := `"` + clip(name) + `"`
	if !at.isMapping() {
		return &securityScheme{problem: "security scheme " + quoted + " is not in components.securitySchemes"}
	}
	field := func(name string) node { return r.member(at, name) }
	authorizer, authType := field(awsPrefix+"authorizer"), field(awsPrefix+"authtype")
	switch {
	case is(authType, "awsSigv4"):
		if !authorizer.absent() {
			return &securityScheme{problem: "security scheme " + quoted + " is awsSigv4, which has no authorizer"}
		}
		return &securityScheme{iam: true}
	case !authorizer.absent():
		if !is(field("type"), "apiKey") && !is(field("type"), "oauth2") && !is(field("type"), "openIdConnect") && !is(field("type"), "http") {
			return &securityScheme{problem: "the type of security scheme " + quoted + " is not one of apiKey, oauth2, openIdConnect and http"}
		}
		return &securityScheme{authorizer: r.authorizer(at, authorizer, name)}
	case !authType.absent():
		return &securityScheme{problem: "security scheme " + quoted + " has " + awsPrefix + "authtype and no " + awsPrefix + "authorizer"}
	case !field("type").isText() || field("type").Value != "apiKey":
		return &securityScheme{problem: "security scheme " + quoted + " says nothing that API Gateway can check; add " + awsPrefix + "authorizer to it"}
	case !is(field("in"), "header") || !is(field("name"), keyHeader):
		return &securityScheme{problem: "security scheme " + quoted + " is not one that API Gateway takes API keys by: that has type: apiKey, in: header, name: " + keyHeader}
	}
	return &securityScheme{keyRequired: true}
}

// authorizers returns the authorizers of all security schemes, used or not, as
// API Gateway makes them.
func (r *reader) authorizers() (all []*definition.Authorizer) {
	for name := range r.mapping(r.root.get("components").get("securitySchemes")).fields() {
		if a := r.scheme(name).authorizer; a != nil && !slices.ContainsFunc(all, func(b *definition.Authorizer) bool { return a.ID == b.ID }) {
			all = append(all, a)
		}
	}
	return all
}

// is reports a text, whatever its case.
func is(n node, text string) bool { return n.isText() && strings.EqualFold(n.Value, text) }
