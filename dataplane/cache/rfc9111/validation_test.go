package rfc9111

import (
	"testing"

	"github.com/tidegate/tidegate/dataplane/http1"
)

const (
	lastModified = "Last-Modified: Sun, 06 Nov 1994 08:00:00 GMT"
	modifiedOnce = "Last-Modified: Sun, 06 Nov 1994 08:00:01 GMT"
)

// RFC 9111 section 4.3.1.
func TestAppendConditionals(t *testing.T) {
	const cc = "200|Cache-Control: max-age=60|"
	for _, row := range []struct{ rule, response, want string }{
		{"MUST send the entity tag", cc + `ETag: "a"`, `If-None-Match: "a"`},
		{"as it is: weak", cc + `ETag: W/"a"`, `If-None-Match: W/"a"`},
		{"as it is: unquoted", cc + "ETag: a", "If-None-Match: a"},
		{"SHOULD send Last-Modified", cc + lastModified, "If-Modified-Since: Sun, 06 Nov 1994 08:00:00 GMT"},
		{"as it is: in another form", cc + "Last-Modified: Sunday, 06-Nov-94 08:00:00 GMT", "If-Modified-Since: Sunday, 06-Nov-94 08:00:00 GMT"},
		{"both", cc + `etag:   "a" |` + lastModified, `If-None-Match: "a"|If-Modified-Since: Sun, 06 Nov 1994 08:00:00 GMT`},
		{"no validator", cc + date0, ""},
		{"no date", cc + "Last-Modified: foo", ""},
		{"two tags are none", cc + `ETag: "a"|ETag: "b"`, ""},
		{"a list is no tag", cc + `ETag: "a", "b"`, ""},
		{"an empty tag is none", cc + "ETag: ", ""},
		{"two dates are none", cc + lastModified + "|" + lastModified, ""},
		{"a withheld tag is none", `200|Cache-Control: max-age=60, private="etag"|ETag: "a"`, ""},
		{"nor one for one hop", cc + "Connection: etag|ETag: \"a\"", ""},
	} {
		if got := bar(string(stored(t, row.response).AppendConditionals(nil))); got != row.want {
			t.Errorf("%s: %q, want %q", row.rule, got, row.want)
		}
	}
	for _, id := range []http1.ID{http1.IfNoneMatch, http1.IfModifiedSince, http1.IfRange, http1.Range} {
		if !Conditionals.Has(id) {
			t.Errorf("id %d of the client is forwarded", id)
		}
	}
}

// RFC 9111 section 4.3.3: handling a validation response.
func TestOnResponse(t *testing.T) {
	const (
		cc     = "200|Cache-Control: max-age=60|"
		tagged = cc + `ETag: "a"`
		weak   = cc + `ETag: W/"a"`
		both   = tagged + "|" + lastModified
		dated  = cc + lastModified
		sie    = `200|Cache-Control: max-age=60, stale-if-error=30|ETag: "a"`
	)
	for _, row := range []struct {
		rule, response, request, answer string
		want                            Outcome
	}{
		// Section 4.3.4: the first match of...
		{"strong: same", tagged, "", `304|ETag: "a"`, Freshen},
		{"strong: another", tagged, "", `304|ETag: "b"`, Refetch},
		{"strong: stored is weak", weak, "", `304|ETag: "a"`, Refetch},
		{"strong: nothing stored", dated, "", `304|ETag: "a"|` + lastModified, Refetch},
		{"strong decides alone", both, "", `304|ETag: "a"|` + modifiedOnce, Freshen},
		{"strong decides alone", both, "", `304|ETag: "b"|` + lastModified, Refetch},
		{"weak: same", weak, "", `304|ETag: W/"a"`, Freshen},
		{"weak: stored is strong", tagged, "", `304|ETag: W/"a"`, Freshen},
		{"weak: another", weak, "", `304|ETag: W/"b"`, Refetch},
		{"weak: the date", dated, "", "304|" + lastModified, Freshen},
		{"weak: another date", dated, "", "304|" + modifiedOnce, Refetch},
		{"weak: the date without the tag", both, "", "304|" + lastModified, Freshen},
		{"none, and none stored", cc + date0, "", "304", Freshen},
		{"none: it can only mean ours", both, "", "304", Freshen},

		{"a full response replaces", tagged, "", "200", Replace},
		{"a full response replaces", tagged, "", "204", Replace},
		{"a redirection replaces", tagged, "", "302", Replace},
		{"gone", tagged, "", "404", Replace},
		{"gone", tagged, "", "410", Replace},
		{"other errors say nothing about it", tagged, "", "403", Pass},
		{"other errors say nothing about it", tagged, "", "429", Pass},
		{"5xx is forwarded", tagged, "", "500", Pass},
		{"5xx is forwarded", tagged, "", "503", Pass},

		// RFC 5861 section 4.
		{"stale-if-error", sie, "", "500", UseStale},
		{"stale-if-error", sie, "", "502", UseStale},
		{"stale-if-error", sie, "", "503", UseStale},
		{"stale-if-error", sie, "", "504", UseStale},
		{"stale-if-error is for four codes", sie, "", "501", Pass},
		{"stale-if-error is for four codes", sie, "", "404", Replace},
		{"stale-if-error in the request", tagged, "Cache-Control: stale-if-error=30", "503", UseStale},
		{"stale-if-error in the request, less", tagged, "Cache-Control: stale-if-error=5", "503", Pass},
		{"stale-if-error, the longer", sie, "Cache-Control: stale-if-error=5", "503", UseStale},
		{"stale-if-error, must-revalidate", `200|Cache-Control: max-age=60, stale-if-error=30, must-revalidate|ETag: "a"`, "", "503", Pass},
		{"stale-if-error, s-maxage", `200|Cache-Control: s-maxage=60, stale-if-error=30|ETag: "a"`, "", "503", Pass},
		{"stale-if-error, no-cache", `200|Cache-Control: no-cache, stale-if-error=30|ETag: "a"`, "", "503", Pass},
		{"stale-if-error too long ago", `200|Cache-Control: max-age=50, stale-if-error=5|ETag: "a"`, "", "503", Pass},
	} {
		s, r := stored(t, row.response), response(t, row.answer)
		if got := s.OnResponse(get(t, row.request), r, 10, t0+70*second); got != row.want {
			t.Errorf("%s: %q, answered %q: %d, want %d", row.rule, row.response, row.answer, got, row.want)
		}
	}
}

// RFC 9111 section 4.3.5: freshening with HEAD.
func TestOnResponseToHead(t *testing.T) {
	const both = "200|Cache-Control: max-age=60|" + `ETag: "a"|` + lastModified
	for _, row := range []struct {
		rule, response, answer string
		want                   Outcome
	}{
		{"same validators and length", both, `200|ETag: "a"|` + lastModified + "|Content-Length: 10", FreshenHead},
		{"nothing received differs", both, "200", FreshenHead},
		{"same tag", both, `200|ETag: "a"`, FreshenHead},
		{"another tag", both, `200|ETag: "b"|` + lastModified + "|Content-Length: 10", Replace},
		{"another tag: weak", both, `200|ETag: W/"a"`, Replace},
		{"another date", both, `200|ETag: "a"|` + modifiedOnce, Replace},
		{"another length", both, `200|ETag: "a"|` + lastModified + "|Content-Length: 11", Replace},
		{"a validator that is not stored", "200|Cache-Control: max-age=60", `200|ETag: "a"`, Replace},
		{"only the length", "200|Cache-Control: max-age=60", "200|Content-Length: 10", FreshenHead},
		{"another status stored", "404|Cache-Control: max-age=60", "200|Content-Length: 10", Replace},
		{"not modified", both, `304|ETag: "a"`, Freshen},
		{"gone", both, "404", Replace},
		{"error", both, "503", Pass},
	} {
		s, r := stored(t, row.response), response(t, row.answer)
		if got := s.OnResponse(request(t, "HEAD", ""), r, 10, t0+70*second); got != row.want {
			t.Errorf("%s: %q, answered %q: %d, want %d", row.rule, row.response, row.answer, got, row.want)
		}
	}
}

// RFC 9111 sections 4.2.4 and 5.2.2.2: a cache that is disconnected.
func TestOnFailure(t *testing.T) {
	unreachable := Policy{Keep: day, StaleIfUnreachable: 20}
	for _, row := range []struct {
		rule, response, request string
		after                   int64
		policy                  Policy
		want                    Outcome
	}{
		{"disconnected", "200|Cache-Control: max-age=60", "", 70, unreachable, UseStale},
		{"disconnected for long", "200|Cache-Control: max-age=60", "", 81, unreachable, Pass},
		{"not allowed", "200|Cache-Control: max-age=60", "", 70, Policy{Keep: day}, Pass},
		{"not wanted", "200|Cache-Control: max-age=60", "Cache-Control: no-cache", 10, unreachable, Pass},
		{"stale-if-error", "200|Cache-Control: max-age=60, stale-if-error=20", "", 70, Policy{Keep: day}, UseStale},
		{"stale-if-error in the request", "200|Cache-Control: max-age=60", "Cache-Control: no-cache, stale-if-error=20", 70, Policy{Keep: day}, UseStale},
		{"must-revalidate", `200|Cache-Control: max-age=60, must-revalidate|ETag: "a"`, "", 70, unreachable, Unanswerable},
		{"must-revalidate, stale-if-error", `200|Cache-Control: max-age=60, must-revalidate, stale-if-error=20|ETag: "a"`, "", 70, unreachable, Unanswerable},
		{"proxy-revalidate", `200|Cache-Control: max-age=60, proxy-revalidate|ETag: "a"`, "", 70, unreachable, Unanswerable},
		{"s-maxage", `200|Cache-Control: s-maxage=60|ETag: "a"`, "", 70, unreachable, Unanswerable},
		{"no-cache", `200|Cache-Control: no-cache|ETag: "a"`, "", 1, unreachable, Unanswerable},
		{"must-revalidate, still fresh", `200|Cache-Control: max-age=60, must-revalidate|ETag: "a"`, "Cache-Control: max-age=5", 10, unreachable, UseStale},
	} {
		if got := stored(t, row.response).OnFailure(get(t, row.request), t0+row.after*second, &row.policy); got != row.want {
			t.Errorf("%s: %d, want %d", row.rule, got, row.want)
		}
	}
}

// RFC 9111 section 3.2: the fields of the new response replace the stored ones.
func TestUpdate(t *testing.T) {
	const (
		cc    = "Cache-Control: max-age=60"
		date1 = "Date: Sun, 06 Nov 1994 08:51:17 GMT" // t0 + 100 s
	)
	for _, row := range []struct{ rule, stored, answer, want string }{
		{"nothing new but the date", cc + "|X-A: 1", "304", cc + "|X-A: 1|" + date1},
		{"the date", cc + "|" + date0, "304|" + date1, cc + "|" + date1},
		{"a new field", cc + "|X-A: 1", "304|X-B: 2|" + date1, cc + "|X-A: 1|X-B: 2|" + date1},
		{"a field that is there", cc + "|X-A: 1", "304|x-a: 2|" + date1, cc + "|x-a: 2|" + date1},
		{"all lines of a field", cc + "|X-A: 1|X-B: 2|X-A: 3", "304|X-A: 4|X-A: 5|" + date1, cc + "|X-B: 2|X-A: 4|X-A: 5|" + date1},
		{"Cache-Control", cc, "304|Cache-Control: max-age=70|" + date1, "Cache-Control: max-age=70|" + date1},
		{"Content-Type and Content-Encoding too", cc + "|Content-Type: a|Content-Encoding: b", "304|Content-Type: c|Content-Encoding: d|" + date1, cc + "|Content-Type: c|Content-Encoding: d|" + date1},
		{"not Content-Length", cc, "304|Content-Length: 99|" + date1, cc + "|" + date1},
		{"not Content-Range", cc, "304|Content-Range: bytes 0-1/2|" + date1, cc + "|" + date1},
		{"not what is never stored", cc, "304|Connection: X-B|X-B: 1|Keep-Alive: 1|Proxy-Authentication-Info: 1|Proxy-Authenticate: 1|" + date1, cc + "|" + date1},
		{"nor does that remove anything", cc + "|X-B: 1", "304|Connection: x-b|X-B: 2|" + date1, cc + "|X-B: 1|" + date1},
		{"not cookies", cc, "304|Set-Cookie: a=b|" + date1, cc + "|" + date1},
		{"not what is withheld", cc, `304|Cache-Control: max-age=60, no-cache="x-b"|X-B: 1|` + date1, `Cache-Control: max-age=60, no-cache="x-b"|` + date1},
		{"what is withheld is removed", cc + "|X-B: 1", `304|Cache-Control: max-age=60, private="x-b"|` + date1, `Cache-Control: max-age=60, private="x-b"|` + date1},
		{"Vary", cc, "304|Vary: a|" + date1, cc + "|Vary: a|" + date1},
	} {
		s := stored(t, "200|"+row.stored)
		times := Times{Request: t0 + 100*second, Response: t0 + 100*second}
		meta, a := s.Update(nil, get(t, ""), response(t, row.answer), times, &DefaultPolicy)
		u, ok := Decode(meta)
		if !ok || a.Refused != Admitted {
			t.Errorf("%s: refused: %d", row.rule, a.Refused)
			continue
		}
		if got := bar(string(u.Fields)); got != row.want || u.Status != 200 {
			t.Errorf("%s: %d %q, want %q", row.rule, u.Status, got, row.want)
		}
	}
}

// A freshened response has the age and the lifetime of the new one.
func TestUpdatedFreshness(t *testing.T) {
	s := stored(t, `404|Cache-Control: max-age=60|Age: 50|ETag: "a"|`+lastModified)
	later := Times{Request: t0 + 100*second, Response: t0 + 100*second}
	for _, row := range []struct {
		rule, request, answer string
		refused               Refusal
		ttl                   int64
	}{
		{"the age starts anew", "", "304", Admitted, 60},
		{"from the new Age", "", "304|Age: 20", Admitted, 40},
		{"with the new lifetime", "", "304|Cache-Control: max-age=100", Admitted, 100},
		{"no-store", "", "304|Cache-Control: no-store", RefusedNoStore, 0},
		{"private", "", "304|Cache-Control: private, max-age=60", RefusedPrivate, 0},
		{"Vary: *", "", "304|Vary: *", RefusedVary, 0},
		{"no-store asked", "Cache-Control: no-store", "304", RefusedNoStoreAsked, 0},
		{"Authorization", "Authorization: a", "304", RefusedAuthorization, 0},
		{"Authorization, public", "Authorization: a", "304|Cache-Control: public, max-age=5", Admitted, 5},
	} {
		meta, a := s.Update(nil, get(t, row.request), response(t, row.answer), later, &DefaultPolicy)
		if a.Refused != row.refused {
			t.Errorf("%s: refusal %d", row.rule, a.Refused)
			continue
		}
		if u, ok := Decode(meta); ok && (u.TTL(later.Response) != row.ttl || u.Status != 404 || string(u.entityTag) != `"a"` || !u.has(hasModified)) {
			t.Errorf("%s: ttl %d, status %d, tag %s", row.rule, u.TTL(later.Response), u.Status, u.entityTag)
		}
	}
	if _, a := s.Update(nil, request(t, "HEAD", ""), response(t, "200|Content-Length: 5"), later, &DefaultPolicy); a.Refused != Admitted {
		t.Errorf("by HEAD: %d", a.Refused)
	}
}
