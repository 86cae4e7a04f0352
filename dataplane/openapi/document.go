package openapi

import (
	"errors"
	"strings"

	"github.com/pb33f/go-yaml"
	"github.com/pb33f/libopenapi/datamodel"

	"github.com/tidegate/tidegate/dataplane/document"
)

// load parses a document and makes its tree safe to walk.
//
// libopenapi parses, and later builds the standard objects one operation at a
// time. It is never handed the document whole: its builder would resolve
// references and aliases itself, on goroutines of its own, and a hostile
// document must not choose how far that goes.
func load(text []byte, o Options, p *document.Problems) (root document.Node, ok bool) {
	root, ok = document.Load(text, document.Options{
		Kind: "an OpenAPI document", AccountID: o.AccountID, Partition: o.Partition, Region: o.Region,
		References: true, Samples: sampleData, Parse: parseTree,
	}, p)
	return root, ok && supportedVersion(root, p)
}

// sampleData names the members whose value is data for people or schemas.
var sampleData = map[string]bool{
	"example": true, "examples": true, "default": true, "enum": true, "const": true,
	"x-amazon-apigateway-documentation": true,
}

// parseTree returns the tree of a document also where libopenapi does not take it
// for one of OpenAPI, which supportedVersion words better.
func parseTree(text []byte) (*yaml.Node, error) {
	// Skipped with the JSON view is a search for duplicate keys that takes
	// quadratic time; document does its own.
	info, err := datamodel.ExtractSpecInfoWithConfig(text, &datamodel.DocumentConfiguration{SkipJSONConversion: true})
	if info == nil || info.RootNode == nil {
		return nil, errors.New(strings.TrimPrefix(err.Error(), "unable to parse specification: "))
	}
	return info.RootNode, nil
}

func supportedVersion(root document.Node, p *document.Problems) bool {
	version := root.Get("openapi")
	text := p.Text(version)
	switch {
	case strings.HasPrefix(text, "3.0.") || strings.HasPrefix(text, "3.1."):
		return true
	case !root.Get("swagger").Absent():
		p.Add(root.Get("swagger"), "Swagger 2.0 is not supported; convert the document to OpenAPI 3.0 or 3.1")
	case version.Absent():
		p.Add(version, `missing; an OpenAPI document says openapi: "3.0.1" or "3.1.0"`)
	default:
		p.Add(version, "version %q is not supported; use 3.0.x or 3.1.x", document.Clip(text))
	}
	return false
}
