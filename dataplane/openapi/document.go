package openapi

import (
	"bytes"
	"regexp"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/pb33f/libopenapi/datamodel"
)

// load parses a document and makes its tree safe to walk.
//
// libopenapi parses, and later builds the standard objects one operation at a
// time. It is never handed the document whole: its builder would resolve
// references and aliases itself, on goroutines of its own, and a hostile
// document must not choose how far that goes.
func load(document []byte, o Options, p *problems) (root node, ok bool) {
	switch {
	case len(document) > MaxDocumentBytes:
		p.add(node{}, "the document has %d bytes, more than the %d that an import takes; split the API", len(document), MaxDocumentBytes)
		return node{}, false
	case !utf8.Valid(document):
		p.add(node{}, "the document is not UTF-8 text; save it as UTF-8")
		return node{}, false
	}
	document = bytes.TrimPrefix(document, []byte("\ufeff"))
	if len(bytes.TrimSpace(document)) == 0 {
		p.add(node{}, "the document is empty")
		return node{}, false
	}
	if line := secondDocument(document); line > 0 {
		p.add(node{line: line}, `a second YAML document starts here ("---"); import one document at a time`)
		return node{}, false
	}

	// Skipped with the JSON view is a search for duplicate keys that takes
	// quadratic time; clean does its own.
	config := &datamodel.DocumentConfiguration{SkipJSONConversion: true}
	info, err := datamodel.ExtractSpecInfoWithConfig(document, config)
	if err != nil && (info == nil || info.RootNode == nil) {
		line, text := syntaxError(err)
		p.add(node{line: line}, "not valid YAML or JSON: %s", text)
		return node{}, false
	}
	if info.RootNode == nil || len(info.RootNode.Content) == 0 {
		p.add(node{}, "the document is empty")
		return node{}, false
	}
	root = node{Node: info.RootNode.Content[0], line: 1}
	if !root.isMapping() {
		p.add(root, "not an OpenAPI document: the top level must be a mapping")
		return node{}, false
	}
	c := &cleaner{problems: p, budget: newBudget(len(document)), variables: awsVariables(o)}
	c.clean(root, 0, false)
	if p.err() != nil {
		return node{}, false
	}
	return root, supportedVersion(root, p)
}

func supportedVersion(root node, p *problems) bool {
	version := root.get("openapi")
	text := p.text(version)
	switch {
	case strings.HasPrefix(text, "3.0.") || strings.HasPrefix(text, "3.1."):
		return true
	case !root.get("swagger").absent():
		p.add(root.get("swagger"), "Swagger 2.0 is not supported; convert the document to OpenAPI 3.0 or 3.1")
	case version.absent():
		p.add(version, `missing; an OpenAPI document says openapi: "3.0.1" or "3.1.0"`)
	default:
		p.add(version, "version %q is not supported; use 3.0.x or 3.1.x", clip(text))
	}
	return false
}

var documentMarker = regexp.MustCompile(`(?m)^---(?:[ \t\r].*)?$`)

// secondDocument returns the line where a second YAML document starts, or 0.
// The parser would read the first and drop the rest without a word.
func secondDocument(document []byte) int {
	if bytes.HasPrefix(bytes.TrimSpace(document), []byte("{")) {
		return 0
	}
	for _, at := range documentMarker.FindAllIndex(document, -1) {
		for line := range bytes.Lines(document[:at[0]]) {
			line = bytes.TrimSpace(line)
			if len(line) > 0 && line[0] != '#' && line[0] != '%' && !bytes.HasPrefix(line, []byte("---")) {
				return 1 + bytes.Count(document[:at[0]], []byte("\n"))
			}
		}
	}
	return 0
}

// parserPosition is how the YAML parser words a place: "… at L2.C4: …".
var parserPosition = regexp.MustCompile(`(?s)^.* at L(\d+)\.C\d+(?:-L\d+\.C\d+)?: (.*)$`)

func syntaxError(err error) (line int, text string) {
	text = strings.TrimPrefix(err.Error(), "unable to parse specification: ")
	if m := parserPosition.FindStringSubmatch(text); m != nil {
		line, _ = strconv.Atoi(m[1])
		text = m[2]
	}
	return line, clip(text)
}

// clip bounds a piece of the document that a message quotes.
func clip(s string) string {
	const most = 200
	if len(s) <= most {
		return s
	}
	return strings.ToValidUTF8(s[:most], "") + "…"
}
