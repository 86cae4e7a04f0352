package definition

import (
	"crypto/sha256"
	"encoding/base32"
	"encoding/hex"
	"encoding/json"
	"slices"
	"strings"
)

// lowerBase32 spells hashes with [a-z2-7], a subset of what AWS ids use.
var lowerBase32 = base32.NewEncoding("abcdefghijklmnopqrstuvwxyz234567").WithPadding(base32.NoPadding)

// ResourceID returns the id of the resource at path in the API: 10 characters
// [a-z0-9]. It depends on nothing else, so importing a document again keeps
// the ids of the paths that stay.
func ResourceID(apiID, path string) string {
	sum := sha256.Sum256([]byte(apiID + "\x00" + path))
	return lowerBase32.EncodeToString(sum[:])[:10]
}

// AuthorizerID returns the id of the authorizer that an import makes of the
// security scheme of that name: 6 characters [a-z0-9], the same each time.
func AuthorizerID(apiID, name string) string {
	sum := sha256.Sum256([]byte(apiID + "\x00authorizer\x00" + name))
	return lowerBase32.EncodeToString(sum[:])[:6]
}

// Settings are what a Body freezes besides resources: see the fields of Body.
type Settings struct {
	EndpointType              string
	DisableExecuteAPIEndpoint bool
	APIKeySource              string
	GuaranteedRate            float64
	Priority                  string
	Policy                    string
	Authorizers               []*Authorizer
}

// NewBody makes a Body of resources: it adds the root resource if it is
// missing, sorts by path, and fills in RootResourceID and Revision. The
// resources belong to the Body afterwards and must not be changed.
func NewBody(apiID string, resources []*Resource, s Settings) *Body {
	b := newBody(apiID, resources, s)
	b.Revision = b.hash()
	return b
}

func newBody(apiID string, resources []*Resource, s Settings) *Body {
	resources = slices.Clone(resources)
	if !slices.ContainsFunc(resources, func(r *Resource) bool { return r.Path == "/" }) {
		resources = append(resources, &Resource{ID: ResourceID(apiID, "/"), Path: "/"})
	}
	slices.SortFunc(resources, func(a, b *Resource) int { return strings.Compare(a.Path, b.Path) })
	b := &Body{
		RootResourceID:            resources[0].ID, // "/" sorts before every other path
		Resources:                 resources,
		DisableExecuteAPIEndpoint: s.DisableExecuteAPIEndpoint,
		EndpointType:              s.EndpointType,
		APIKeySource:              s.APIKeySource,
		GuaranteedRate:            s.GuaranteedRate,
		Priority:                  s.Priority,
		Policy:                    s.Policy,
		Authorizers:               slices.Clone(s.Authorizers),
	}
	slices.SortFunc(b.Authorizers, func(a, b *Authorizer) int { return strings.Compare(a.ID, b.ID) })
	return b
}

// hash is SHA-256 over the JSON of everything in the Body but the Revision.
// The JSON is canonical: fields come in the order of the types, map keys are
// sorted.
func (b *Body) hash() string {
	bare := *b
	bare.Revision = ""
	text, err := json.Marshal(&bare)
	if err != nil {
		panic("definition: a Body holds nothing JSON cannot say: " + err.Error())
	}
	sum := sha256.Sum256(text)
	return hex.EncodeToString(sum[:])
}
