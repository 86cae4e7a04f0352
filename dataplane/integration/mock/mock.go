// Package mock answers methods whose integration has type MOCK: the gateway
// itself answers, from constants of the definition.
//
// Every answer is made when the deployment is compiled. A request only picks
// one, by its Content-Type and Accept; its body is never read.
package mock

// Header is a header of an Answer. The name is a token and the value has no
// control characters.
type Header struct{ Name, Value string }

// Answer is a prebuilt response. It is shared by all requests; read it only.
type Answer struct {
	Status      int // 200 to 599
	ContentType string
	Headers     []Header // sorted by name; without Content-Type
	Body        []byte
}

// Outcome says how a mock answers a request.
type Outcome uint8

const (
	// Answered means that there is an Answer.
	Answered Outcome = iota
	// UnsupportedMediaType means that no request template fits and the
	// passthrough behavior forbids to go on: the gateway response
	// UNSUPPORTED_MEDIA_TYPE (415).
	UnsupportedMediaType
	// ConfigurationError means that the definition gives no answer: the gateway
	// response API_CONFIGURATION_ERROR (500).
	ConfigurationError
)

// Mock is a compiled MOCK integration. It is immutable; any number of
// goroutines may use it.
type Mock struct {
	plain    *Answer // when the client names no media types; nil if there is none
	requests []request
	other    *reply // for every other media type
}

type request struct {
	mediaType string
	reply     *reply
}

// reply is what one integration response gives: an answer for each response
// template, the one to fall back to first.
type reply struct {
	outcome  Outcome
	variants []variant
}

type variant struct {
	mediaType string
	answer    *Answer
}

const defaultMediaType = "application/json"

// Answer picks the answer for a request's Content-Type and Accept header
// values, nil when absent. The Answer is nil unless the Outcome is Answered. It
// does not allocate.
//
// The request template is chosen by the media type of Content-Type, the
// response template by the first media type of Accept; both default to
// application/json.
// Source: https://docs.aws.amazon.com/apigateway/latest/developerguide/how-to-mock-integration.html
func (m *Mock) Answer(contentType, accept []byte) (*Answer, Outcome) {
	if m.plain != nil && len(contentType) == 0 && (len(accept) == 0 || string(accept) == "*/*") {
		return m.plain, Answered
	}
	r := m.other
	contentType = firstMediaType(contentType)
	for i := range m.requests {
		if isMediaType(contentType, m.requests[i].mediaType) {
			r = m.requests[i].reply
			break
		}
	}
	if r.outcome != Answered {
		return nil, r.outcome
	}
	accept = firstMediaType(accept)
	for i := range r.variants {
		if isMediaType(accept, r.variants[i].mediaType) {
			return r.variants[i].answer, Answered
		}
	}
	return r.variants[0].answer, Answered
}

// firstMediaType returns the first media type of a Content-Type or Accept
// value, without parameters.
func firstMediaType(value []byte) []byte {
	for len(value) > 0 && (value[0] == ' ' || value[0] == '\t') {
		value = value[1:]
	}
	end := 0
	for end < len(value) {
		switch value[end] {
		case ';', ',', ' ', '\t':
			return value[:end]
		}
		end++
	}
	return value
}

// isMediaType compares without regard to case (RFC 9110, section 8.3.1); lower
// is in lower case. An absent value stands for the default.
func isMediaType(value []byte, lower string) bool {
	if len(value) == 0 {
		return lower == defaultMediaType
	}
	if len(value) != len(lower) {
		return false
	}
	for i, c := range value {
		if 'A' <= c && c <= 'Z' {
			c += 'a' - 'A'
		}
		if c != lower[i] {
			return false
		}
	}
	return true
}
