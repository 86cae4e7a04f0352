package openapi

import "strings"

// security refuses an operation that asks who is calling: it would be served
// to everybody. The document's own requirement holds for operations without
// one.
func (r *reader) security(at node) {
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
	r.requirements(own)
}

// requirements refuses every requirement of a list. An empty one ("{}") asks
// for nothing.
func (r *reader) requirements(list node) {
	if r.searched[list.Node] {
		return // the document's own, once for all operations
	}
	if !list.absent() {
		r.searched[list.Node] = true
	}
	for _, requirement := range r.list(list).items() {
		for name, value := range r.mapping(requirement).fields() {
			r.add(value, "%s; remove the requirement, or override it with security: []", r.unsupportedScheme(name))
		}
	}
}

// unsupportedScheme says what the security scheme of that name would need.
func (r *reader) unsupportedScheme(name string) string {
	var scheme node
	if schemes := r.root.get("components").get("securitySchemes"); schemes.isMapping() {
		scheme = r.resolve(r.member(schemes, name))
	}
	switch {
	case !scheme.isMapping():
		return `security scheme "` + clip(name) + `" is not in components.securitySchemes, and authorizers are not supported yet`
	case !scheme.get(awsPrefix+"authorizer").absent() || !scheme.get(awsPrefix+"authtype").absent():
		return `authorizers such as "` + clip(name) + `" are not supported yet`
	case scheme.get("type").isText() && scheme.get("type").Value == "apiKey":
		return `API keys, as "` + clip(name) + `" asks for, are not supported yet`
	}
	return `security scheme "` + clip(name) + `" is not supported yet`
}
