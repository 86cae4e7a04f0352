package sigv4

import (
	"bytes"

	"github.com/tidegate/tidegate/dataplane/http1"
)

const algorithm = "AWS4-HMAC-SHA256"

// claim is what a request says of its signature. Its slices point into the
// request or into the scratch it was read with.
type claim struct {
	presigned bool

	accessKey     []byte
	scope         []byte // date/region/service/terminator
	date          []byte // of the scope
	region        []byte
	service       []byte
	terminator    []byte
	signedHeaders []byte // names, joined with ";"
	signature     []byte // hexadecimal

	iso     [16]byte // the time as YYYYMMDDTHHMMSSZ
	seconds int64    // the time since the Unix epoch
	expires int64    // seconds since then that a presigned request is valid; -1 if it does not say

	token   []byte // nil without session token
	payload []byte // declared hash of the body; nil without
}

// lines are the field lines that a signature is read from, by number; -1 if
// there is none.
type lines struct {
	authorization, date, amzDate, token, payload int
}

func findLines(r *http1.Request) (lines, *Failure) {
	l := lines{-1, -1, -1, -1, -1}
	for i := range r.Len() {
		at := &l.date
		switch r.ID(i) {
		case http1.Authorization:
			at = &l.authorization
		case http1.Date:
		case http1.Other:
			switch name := r.Name(i); {
			case http1.EqualFold(name, "x-amz-date"):
				at = &l.amzDate
			case http1.EqualFold(name, "x-amz-security-token"):
				at = &l.token
			case http1.EqualFold(name, "x-amz-content-sha256"):
				at = &l.payload
			default:
				continue
			}
		default:
			continue
		}
		if *at >= 0 { // which of them counts is anyone's guess
			return l, incomplete("Request has more than one '" + string(r.Name(i)) + "' header.")
		}
		*at = i
	}
	return l, nil
}

// read reads the claim of a request whose query is in s.
func (c *claim) read(s *scratch, r *http1.Request) *Failure {
	l, failure := findLines(r)
	if failure != nil {
		return failure
	}
	c.expires = -1
	if l.token >= 0 {
		c.token = r.Value(l.token)
	}
	if l.payload >= 0 {
		c.payload = r.Value(l.payload)
	}
	if l.authorization >= 0 {
		return c.readAuthorization(r, l)
	}
	if !s.presigned() {
		return missingToken
	}
	return c.readPresigned(s)
}

// readCredential cuts an access key and its scope: id/date/region/service/terminator.
func (c *claim) readCredential(credential []byte) *Failure {
	if bytes.Count(credential, []byte{'/'}) != 4 {
		return incomplete("Credential must have exactly 5 slash-delimited elements, e.g. keyid/date/region/service/term, got '" +
			string(credential) + "'")
	}
	slash := []byte{'/'}
	var rest []byte
	c.accessKey, c.scope, _ = bytes.Cut(credential, slash)
	c.date, rest, _ = bytes.Cut(c.scope, slash)
	c.region, rest, _ = bytes.Cut(rest, slash)
	c.service, c.terminator, _ = bytes.Cut(rest, slash)
	return nil
}

// checkScope compares the scope with where the request was sent to and when.
func (c *claim) checkScope(region, service string) *Failure {
	message := ""
	add := func(text string) {
		if message != "" {
			message += " "
		}
		message += text
	}
	if string(c.region) != region {
		add("Credential should be scoped to a valid Region, not '" + string(c.region) + "'.")
	}
	if string(c.service) != service {
		add("Credential should be scoped to correct service: '" + service + "'.")
	}
	if string(c.terminator) != terminator {
		add("Credential should be scoped with a valid terminator: '" + terminator + "', not '" + string(c.terminator) + "'.")
	}
	if date := c.iso[:8]; !bytes.Equal(c.date, date) {
		add("Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date from HTTP: '" +
			string(c.date) + "' != '" + string(date) + "', from '" + string(c.iso[:]) + "'.")
	}
	if message != "" {
		return invalid(message)
	}
	return nil
}
