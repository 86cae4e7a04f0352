package jwt

import (
	"iter"
	"strconv"
	"strings"
	"time"
)

// Claims is what the issuer says about a caller. It never changes.
//
// Values are as the issuer has signed them: they may hold control characters, and
// whoever puts one into a header field has to look.
type Claims struct {
	Issuer  string
	Subject string   // sub, "" if there is none
	Scopes  []string // scope, or else scp; it must not be changed

	principal string
	all       []claim
}

type claim struct{ name, text string }

// Get returns a claim as the text that AWS makes of it, for example of
// $context.authorizer.claims.NAME. It allocates nothing.
func (c *Claims) Get(name string) (text string, ok bool) {
	for i := range c.all {
		if c.all[i].name == name {
			return c.all[i].text, true
		}
	}
	return "", false
}

// All returns all claims and their texts, in the order of the token.
func (c *Claims) All() iter.Seq2[string, string] {
	return func(yield func(string, string) bool) {
		for i := range c.all {
			if !yield(c.all[i].name, c.all[i].text) {
				return
			}
		}
	}
}

// Principal names the caller among all callers of all issuers, by issuer and
// subject; a client without a subject by its client_id. It is "" when the token
// names neither: then nothing may be kept for the caller alone. Tokens of one
// principal can differ in scopes and other claims.
func (c *Claims) Principal() string { return c.principal }

// form is how claims become texts.
type form struct {
	dates                  bool   // exp, nbf and iat as dates
	open, between, closing string // of arrays
}

// The forms of the two kinds of authorizer, as seen in what AWS hands to
// functions. It documents only that all claims are strings.
var (
	formPools = form{dates: true, between: ","}
	formJWT   = form{open: "[", between: " ", closing: "]"}
)

// newClaims makes the claims of a token.
func newClaims(m members, f *form, scopes []string) *Claims {
	c := &Claims{Issuer: m.get("iss").text, Subject: m.get("sub").text, Scopes: scopes, all: make([]claim, len(m))}
	for i := range m {
		c.all[i] = claim{m[i].name, f.render(m[i].name, m[i].value)}
	}
	// No issuer has a space in it.
	if client := m.get("client_id").text; c.Subject != "" {
		c.principal = c.Issuer + " sub " + c.Subject
	} else if client != "" {
		c.principal = c.Issuer + " client " + client
	}
	return c
}

// dateForm is java.util.Date's, which AWS shows.
const dateForm = "Mon Jan 02 15:04:05 UTC 2006"

// render returns a claim as text. Objects stay JSON, also within arrays.
func (f *form) render(name string, v value) string {
	switch v.kind {
	case isNumber:
		if f.dates && (name == "exp" || name == "iat" || name == "nbf") {
			if seconds, ok := v.date(); ok {
				return time.Unix(seconds, 0).UTC().Format(dateForm)
			}
		}
	case isArray:
		var b strings.Builder
		b.Grow(len(v.text))
		b.WriteString(f.open)
		var few [8]value
		for i, item := range readItems(v.text, few[:0]) {
			if i > 0 {
				b.WriteString(f.between)
			}
			b.WriteString(item.text)
		}
		b.WriteString(f.closing)
		return b.String()
	}
	return v.text
}

// maxDate is the end of the year 9999 in seconds since the Unix epoch. What is
// later was meant in milliseconds, or means never.
const maxDate = 253402300799

// date reads a NumericDate (RFC 7519 section 2) in seconds since the Unix epoch,
// without their fraction.
func (v value) date() (seconds int64, ok bool) {
	if v.kind != isNumber {
		return 0, false
	}
	seconds, err := strconv.ParseInt(v.text, 10, 64)
	if err != nil {
		f, err := strconv.ParseFloat(v.text, 64)
		if err != nil || !(f >= 0 && f <= maxDate) {
			return 0, false
		}
		seconds = int64(f)
	}
	return seconds, seconds >= 0 && seconds <= maxDate
}
