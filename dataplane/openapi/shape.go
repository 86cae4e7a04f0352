package openapi

import (
	"strings"

	"github.com/pb33f/go-yaml"

	"github.com/tidegate/tidegate/dataplane/document"
)

// shape is what the OpenAPI specification says a value looks like, as far as
// it matters to a gateway.
type shape struct {
	kind   kind
	fields map[string]*shape // of an object: every field there is
	each   *shape            // of names and of a list: the members
	ref    bool              // a Reference Object may stand for it

	extensible bool     // of names: "x-…" is an extension, not a name
	extensions []string // API Gateway's extensions that its readers know
}

type kind uint8

const (
	unused  kind = iota // has no effect on serving: left out
	text                // any scalar
	boolean             //
	object              // a mapping with known fields
	names               // a mapping from names to values of one shape
	list                //
)

var (
	textShape = &shape{kind: text}
	boolShape = &shape{kind: boolean}
	unread    = &shape{}

	infoShape = &shape{kind: object, fields: map[string]*shape{
		"title": textShape, "version": textShape, "description": textShape,
		"summary": unread, "termsOfService": unread, "contact": unread, "license": unread,
	}}
	tagShape = &shape{kind: object, fields: map[string]*shape{
		"name": textShape, "description": unread, "externalDocs": unread,
	}, extensions: []string{"tag-value"}}
	serverShape = &shape{kind: object, extensions: []string{"endpoint-configuration"}, fields: map[string]*shape{
		"url": textShape, "description": unread,
		"variables": {kind: names, each: &shape{kind: object, fields: map[string]*shape{
			"default": textShape, "enum": unread, "description": unread,
		}}},
	}}
	securityShape = &shape{kind: list, each: &shape{kind: names, each: &shape{kind: list, each: textShape}}}

	schemeShape = &shape{kind: object, ref: true, extensions: []string{"authorizer", "authtype"}, fields: map[string]*shape{
		"type": textShape, "name": textShape, "in": textShape, "scheme": textShape,
		"description": unread, "bearerFormat": unread, "flows": unread, "openIdConnectUrl": unread,
	}}
	parameterShape = &shape{kind: object, ref: true, fields: map[string]*shape{
		"name": textShape, "in": textShape, "required": boolShape,
		"description": unread, "deprecated": unread, "allowEmptyValue": unread, "style": unread, "explode": unread,
		"allowReserved": unread, "schema": unread, "example": unread, "examples": unread, "content": unread,
	}}
	headerShape = &shape{kind: object, ref: true, fields: map[string]*shape{
		"description": unread, "required": unread, "deprecated": unread, "allowEmptyValue": unread, "style": unread,
		"explode": unread, "allowReserved": unread, "schema": unread, "example": unread, "examples": unread, "content": unread,
	}}
	responseShape = &shape{kind: object, ref: true, fields: map[string]*shape{
		"headers":     {kind: names, each: headerShape},
		"description": unread, "content": unread, "links": unread,
	}}
	operationShape = &shape{kind: object, extensions: []string{"integration", "auth", "request-validator", priority}, fields: map[string]*shape{
		"operationId": textShape,
		"parameters":  {kind: list, each: parameterShape},
		"responses":   {kind: names, each: responseShape, extensible: true},
		"security":    securityShape,
		"tags":        unread, "summary": unread, "description": unread, "externalDocs": unread,
		"requestBody": unread, "callbacks": unread, "deprecated": unread, "servers": unread,
	}}
)

// shaped returns a copy of n that holds only what its shape says, references
// resolved: what libopenapi's builders are given. It returns nil for an absent
// or wrong value; a wrong one is a problem.
func (r *reader) shaped(n document.Node, s *shape) *yaml.Node {
	if s.kind == unused {
		r.noExtensions(n)
		return nil
	}
	if s.ref {
		n = r.resolve(n)
	}
	if n.Absent() {
		return nil
	}
	if !r.afford(n) {
		return nil
	}
	switch s.kind {
	case text:
		if r.Text(n); n.IsScalar() {
			return n.Node
		}
	case boolean:
		if r.Boolean(n); n.IsScalar() && n.Tag == "!!bool" {
			return n.Node
		}
	case list:
		out := &yaml.Node{Kind: yaml.SequenceNode, Tag: "!!seq", Line: n.Line, Column: n.Column}
		for _, item := range r.List(n).Items() {
			if v := r.shaped(item, s.each); v != nil {
				out.Content = append(out.Content, v)
			}
		}
		return out
	case object, names:
		return r.shapedFields(r.Mapping(n), s)
	}
	return nil
}

func (r *reader) shapedFields(n document.Node, s *shape) *yaml.Node {
	if n.Absent() {
		return nil
	}
	out := &yaml.Node{Kind: yaml.MappingNode, Tag: "!!map", Line: n.Line, Column: n.Column}
	for name, member := range n.Fields() {
		field, known := s.each, true
		if s.kind == object {
			field, known = s.fields[name]
		}
		switch {
		case strings.HasPrefix(name, "x-") && (s.kind == object || s.extensible):
			r.extension(member, name, s.extensions)
		case !known:
			r.unknownField(member, name, s.fields)
		default:
			if v := r.shaped(member, field); v != nil {
				key := &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!str", Value: name, Line: member.KeyLine}
				out.Content = append(out.Content, key, v)
			}
		}
	}
	return out
}

// unknownField reports a likely slip of the pen as an error: what it was meant
// to say would be lost. Leftovers of other formats do no harm.
func (r *reader) unknownField(n document.Node, name string, known map[string]*shape) {
	if near := document.Nearest(name, known); near != "" {
		r.Add(n, "unknown field; did you mean %q?", near)
		return
	}
	r.Warn(n, "unknown field, ignored")
}
