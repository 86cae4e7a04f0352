package openapi

import (
	"slices"
	"strings"

	"github.com/pb33f/go-yaml"
	v3 "github.com/pb33f/libopenapi/datamodel/low/v3"

	"github.com/tidegate/tidegate/dataplane/definition"
)

// pathItemFields are the fields of a Path Item Object; those that name a verb
// hold an operation.
var pathItemFields = map[string]string{
	"delete": "DELETE", "get": "GET", "head": "HEAD", "options": "OPTIONS", "patch": "PATCH", "post": "POST", "put": "PUT",
	awsPrefix + "any-method": definition.MethodAny,
	"trace":                  "", "parameters": "", "servers": "", "summary": "", "description": "", "$ref": "",
}

func (r *reader) paths(prefix []string) {
	for path, item := range r.mapping(r.root.get("paths")).fields() {
		if strings.HasPrefix(path, "x-") {
			r.extension(item, path, nil)
			continue
		}
		segments, err := splitPath(path)
		if err != nil {
			r.add(item, "%s", err)
			continue
		}
		b, err := r.tree.insert(slices.Concat(prefix, segments))
		if err != nil {
			r.add(item, "%s", err)
			continue
		}
		r.pathItem(r.mapping(r.resolve(item)), b)
	}
}

func (r *reader) pathItem(item node, b *branch) {
	shared := r.shaped(item.get("parameters"), operationShape.fields["parameters"])
	for name, value := range item.fields() {
		verb, known := pathItemFields[name]
		switch {
		case verb != "":
			r.operation(r.mapping(value), verb, b, shared)
		case name == "trace":
			r.add(value, "API Gateway never serves TRACE; remove the operation")
		case isExtension(name):
			r.refuseExtension(value, name)
		case !known && !strings.HasPrefix(name, "x-"):
			r.add(value, "unknown field%s", didYouMean(name, pathItemFields))
		case known && name != "parameters":
			r.noExtensions(value)
		}
	}
}

// operation reads one method of a resource; shared are the parameters of all
// operations of the path item.
func (r *reader) operation(at node, verb string, b *branch, shared *yaml.Node) {
	if at.absent() {
		return
	}
	if at.get("isDefaultRoute").Node != nil {
		r.add(at.get("isDefaultRoute"), "default routes are not supported; %s with /{proxy+}", httpAPIFix)
	}
	op := build[v3.Operation](r, at, withParameters(r.shaped(at, operationShape), shared))
	m := &definition.Method{HTTPMethod: verb, OperationName: op.OperationId.Value}
	r.security(at, m)
	r.requestValidator(at.get(awsPrefix + "request-validator"))
	r.parameters(at, op, m, b)
	r.methodResponses(at, op, m)
	if in := at.get(awsPrefix + "integration"); !in.absent() && r.affordAll(in) {
		m.Integration = r.integration(in, m, b)
	}
	if err := b.put(m); err != nil {
		r.add(at, "%s", err)
	}
}

// withParameters puts the path item's parameters before the operation's own,
// which override them.
func withParameters(op, shared *yaml.Node) *yaml.Node {
	if op == nil || shared == nil || len(shared.Content) == 0 {
		return op
	}
	for i := 0; i+1 < len(op.Content); i += 2 {
		if op.Content[i].Value == "parameters" {
			own := *op.Content[i+1]
			own.Content = slices.Concat(shared.Content, own.Content)
			op.Content[i+1] = &own
			return op
		}
	}
	key := &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!str", Value: "parameters", Line: op.Line}
	op.Content = append(op.Content, key, shared)
	return op
}

// parameters declares the request parameters that mappings may use.
func (r *reader) parameters(at node, op *v3.Operation, m *definition.Method, b *branch) {
	for _, ref := range op.Parameters.Value {
		name, in := ref.Value.Name.Value, ref.Value.In.Value
		where := node{at: at.get("parameters").at, line: ref.ValueNode.Line}
		source := "method.request." + in + "." + name
		switch in {
		case "query":
			source = "method.request.querystring." + name
		case "header":
		case "path":
			if !b.hasVariable(name) {
				r.warn(where, "the path has no {%s}", clip(name))
			}
		case "cookie":
			r.warn(where, "cookie parameters have no effect; the upstream gets all cookies in the header Cookie")
			continue
		case "":
			r.add(where, "parameter %q does not say where it is; add in: path, query or header", clip(name))
			continue
		default:
			r.add(where, "a parameter in %q does not exist in OpenAPI 3; use path, query or header, or requestBody", clip(in))
			continue
		}
		if name == "" {
			r.add(where, "a parameter needs a name")
			continue
		}
		if !isName(name) {
			r.warn(where, "parameter %q cannot be mapped: API Gateway's names have letters, digits and ._$- only", clip(name))
			continue
		}
		declare(m, source, ref.Value.Required.Value || in == "path")
	}
}

// hasVariable reports whether the resource's path has the parameter.
func (b *branch) hasVariable(name string) bool {
	for ; b != nil; b = b.parent {
		if own, ok := variableName(b.part); ok && own == name {
			return true
		}
	}
	return false
}

// methodResponses declares the status codes and headers that integration
// responses may use. "default" and "2XX" declare no status code.
func (r *reader) methodResponses(at node, op *v3.Operation, m *definition.Method) {
	if op.Responses.Value == nil {
		return
	}
	for code, response := range op.Responses.Value.Codes.FromOldest() {
		if strings.HasSuffix(strings.ToUpper(code.Value), "XX") && len(code.Value) == 3 {
			continue
		}
		if !isStatus(code.Value) {
			where := node{at: at.get("responses").at, line: code.KeyNode.Line}
			r.add(where, "%q is not a status code from 200 to 599, nor default", clip(code.Value))
			continue
		}
		headers := []string{}
		for name := range response.Value.Headers.Value.FromOldest() {
			headers = append(headers, "method.response.header."+name.Value)
		}
		slices.Sort(headers)
		if m.Responses == nil {
			m.Responses = map[string][]string{}
		}
		m.Responses[code.Value] = headers
	}
}

// isStatus reports a status code that can answer a request.
func isStatus(s string) bool {
	return len(s) == 3 && '2' <= s[0] && s[0] <= '5' && '0' <= s[1] && s[1] <= '9' && '0' <= s[2] && s[2] <= '9'
}
