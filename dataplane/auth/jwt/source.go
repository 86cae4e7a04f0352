package jwt

import (
	"fmt"
	"strings"

	"github.com/tidegate/tidegate/dataplane/definition"
)

// Source is where requests carry the token: a header field or a query parameter.
type Source struct {
	Query bool
	Name  string // of a field in whatever case, of a parameter letter by letter
}

// defaultSource is where tokens are if the authorizer does not say.
const defaultSource = "Authorization"

// compileSource compiles an identity source. User pools are found in header
// fields alone. JWT authorizers have the form of HTTP APIs, $request.header.NAME,
// and also that of REST APIs.
func compileSource(text string, pools bool) (Source, error) {
	if text == "" {
		return Source{Name: defaultSource}, nil
	}
	place, ok := strings.CutPrefix(text, "method.request.")
	if !ok && !pools {
		place, ok = strings.CutPrefix(text, "$request.")
	}
	if ok {
		if name, ok := strings.CutPrefix(place, "header."); ok && isFieldName(name) {
			return Source{Name: name}, nil
		}
		if name, ok := strings.CutPrefix(place, "querystring."); ok && !pools && name != "" && !strings.ContainsAny(name, ", ") {
			return Source{Query: true, Name: name}, nil
		}
	}
	if pools {
		return Source{}, fmt.Errorf("identitySource %q: write method.request.header.NAME, one", text)
	}
	return Source{}, fmt.Errorf("identitySource %q: write $request.header.NAME or $request.querystring.NAME, one; type %s is for more", text, definition.AuthorizerRequest)
}

// isFieldName reports whether text is a token of RFC 9110 section 5.6.2.
func isFieldName(text string) bool {
	for i := range len(text) {
		b := text[i]
		if b <= ' ' || b > '~' || strings.IndexByte(`"(),/:;<=>?@[\]{}`, b) >= 0 {
			return false
		}
	}
	return text != ""
}

// Token returns the token in the value of a source: all of it, or what follows
// "Bearer " (RFC 6750 section 2.1).
func Token(value []byte) []byte {
	const scheme = "Bearer "
	if len(value) < len(scheme) || !strings.EqualFold(string(value[:len(scheme)]), scheme) {
		return value
	}
	for value = value[len(scheme):]; len(value) > 0 && value[0] == ' '; value = value[1:] {
	}
	return value
}
