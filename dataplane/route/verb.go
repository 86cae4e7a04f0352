package route

import "github.com/tidegate/tidegate/dataplane/definition"

// Verb is an HTTP method that a resource can answer. The zero Verb is any
// other method (TRACE, CONNECT, a custom one): it matches nothing.
type Verb uint8

// The verbs of definition.Verbs, in that order. HEAD is a verb of its own: it
// is not derived from GET.
const (
	NoVerb Verb = iota
	Delete
	Get
	Head
	Options
	Patch
	Post
	Put
)

// ParseVerb returns the Verb of a request's method, which is case-sensitive
// (RFC 9110, section 9.1), or NoVerb.
func ParseVerb(method []byte) Verb {
	switch string(method) {
	case "DELETE":
		return Delete
	case "GET":
		return Get
	case "HEAD":
		return Head
	case "OPTIONS":
		return Options
	case "PATCH":
		return Patch
	case "POST":
		return Post
	case "PUT":
		return Put
	}
	return NoVerb
}

// String returns the method's name, or "" for NoVerb.
func (v Verb) String() string {
	if v == NoVerb || v > Put {
		return ""
	}
	return definition.Verbs[v-1]
}

// verbSet has bit v set for each Verb v in it. NoVerb is never in one.
type verbSet uint8

const allVerbs = verbSet(1<<Delete | 1<<Get | 1<<Head | 1<<Options | 1<<Patch | 1<<Post | 1<<Put)

func (s verbSet) has(v Verb) bool { return s&(1<<v) != 0 }
