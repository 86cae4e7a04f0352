package rfc9111

import (
	"strings"
	"testing"

	"github.com/tidegate/tidegate/dataplane/http1"
)

// t0 is the moment at which the responses of the tests arrive.
const (
	t0    = 784111777 * second // Sun, 06 Nov 1994 08:49:37 GMT
	date0 = "Date: Sun, 06 Nov 1994 08:49:37 GMT"
)

var limits = http1.Limits{Target: 8192, Header: 16384, Count: 200}

// crlf makes field lines of "A: 1|B: 2".
func crlf(fields string) string {
	if fields == "" {
		return ""
	}
	return strings.ReplaceAll(fields, "|", "\r\n") + "\r\n"
}

// request makes a request of a method and "A: 1|B: 2".
func request(t testing.TB, method, fields string) *Request {
	t.Helper()
	r := &http1.Request{}
	if fault := r.Parse([]byte(method+" /a HTTP/1.1\r\nHost: h\r\n"+crlf(fields)+"\r\n"), limits); fault != 0 {
		t.Fatalf("%s %q: %v", method, fields, fault)
	}
	q := ReadRequest(r)
	return &q
}

func get(t testing.TB, fields string) *Request {
	t.Helper()
	return request(t, "GET", fields)
}

// response makes a response of "200|A: 1|B: 2".
func response(t testing.TB, text string) *http1.Response {
	t.Helper()
	status, fields, _ := strings.Cut(text, "|")
	r := &http1.Response{}
	if fault := r.Parse([]byte("HTTP/1.1 " + status + " \r\n" + crlf(fields) + "\r\n")); fault != 0 {
		t.Fatalf("%q: %v", text, fault)
	}
	return r
}

var at0 = Times{Request: t0, Response: t0}

// stored is what is stored of the response that arrives at t0.
func stored(t testing.TB, text string) *Stored {
	t.Helper()
	return storedFor(t, "", text)
}

func storedFor(t testing.TB, requestFields, text string) *Stored {
	t.Helper()
	meta, a := Admit(nil, get(t, requestFields), response(t, text), at0, &DefaultPolicy)
	if a.Refused != Admitted {
		t.Fatalf("%q is refused: %d", text, a.Refused)
	}
	s, ok := Decode(meta)
	if !ok {
		t.Fatalf("%q: what is stored cannot be decoded", text)
	}
	return &s
}

func bar(fields string) string {
	return strings.ReplaceAll(strings.TrimSuffix(fields, "\r\n"), "\r\n", "|")
}
