package rfc9111

import (
	"strings"
	"testing"
)

func refusal(t *testing.T, method, requestFields, text string) Refusal {
	t.Helper()
	meta, a := Admit([]byte("^"), request(t, method, requestFields), response(t, text), at0, &DefaultPolicy)
	if (a.Refused == Admitted) != (len(meta) > 1) || meta[0] != '^' {
		t.Fatalf("%q: refusal %d with %d bytes", text, a.Refused, len(meta))
	}
	return a.Refused
}

// RFC 9111 section 3: MUST NOT store a response unless...
func TestAdmit(t *testing.T) {
	const maxAge = "|Cache-Control: max-age=60"
	for _, row := range []struct {
		rule, request, response string
		want                    Refusal
	}{
		{"explicit max-age", "", "200" + maxAge, Admitted},
		{"explicit s-maxage", "", "200|Cache-Control: s-maxage=60", Admitted},
		{"explicit Expires", "", "200|" + date0 + "|Expires: Sun, 06 Nov 1994 09:49:37 GMT", Admitted},
		{"CDN-Cache-Control", "", "200|CDN-Cache-Control: max-age=60", Admitted},
		{"CDN-Cache-Control over no-store", "", "200|CDN-Cache-Control: max-age=60|Cache-Control: no-store", Admitted},
		{"CDN-Cache-Control over max-age", "", "200|CDN-Cache-Control: no-store" + maxAge, RefusedNoStore},
		{"CDN-Cache-Control over Expires", "", "299|CDN-Cache-Control: none|" + date0 + "|Expires: Sun, 06 Nov 1994 09:49:37 GMT", RefusedUnmarked},

		{"final status: any with explicit freshness", "", "299" + maxAge, Admitted},
		{"final status: any with explicit freshness", "", "404" + maxAge, Admitted},
		{"final status: any with explicit freshness", "", "302" + maxAge, Admitted},
		{"final status: any with explicit freshness", "", "503" + maxAge, Admitted},
		{"final status: any with explicit freshness", "", "599" + maxAge, Admitted},
		{"final status", "", "100" + maxAge, RefusedStatus},
		{"final status", "", "103" + maxAge, RefusedStatus},
		{"206 is not combined", "", "206|Content-Range: bytes 0-1/2" + maxAge, RefusedStatus},
		{"304 is no response of its own", "", "304" + maxAge, RefusedStatus},
		{"412 is about the request's conditions", "", "412" + maxAge, RefusedStatus},
		{"416 is about the request's range", "", "416" + maxAge, RefusedStatus},

		{"must-understand, understood", "", "200|Cache-Control: max-age=60, must-understand", Admitted},
		{"must-understand, not understood", "", "299|Cache-Control: max-age=60, must-understand", RefusedStatus},
		{"must-understand overrides no-store", "", "200|Cache-Control: max-age=60, no-store, must-understand", Admitted},
		{"must-understand overrides no-store", "", "404|Cache-Control: no-store, must-understand, max-age=60", Admitted},
		{"must-understand overrides no-store if understood", "", "299|Cache-Control: max-age=60, no-store, must-understand", RefusedStatus},
		{"must-understand overrides no doubt", "", `200|Cache-Control: max-age=60, must-understand, foo="`, RefusedNoStore},

		{"no-store", "", "200|Cache-Control: no-store, max-age=60", RefusedNoStore},
		{"no-store", "", "200|Cache-Control: max-age=60|Cache-Control: no-store", RefusedNoStore},
		{"no-store in a quoted string", "", `200|Cache-Control: max-age=60, foo="no-store"`, Admitted},
		{"no-store asked", "Cache-Control: no-store", "200" + maxAge, RefusedNoStoreAsked},
		{"unclosed string", "", `200|Cache-Control: max-age=60, foo="a`, RefusedNoStore},
		{"private", "", "200|Cache-Control: max-age=60, private", RefusedPrivate},
		{"private, qualified", "", `200|Cache-Control: max-age=60, private="x"`, Admitted},
		{"private, qualified and not", "", `200|Cache-Control: max-age=60, private="x", private`, RefusedPrivate},
		{"private, with an empty list", "", `200|Cache-Control: max-age=60, private=""`, RefusedPrivate},

		{"Authorization", "Authorization: a", "200" + maxAge, RefusedAuthorization},
		{"Authorization", "Authorization: a", "200|Cache-Control: max-age=60, proxy-revalidate", RefusedAuthorization},
		{"Authorization, public", "Authorization: a", "200|Cache-Control: max-age=60, public", Admitted},
		{"Authorization, must-revalidate", "Authorization: a", "200|Cache-Control: max-age=60, must-revalidate", Admitted},
		{"Authorization, s-maxage", "Authorization: a", "200|Cache-Control: s-maxage=60", Admitted},
		{"Authorization, bad s-maxage", "Authorization: a", "200|ETag: \"a\"|Cache-Control: s-maxage=a", RefusedAuthorization},
		{"Authorization, no-cache", "Authorization: a", "200|ETag: \"a\"|Cache-Control: no-cache", RefusedAuthorization},

		{"nothing marks it", "", "302", RefusedUnmarked},
		{"nothing marks it", "", "201|ETag: \"a\"", RefusedUnmarked},
		{"nothing marks it", "", "299|Last-Modified: Sat, 05 Nov 1994 08:49:37 GMT", RefusedUnmarked},
		{"nothing marks it", "", "500|Cache-Control: must-revalidate", RefusedUnmarked},
		{"public marks it", "", "299|Cache-Control: public|Last-Modified: Sat, 05 Nov 1994 08:49:37 GMT", Admitted},
		{"no use", "", "200", RefusedUseless},
		{"no use", "", "200|Cache-Control: max-age=0", RefusedUseless},
		{"no use", "", "200|Cache-Control: no-cache", RefusedUseless},
		{"no use", "", "200|Cache-Control: no-cache, max-age=60, stale-while-revalidate=60", RefusedUseless},
		{"no use", "", "200|Cache-Control: public", RefusedUseless},
		{"no use", "", "200|Cache-Control: max-age=60|Age: 60", RefusedUseless},
		{"no use", "", "200|Expires: 0", RefusedUseless},
		{"to be validated", "", "200|ETag: \"a\"", Admitted},
		{"to be validated", "", "200|ETag: \"a\"|Cache-Control: no-cache", Admitted},
		{"to be validated", "", "200|ETag: \"a\"|Cache-Control: max-age=60|Age: 1000000", Admitted},
		{"stale-while-revalidate", "", "200|Cache-Control: max-age=0, stale-while-revalidate=60", Admitted},
		{"stale-if-error", "", "200|Cache-Control: max-age=0, stale-if-error=60", Admitted},

		{"Vary: *", "", "200|Vary: *" + maxAge, RefusedVary},
		{"Vary: a list with *", "", "200|Vary: Accept, *" + maxAge, RefusedVary},
		{"Vary: two lines with *", "", "200|Vary: Accept|Vary: *" + maxAge, RefusedVary},
		{"Vary: what is no name", "", "200|Vary: a b" + maxAge, RefusedVary},
		{"Vary: not stored", "", `200|Vary: a|Cache-Control: max-age=60, private="vary"`, RefusedVary},
		{"Vary: for one hop", "", "200|Vary: a|Connection: vary" + maxAge, RefusedVary},
		{"Vary: very much", "", "200|Vary: " + strings.Repeat("a,b,c,d,", 100) + strings.Repeat("x", 600) + maxAge, RefusedVary},
		{"Vary", "", "200|Vary: Accept, , accept-language" + maxAge, Admitted},

		// The house rule: cookies are for one client.
		{"Set-Cookie", "", "200|Set-Cookie: a=b" + maxAge, RefusedSetCookie},
		{"Set-Cookie", "", "200|Set-Cookie: a=b|Cache-Control: public, max-age=60", RefusedSetCookie},
		{"Set-Cookie, withheld", "", `200|Set-Cookie: a=b|Cache-Control: max-age=60, no-cache="Set-Cookie"`, Admitted},
		{"Set-Cookie, withheld", "", `200|Set-Cookie: a=b|Cache-Control: max-age=60, private="x, set-cookie"`, Admitted},
		{"Set-Cookie, withheld from others only", "", `200|Set-Cookie: a=b|Cache-Control: no-cache="set-cookie"|CDN-Cache-Control: max-age=60`, RefusedSetCookie},

		{"origin's conditions", "If-Match: \"a\"", "200" + maxAge, RefusedRequest},
		{"origin's conditions", "If-Unmodified-Since: Sun, 06 Nov 1994 08:49:37 GMT", "200" + maxAge, RefusedRequest},
		{"another method", "X-HTTP-Method-Override: DELETE", "200" + maxAge, RefusedRequest},
		{"content", "Content-Length: 1", "200" + maxAge, RefusedRequest},
		{"a whole response to a conditional request", "If-None-Match: \"a\"", "200" + maxAge, Admitted},
		{"a whole response to a range request", "Range: bytes=0-1", "200" + maxAge, Admitted},
	} {
		if got := refusal(t, "GET", row.request, row.response); got != row.want {
			t.Errorf("%s: %q, %q: refusal %d, want %d", row.rule, row.request, row.response, got, row.want)
		}
	}
	for _, method := range []string{"HEAD", "POST", "PUT", "DELETE", "OPTIONS", "PATCH", "TRACE", "FOO", "get"} {
		if got := refusal(t, method, "", "200"+maxAge); got != RefusedMethod {
			t.Errorf("%s: refusal %d", method, got)
		}
	}
}

// RFC 9110 section 15.1: which status codes are heuristically cacheable.
func TestHeuristicStatus(t *testing.T) {
	cacheable := map[int]bool{200: true, 203: true, 204: true, 300: true, 301: true, 308: true, 404: true, 405: true, 410: true, 414: true, 451: true, 501: true}
	for status := 100; status < 600; status++ {
		if heuristicallyCacheable(status) != cacheable[status] {
			t.Errorf("%d", status)
		}
		if cacheable[status] && !understood(status) {
			t.Errorf("%d is cacheable but not understood", status)
		}
		if ofThisRequest(status) && understood(status) {
			t.Errorf("%d is understood but never stored", status)
		}
	}
}

// RFC 9111 section 4.2.1: the first match counts.
func TestLifetime(t *testing.T) {
	const (
		hour      = "|Expires: Sun, 06 Nov 1994 09:49:37 GMT"
		yesterday = "|Last-Modified: Sat, 05 Nov 1994 08:49:37 GMT"
	)
	for _, row := range []struct {
		rule, response string
		want           int64
	}{
		{"s-maxage, max-age, Expires", "200|Cache-Control: max-age=60, s-maxage=70|" + date0 + hour, 70},
		{"s-maxage less", "200|Cache-Control: s-maxage=7, max-age=60", 7},
		{"max-age, Expires", "200|Cache-Control: max-age=60|" + date0 + hour, 60},
		{"max-age 0, Expires", "200|ETag: \"a\"|Cache-Control: max-age=0|" + date0 + hour, 0},
		{"max-age, bad Expires", "200|Cache-Control: max-age=60|Expires: 0", 60},
		{"Expires", "200|" + date0 + hour, 3600},
		{"Expires without Date", "200" + hour, 3600},
		{"Expires by the backend's clock", "200|Date: Sun, 06 Nov 1994 08:39:37 GMT" + hour, 4200},
		{"Expires, bad Date", "200|Date: foo" + hour, 3600},
		{"Expires twice the same", "200|" + date0 + hour + hour, 3600},
		{"Expires in RFC 850 form", "200|" + date0 + "|Expires: Sunday, 06-Nov-94 09:49:37 GMT", 3600},
		{"Expires in asctime form", "200|" + date0 + "|Expires: Sun Nov  6 09:49:37 1994", 3600},
		{"Expires far away", "200|" + date0 + "|Expires: Fri, 31 Dec 9999 23:59:59 GMT", maxDelta},
		{"CDN-Cache-Control", "200|CDN-Cache-Control: max-age=5|Cache-Control: s-maxage=60|" + date0 + hour, 5},
		{"huge", "200|Cache-Control: max-age=99999999999999999999", maxDelta},
		{"heuristic: a tenth", "200|" + date0 + yesterday, 8640},
		{"heuristic: bounded", "200|" + date0 + "|Last-Modified: Wed, 06 Nov 1974 08:49:37 GMT", day},
		{"heuristic: by arrival without Date", "200" + yesterday, 8640},
		{"heuristic: with public", "299|Cache-Control: public|" + date0 + yesterday, 8640},
		{"heuristic: 404", "404|" + date0 + yesterday, 8640},
		{"heuristic: with other directives", "200|Cache-Control: no-transform|" + date0 + yesterday, 8640},

		// Not fresh.
		{"Expires: 0", "200|ETag: \"a\"|" + date0 + "|Expires: 0", 0},
		{"Expires: -1", "200|ETag: \"a\"|" + date0 + "|Expires: -1", 0},
		{"Expires empty", "200|ETag: \"a\"|" + date0 + "|Expires: ", 0},
		{"Expires of another zone", "200|ETag: \"a\"|" + date0 + "|Expires: Sun, 06 Nov 1994 09:49:37 EST", 0},
		{"Expires is Date", "200|ETag: \"a\"|" + date0 + "|Expires: Sun, 06 Nov 1994 08:49:37 GMT", 0},
		{"Expires past", "200|ETag: \"a\"|" + date0 + "|Expires: Sun, 06 Nov 1994 08:49:36 GMT", 0},
		{"Expires twice", "200|ETag: \"a\"|" + date0 + hour + "|Expires: Sun, 06 Nov 1994 08:59:37 GMT", 0},
		{"Expires twice, once bad", "200|ETag: \"a\"|" + date0 + hour + "|Expires: 0", 0},
		{"bad max-age, Expires", "200|ETag: \"a\"|Cache-Control: max-age=a|" + date0 + hour, 0},
		{"bad s-maxage, max-age", "200|ETag: \"a\"|Cache-Control: max-age=60, s-maxage=1.5", 0},
		{"max-age twice", "200|ETag: \"a\"|Cache-Control: max-age=60, max-age=70", 0},
		{"no heuristic with an explicit time", "200|Expires: 0|" + date0 + yesterday, 0},
		{"no heuristic with a bad max-age", "200|Cache-Control: max-age=a|" + date0 + yesterday, 0},
		{"no heuristic without Last-Modified", "200|ETag: \"a\"|" + date0, 0},
		{"no heuristic: modified after Date", "200|" + date0 + "|Last-Modified: Mon, 07 Nov 1994 08:49:37 GMT", 0},
		{"no heuristic: bad Last-Modified", "200|ETag: \"a\"|" + date0 + "|Last-Modified: foo", 0},
		{"no Expires with CDN-Cache-Control", "200|ETag: \"a\"|CDN-Cache-Control: none|" + date0 + hour, 0},
	} {
		if got := stored(t, row.response).lifetime; got != row.want {
			t.Errorf("%s: %q: %d, want %d", row.rule, row.response, got, row.want)
		}
	}
}

// RFC 9111 section 4.2.3.
func TestInitialAge(t *testing.T) {
	for _, row := range []struct {
		rule, response string
		delay          int64
		want           int64
	}{
		{"no Age, no Date", "200", 0, 0},
		{"age_value", "200|Age: 30|" + date0, 0, 30 * second},
		{"response_delay", "200|" + date0, 3 * second, 3 * second},
		{"corrected_age_value", "200|Age: 30|" + date0, 3 * second / 2, 63 * second / 2},
		{"apparent_age", "200|Date: Sun, 06 Nov 1994 08:49:27 GMT", 0, 10 * second},
		{"apparent_age is more", "200|Age: 5|Date: Sun, 06 Nov 1994 08:49:27 GMT", second, 10 * second},
		{"apparent_age is less", "200|Age: 15|Date: Sun, 06 Nov 1994 08:49:27 GMT", second, 16 * second},
		{"Date in the future", "200|Date: Sun, 06 Nov 1994 08:59:27 GMT", 0, 0},
		{"Date long ago", "200|Date: Mon, 01 Jan 0001 00:00:00 GMT", 0, maxDelta * second},
		{"Date twice", "200|Date: Sun, 06 Nov 1994 08:49:27 GMT|Date: Sun, 06 Nov 1994 08:49:28 GMT", 0, 0},
		// Section 5.1: the first member counts, and is ignored if invalid.
		{"Age list", "200|Age: 30, 60", 0, 30 * second},
		{"Age lines", "200|Age: 30|Age: 60", 0, 30 * second},
		{"Age invalid", "200|Age: foo", 0, 0},
		{"Age invalid", "200|Age: -5", 0, 0},
		{"Age invalid", "200|Age: 1.5", 0, 0},
		{"Age invalid first", "200|Age: foo, 60", 0, 0},
		{"Age empty", "200|Age: ", 0, 0},
		{"Age huge", "200|Age: 99999999999999999999", 0, maxDelta * second},
		{"clock went back", "200|" + date0, -5 * second, 0},
	} {
		h := &response(t, row.response).Headers
		o := readOrigin(h, t0/second)
		if got := initialAge(h, &o, Times{Request: t0 - row.delay, Response: t0}); got != row.want {
			t.Errorf("%s: %q: %d, want %d", row.rule, row.response, got, row.want)
		}
	}
}

// How long an entry is worth its room.
func TestKept(t *testing.T) {
	p := Policy{HeuristicMax: day, Keep: 100, StaleIfUnreachable: 10}
	for _, row := range []struct {
		response    string
		fresh, keep int64
	}{
		{"200|Cache-Control: max-age=60", 60, 160},
		{"200|Cache-Control: max-age=60|Age: 50", 10, 110},
		{"200|Cache-Control: max-age=60, must-revalidate", 60, 60},
		{"200|Cache-Control: max-age=60, must-revalidate|ETag: \"a\"", 60, 160},
		{"200|Cache-Control: s-maxage=60", 60, 60},
		{"200|Cache-Control: max-age=60, stale-if-error=500", 60, 560},
		{"200|Cache-Control: max-age=60, stale-while-revalidate=500, must-revalidate", 60, 60},
		{"200|Cache-Control: max-age=60, no-cache|ETag: \"a\"", 0, 160},
		{"200|Cache-Control: max-age=0|ETag: \"a\"", 0, 100},
		{"200|Cache-Control: max-age=60|Age: 1000|ETag: \"a\"", 0, 100},
		{"200|Cache-Control: max-age=0, stale-while-revalidate=5", 0, 5},
		{"200|Cache-Control: max-age=10, stale-while-revalidate=5|Age: 12", 0, 3},
	} {
		_, a := Admit(nil, get(t, ""), response(t, row.response), at0, &p)
		if a.Refused != Admitted || a.FreshFor != row.fresh*second || a.KeepFor != row.keep*second {
			t.Errorf("%q: %+v, want %d, %d", row.response, a, row.fresh, row.keep)
		}
	}
	capped := Policy{MaxLifetime: 5}
	if _, a := Admit(nil, get(t, ""), response(t, "200|Cache-Control: max-age=60"), at0, &capped); a.FreshFor != 5*second {
		t.Errorf("bounded lifetime: %+v", a)
	}
}

// RFC 9111 section 3.1: all fields but...
func TestStoredFields(t *testing.T) {
	for _, row := range []struct{ rule, response, want string }{
		{"unrecognised, casing, order, duplicates", "X-A: 1|x-B:2|X-A:  3 |set-COOKIE2: c|" + date0 + "|X-Empty:", "X-A: 1|x-B:2|X-A:  3 |set-COOKIE2: c|" + date0 + "|X-Empty:"},
		{"Connection and what it lists", date0 + "|Connection: X-A, close|X-A: 1|x-a: 2|X-B: 3|Connection: X-C|x-c: 4", date0 + "|X-B: 3"},
		{"fields of one connection", "Keep-Alive: a|Proxy-Connection: a|TE: a|Trailer: a|Upgrade: a|" + date0, date0},
		{"fields of one proxy", "Proxy-Authenticate: a|Proxy-Authentication-Info: a|Proxy-Authorization: a|" + date0, date0},
		{"fields that answers have of their own", "Age: 3|Content-Length: 5|Content-Range: bytes 0-1/2|" + date0, date0},
		{"chunked is of one connection", "Transfer-Encoding: chunked|" + date0, date0},
		{"no Date", "X-A: 1", "X-A: 1|" + date0},
		{"bad Date", "Date: foo|X-A: 1", "X-A: 1|" + date0},
		{"Cache-Control, Expires, Pragma, CDN-Cache-Control", date0 + "|Expires: 0|Pragma: no-cache|CDN-Cache-Control: max-age=60", date0 + "|Expires: 0|Pragma: no-cache|CDN-Cache-Control: max-age=60"},
		{"Cache-Status of caches before us", date0 + "|Cache-Status: Origin; hit", date0 + "|Cache-Status: Origin; hit"},
	} {
		s := stored(t, "200|Cache-Control: max-age=60|"+row.response)
		if got := strings.TrimPrefix(bar(string(s.Fields)), "Cache-Control: max-age=60|"); got != row.want {
			t.Errorf("%s: %q, want %q", row.rule, got, row.want)
		}
	}
	for _, row := range []struct{ rule, control, want string }{
		{"no-cache, qualified", `max-age=60, no-cache="x-a"`, "X-B: 2|"},
		{"private, qualified", `max-age=60, private="X-A, X-B"`, ""},
		{"both", `max-age=60, private="X-A", no-cache="x-b"`, ""},
		{"token form", "max-age=60, no-cache=x-a", "X-B: 2|"},
		{"fields that are not there", `max-age=60, no-cache="x-c"`, "X-A: 1|X-B: 2|"},
	} {
		s := stored(t, "200|Cache-Control: "+row.control+"|X-A: 1|X-B: 2|"+date0)
		if got := bar(string(s.Fields)); got != "Cache-Control: "+row.control+"|"+row.want+date0 {
			t.Errorf("%s: %q", row.rule, got)
		}
	}
	s := stored(t, "200|CDN-Cache-Control: max-age=60, private=\"x-a\"|X-A: 1|X-B: 2|"+date0)
	if strings.Contains(string(s.Fields), "X-A: 1") || !strings.Contains(string(s.Fields), "X-B: 2") {
		t.Errorf("qualified in CDN-Cache-Control: %q", s.Fields)
	}
}
