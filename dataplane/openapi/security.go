package openapi

import "strings"

// keyHeader is the header field that API Gateway takes API keys from. Its name
// has no case.
// https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-api-key-source.html
const keyHeader = "x-api-key"

// security reports whether an operation asks for an API key, and refuses one
// that asks who is calling: it would be served to everybody. The document's own
// requirements hold for operations without any.
func (r *reader) security(at node) (keyRequired bool) {
	if auth := at.get(awsPrefix + "auth"); !auth.absent() {
		kind := r.text(r.mapping(auth).get("type"))
		if !strings.EqualFold(kind, "NONE") {
			r.add(auth, "authorization type %q is not supported yet; use NONE", clip(kind))
		}
	}
	own := at.get("security")
	if own.absent() {
		own = r.root.get("security")
	}
	return r.requirements(own)
}

// requirements reads a list of security requirements. In OpenAPI they are
// alternatives; API Gateway holds a request to all of them. An empty one ("{}")
// asks for nothing.
func (r *reader) requirements(list node) (keyRequired bool) {
	if list.absent() {
		return false
	}
	if known, ok := r.keyRequired[list.Node]; ok {
		return known // the document's own, once for all operations
	}
	for _, requirement := range r.list(list).items() {
		for name, value := range r.mapping(requirement).fields() {
			if problem := r.scheme(name); problem != "" {
				r.add(value, "%s; remove the requirement, or override it with security: []", problem)
			}
			keyRequired = true // what asks for anything else is refused
		}
	}
	r.keyRequired[list.Node] = keyRequired
	return keyRequired
}

// scheme says what is wrong with the security scheme of that name: "" when it
// is the API key, the one that is supported.
func (r *reader) scheme(name string) (problem string) {
	problem, known := r.schemes[name]
	if !known {
		problem = r.schemeProblem(name)
		r.schemes[name] = problem
	}
	return problem
}

func (r *reader) schemeProblem(name string) string {
	var scheme node
	if schemes := r.root.get("components").get("securitySchemes"); schemes.isMapping() {
		scheme = r.resolve(r.member(schemes, name))
	}
	name = clip(name)
	switch field := func(name string) node { return r.member(scheme, name) }; {
	case !scheme.isMapping():
		return `security scheme "` + name + `" is not in components.securitySchemes, and authorizers are not supported yet`
	case !field(awsPrefix+"authorizer").absent() || !field(awsPrefix+"authtype").absent():
		return `authorizers such as "` + name + `" are not supported yet`
	case !field("type").isText() || field("type").Value != "apiKey":
		return `security scheme "` + name + `" is not supported yet`
	case !is(field("in"), "header") || !is(field("name"), keyHeader):
		return `security scheme "` + name + `" is not one that API Gateway takes API keys by: that has type: apiKey, in: header, name: ` + keyHeader
	}
	return ""
}

// is reports a text, whatever its case.
func is(n node, text string) bool { return n.isText() && strings.EqualFold(n.Value, text) }
