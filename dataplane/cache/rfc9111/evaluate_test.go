package rfc9111

import "testing"

// at evaluates a request so many seconds after the response came.
func at(t *testing.T, text, requestFields string, seconds int64) Decision {
	t.Helper()
	return Evaluate(stored(t, text), get(t, requestFields), t0+seconds*second)
}

// RFC 9111 sections 4 and 5.2; RFC 5861; RFC 9211 section 2.2.
func TestEvaluate(t *testing.T) {
	const (
		sixty = "200|Cache-Control: max-age=60"
		swr   = "200|Cache-Control: max-age=60, stale-while-revalidate=30"
	)
	for _, row := range []struct {
		rule, response, request string
		after                   int64
		action                  Action
		forward                 Forward
	}{
		{"4.2: fresh", sixty, "", 0, Serve, 0},
		{"4.2: fresh", sixty, "", 59, Serve, 0},
		{"4.2: fresh while lifetime > age", sixty, "", 60, Validate, ForwardStale},
		{"4.2.3: with the initial age", sixty + "|Age: 50", "", 9, Serve, 0},
		{"4.2.3: with the initial age", sixty + "|Age: 50", "", 10, Validate, ForwardStale},
		{"4.2.3: the clock went back", sixty, "", -100, Serve, 0},
		{"4.2.4: stale", sixty, "", 1000, Validate, ForwardStale},

		{"5.2.2.4: no-cache", "200|ETag: \"a\"|Cache-Control: max-age=60, no-cache", "", 1, Validate, ForwardStale},
		{"5.2.2.4: no-cache beats max-stale", "200|ETag: \"a\"|Cache-Control: no-cache", "Cache-Control: max-stale", 1, Validate, ForwardStale},
		{"5.2.2.4: no-cache, qualified", `200|Cache-Control: max-age=60, no-cache="x"`, "", 1, Serve, 0},
		{"5.2.2.2: must-revalidate, fresh", "200|Cache-Control: max-age=60, must-revalidate", "", 1, Serve, 0},
		{"5.2.2.2: must-revalidate beats max-stale", "200|ETag: \"a\"|Cache-Control: max-age=60, must-revalidate", "Cache-Control: max-stale", 61, Validate, ForwardStale},
		{"5.2.2.8: proxy-revalidate beats max-stale", "200|ETag: \"a\"|Cache-Control: max-age=60, proxy-revalidate", "Cache-Control: max-stale", 61, Validate, ForwardStale},
		{"5.2.2.10: s-maxage beats max-stale", "200|ETag: \"a\"|Cache-Control: s-maxage=60", "Cache-Control: max-stale", 61, Validate, ForwardStale},
		{"5.2.2.10: s-maxage beats stale-while-revalidate", "200|ETag: \"a\"|Cache-Control: s-maxage=60, stale-while-revalidate=60", "", 61, Validate, ForwardStale},

		{"5.2.1.1: max-age, younger", sixty, "Cache-Control: max-age=10", 5, Serve, 0},
		{"5.2.1.1: max-age, as old", sixty, "Cache-Control: max-age=10", 10, Serve, 0},
		{"5.2.1.1: max-age, older", sixty, "Cache-Control: max-age=10", 11, Validate, ForwardRequest},
		{"5.2.1.1: max-age=0", sixty, "Cache-Control: max-age=0", 1, Validate, ForwardRequest},
		{"5.2.1.1: max-age makes nothing fresher", sixty, "Cache-Control: max-age=100", 61, Validate, ForwardStale},
		{"5.2.1.1: max-age wants nothing stale", swr, "Cache-Control: max-age=100", 61, Validate, ForwardStale},
		{"5.2.1.1: max-age with max-stale", sixty, "Cache-Control: max-age=100, max-stale=10", 61, ServeStale, 0},
		{"5.2.1.1: max-age beats max-stale", sixty, "Cache-Control: max-age=10, max-stale=100", 61, Validate, ForwardStale},
		{"5.2.1.1: unreadable", sixty, "Cache-Control: max-age=a", 1, Validate, ForwardRequest},
		{"5.2.1.2: max-stale, within", sixty, "Cache-Control: max-stale=10", 70, ServeStale, 0},
		{"5.2.1.2: max-stale, beyond", sixty, "Cache-Control: max-stale=10", 71, Validate, ForwardStale},
		{"5.2.1.2: max-stale, any", sixty, "Cache-Control: max-stale", 99999, ServeStale, 0},
		{"5.2.1.2: max-stale, unreadable", sixty, "Cache-Control: max-stale=a", 61, Validate, ForwardStale},
		{"5.2.1.3: min-fresh, enough", sixty, "Cache-Control: min-fresh=10", 50, Serve, 0},
		{"5.2.1.3: min-fresh, too little", sixty, "Cache-Control: min-fresh=10", 51, Validate, ForwardRequest},
		{"5.2.1.3: min-fresh, unreadable", sixty, "Cache-Control: min-fresh=a", 1, Validate, ForwardRequest},
		{"5.2.1.3: min-fresh beats stale-while-revalidate", swr, "Cache-Control: min-fresh=1", 61, Validate, ForwardStale},
		{"5.2.1.4: no-cache", sixty, "Cache-Control: no-cache", 1, Validate, ForwardRequest},
		{"5.2.1.4: no-cache on a stale one", sixty, "Cache-Control: no-cache, max-stale", 61, Validate, ForwardStale},
		{"5.4: Pragma", sixty, "Pragma: no-cache", 1, Validate, ForwardRequest},
		{"5.4: Pragma with Cache-Control", sixty, "Pragma: no-cache|Cache-Control: foo", 1, Serve, 0},
		{"5.2.1.5: no-store is about storing", sixty, "Cache-Control: no-store", 1, Serve, 0},
		{"5.2.1.7: only-if-cached, fresh", sixty, "Cache-Control: only-if-cached", 1, Serve, 0},
		{"5.2.1.7: only-if-cached, stale", sixty, "Cache-Control: only-if-cached", 61, GatewayTimeout, 0},
		{"5.2.1.7: only-if-cached, max-stale", sixty, "Cache-Control: only-if-cached, max-stale", 61, ServeStale, 0},
		{"5.2.1.7: only-if-cached, no-cache", sixty, "Cache-Control: only-if-cached, no-cache", 1, GatewayTimeout, 0},
		{"5.2.3: unknown directives", sixty, "Cache-Control: foo, bar=\"no-cache\"", 1, Serve, 0},

		{"5861.3: fresh", swr, "", 59, Serve, 0},
		{"5861.3: within", swr, "", 60, ServeRevalidating, 0},
		{"5861.3: within", swr, "", 90, ServeRevalidating, 0},
		{"5861.3: beyond", swr, "", 91, Validate, ForwardStale},
		{"5861.3: must-revalidate", swr + ", must-revalidate|ETag: \"a\"", "", 61, Validate, ForwardStale},
		{"5861.3: no-cache asked", swr, "Cache-Control: no-cache", 61, Validate, ForwardStale},
		{"5861.3: unreadable", "200|Cache-Control: max-age=60, stale-while-revalidate=a", "", 61, Validate, ForwardStale},
		{"5861.3: in CDN-Cache-Control", "200|CDN-Cache-Control: max-age=60, stale-while-revalidate=30", "", 61, ServeRevalidating, 0},
		{"8246: immutable, no-cache asked", "200|Cache-Control: max-age=60, immutable", "Cache-Control: no-cache", 1, Validate, ForwardRequest},
		{"4.3.2: conditions of the client do not forward", sixty + "|ETag: \"a\"", "If-None-Match: \"b\"", 1, Serve, 0},
		{"3.5: a stored response answers with Authorization too", sixty, "Authorization: a", 1, Serve, 0},
	} {
		d := at(t, row.response, row.request, row.after)
		if d.Action != row.action || d.Forward != row.forward {
			t.Errorf("%s: %q, %q after %d: action %d, fwd=%v; want %d, %v", row.rule, row.response, row.request, row.after, d.Action, d.Forward, row.action, row.forward)
		}
	}
	if d := at(t, sixty, "", 10); d.TTL != 50 {
		t.Errorf("ttl %d", d.TTL)
	}
	if d := at(t, sixty, "Cache-Control: max-stale", 70); d.TTL != -10 {
		t.Errorf("ttl %d", d.TTL)
	}
}

func TestAbsent(t *testing.T) {
	if d := Absent(get(t, ""), ForwardVaryMiss); d.Action != Fetch || d.Forward != ForwardVaryMiss {
		t.Errorf("%+v", d)
	}
	if d := Absent(get(t, "Cache-Control: only-if-cached"), ForwardURIMiss); d.Action != GatewayTimeout || d.Forward != NotForwarded {
		t.Errorf("only-if-cached: %+v", d)
	}
}

// RFC 9111 sections 4 and 4.3.2; RFC 9110 section 9.2.
func TestForwarded(t *testing.T) {
	for _, row := range []struct {
		method, fields string
		want           Forward
		invalidates    bool
	}{
		{"GET", "", NotForwarded, false},
		{"HEAD", "", NotForwarded, false},
		{"OPTIONS", "", ForwardMethod, false},
		{"TRACE", "", ForwardMethod, false},
		{"POST", "", ForwardMethod, true},
		{"PUT", "", ForwardMethod, true},
		{"DELETE", "", ForwardMethod, true},
		{"PATCH", "", ForwardMethod, true},
		{"FOO", "", ForwardMethod, true}, // safety unknown
		{"get", "", ForwardMethod, true},
		{"GET", "Content-Length: 1", ForwardBypass, false},
		{"GET", "Content-Length: 0", NotForwarded, false},
		{"GET", "Transfer-Encoding: chunked", ForwardBypass, false},
		{"GET", "X-HTTP-Method-Override: PUT", ForwardBypass, false},
		{"GET", "If-Match: *", ForwardBypass, false},
		{"GET", "If-Unmodified-Since: foo", ForwardBypass, false},
		{"GET", "If-None-Match: *|If-Modified-Since: a|Range: b|If-Range: c|Authorization: d", NotForwarded, false},
	} {
		q := request(t, row.method, row.fields)
		if got := q.Forwarded(); got != row.want {
			t.Errorf("%s %q: %v", row.method, row.fields, got)
		}
		for status, nonError := range map[int]bool{200: true, 204: true, 302: true, 399: true, 400: false, 404: false, 500: false, 101: false} {
			if got := q.Invalidates(status); got != (nonError && row.invalidates) {
				t.Errorf("%s, status %d: %v", row.method, status, got)
			}
		}
	}
	for fields, want := range map[string]bool{"": true, "Range: bytes=0-1": false, "If-None-Match: a": false, "If-Modified-Since: a": false, "Cache-Control: no-store": false, "Cache-Control: no-cache": true} {
		if got := get(t, fields).MayLead(); got != want {
			t.Errorf("%q may lead: %v", fields, got)
		}
	}
	if request(t, "HEAD", "").MayLead() {
		t.Error("HEAD leads")
	}
}
