package control

import (
	"cmp"
	"maps"
	"strings"

	"github.com/tidegate/tidegate/dataplane/definition"
)

// combine is what a put makes of the resources an API has and those of the
// document. Merging keeps what the document does not mention, down to single
// methods; overwriting keeps nothing but the ids of the paths that stay.
func combine(have, document []*definition.Resource, merge bool) []*definition.Resource {
	byPath := make(map[string]*definition.Resource, len(have)+len(document))
	ids := make(map[string]string, len(have)+len(document)) // by path
	for _, r := range have {
		ids[r.Path] = r.ID
		if merge {
			next := *r
			next.Methods = maps.Clone(r.Methods)
			byPath[r.Path] = &next
		}
	}
	for _, r := range document {
		if ids[r.Path] == "" {
			ids[r.Path] = r.ID
		}
		next := byPath[r.Path]
		if next == nil {
			next = &definition.Resource{PathPart: r.PathPart, Path: r.Path}
			byPath[r.Path] = next
		}
		if next.Methods == nil && len(r.Methods) > 0 {
			next.Methods = make(map[string]*definition.Method, len(r.Methods))
		}
		maps.Copy(next.Methods, r.Methods)
	}
	all := make([]*definition.Resource, 0, len(byPath))
	for p, r := range byPath {
		r.ID, r.ParentID = ids[p], ""
		if p != "/" {
			parent := p[:strings.LastIndexByte(p, '/')]
			r.ParentID = ids[cmp.Or(parent, "/")]
		}
		all = append(all, r)
	}
	return all
}
