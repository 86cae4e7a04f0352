package openapi

import (
	"slices"
	"strings"

	"github.com/pb33f/go-yaml"
	v3 "github.com/pb33f/libopenapi/datamodel/low/v3"

	"github.com/tidegate/tidegate/dataplane/definition"
	"github.com/tidegate/tidegate/dataplane/document"
	"github.com/tidegate/tidegate/dataplane/expression"
)

// pathItemFields are the fields of a Path Item Object; those that name a verb
// hold an operation.
var pathItemFields = map[string]string{
	"delete": "DELETE", "get": "GET", "head": "HEAD", "options": "OPTIONS", "patch": "PATCH", "post": "POST", "put": "PUT",
	awsPrefix + "any-method": definition.MethodAny,
	"trace":                  "", "parameters": "", "servers": "", "summary": "", "description": "", "$ref": "",
}

func (r *reader) paths(prefix []string) {
	for path, item := range r.Mapping(r.root.Get("paths")).Fields() {
		if strings.HasPrefix(path, "x-") {
			r.extension(item, path, nil)
			continue
		}
		segments, err := splitPath(path)
		if err != nil {
			r.Add(item, "%s", err)
			continue
		}
		b, err := r.tree.insert(slices.Concat(prefix, segments))
		if err != nil {
			r.Add(item, "%s", err)
			continue
		}
		r.pathItem(r.Mapping(r.resolve(item)), b)
	}
}

func (r *reader) pathItem(item document.Node, b *branch) {
	shared := r.shaped(item.Get("parameters"), operationShape.fields["parameters"])
	for name, value := range item.Fields() {
		verb, known := pathItemFields[name]
		switch {
		case verb != "":
			r.operation(r.Mapping(value), verb, b, shared)
		case name == "trace":
			r.Add(value, "API Gateway never serves TRACE; remove the operation")
		case isExtension(name):
			r.refuseExtension(value, name)
		case !known && !strings.HasPrefix(name, "x-"):
			r.Add(value, "unknown field%s", document.DidYouMean(name, pathItemFields))
		case known && name != "parameters":
			r.noExtensions(value)
		}
	}
}

// operation reads one method of a resource; shared are the parameters of all
// operations of the path item.
func (r *reader) operation(at document.Node, verb string, b *branch, shared *yaml.Node) {
	if at.Absent() {
		return
	}
	if at.Get("isDefaultRoute").Node != nil {
		r.Add(at.Get("isDefaultRoute"), "default routes are not supported; %s with /{proxy+}", httpAPIFix)
	}
	op := build[v3.Operation](r, at, withParameters(r.shaped(at, operationShape), shared))
	m := &definition.Method{HTTPMethod: verb, OperationName: op.OperationId.Value}
	m.Priority = r.priorityOf(at.Get(priority))
	r.security(at, m)
	r.requestValidator(at.Get(awsPrefix + "request-validator"))
	r.parameters(at, op, m, b)
	r.methodResponses(at, op, m)
	if in := at.Get(awsPrefix + "integration"); !in.Absent() && r.affordAll(in) {
		m.Integration = r.integration(in, m, b)
	}
	if err := b.put(m); err != nil {
		r.Add(at, "%s", err)
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
func (r *reader) parameters(at document.Node, op *v3.Operation, m *definition.Method, b *branch) {
	for _, ref := range op.Parameters.Value {
		name, in := ref.Value.Name.Value, ref.Value.In.Value
		where := document.Node{Place: at.Get("parameters").Place, KeyLine: ref.ValueNode.Line}
		source := "method.request." + in + "." + name
		switch in {
		case "query":
			source = "method.request.querystring." + name
		case "header":
		case "path":
			if !b.hasVariable(name) {
				r.Warn(where, "the path has no {%s}", document.Clip(name))
			}
		case "cookie":
			r.Warn(where, "cookie parameters have no effect; the upstream gets all cookies in the header Cookie")
			continue
		case "":
			r.Add(where, "parameter %q does not say where it is; add in: path, query or header", document.Clip(name))
			continue
		default:
			r.Add(where, "a parameter in %q does not exist in OpenAPI 3; use path, query or header, or requestBody", document.Clip(in))
			continue
		}
		if name == "" {
			r.Add(where, "a parameter needs a name")
			continue
		}
		if !expression.IsName(name) {
			r.Warn(where, "parameter %q cannot be mapped: API Gateway's names have letters, digits and ._$- only", document.Clip(name))
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
func (r *reader) methodResponses(at document.Node, op *v3.Operation, m *definition.Method) {
	if op.Responses.Value == nil {
		return
	}
	for code, response := range op.Responses.Value.Codes.FromOldest() {
		if strings.HasSuffix(strings.ToUpper(code.Value), "XX") && len(code.Value) == 3 {
			continue
		}
		if !isStatus(code.Value) {
			where := document.Node{Place: at.Get("responses").Place, KeyLine: code.KeyNode.Line}
			r.Add(where, "%q is not a status code from 200 to 599, nor default", document.Clip(code.Value))
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
