package rfc9111

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"
)

const body = "0123456789"

// answer is the status of an answer, and "[part]" of the body.
func answer(s *Stored, q *Request) (status int, part string) {
	a := s.Answer(q, int64(len(body)))
	return a.Status, body[a.From:a.To]
}

// RFC 9110 sections 13.1.2, 13.1.3, 13.2.2 and 15.4.5; RFC 9111 section 4.3.2.
func TestAnswerConditions(t *testing.T) {
	const (
		both   = "200|Cache-Control: max-age=60|" + date0 + "|ETag: \"a\"|Last-Modified: Sun, 06 Nov 1994 08:00:00 GMT"
		tagged = "200|Cache-Control: max-age=60|" + date0 + "|ETag: \"a\""
		weak   = "200|Cache-Control: max-age=60|" + date0 + "|ETag: W/\"a\""
		dated  = "200|Cache-Control: max-age=60|" + date0 + "|Last-Modified: Sun, 06 Nov 1994 08:00:00 GMT"
		bare   = "200|Cache-Control: max-age=60|" + date0
	)
	for _, row := range []struct {
		rule, response, request string
		want                    int
	}{
		{"no condition", both, "", 200},
		{"the tag", tagged, `If-None-Match: "a"`, 304},
		{"another tag", tagged, `If-None-Match: "b"`, 200},
		{"in a list", tagged, `If-None-Match: "b", "a"`, 304},
		{"in a list without spaces", tagged, `If-None-Match: "b","a"`, 304},
		{"in another line", tagged, `If-None-Match: "b"|If-None-Match: "a"`, 304},
		{"with empty elements", tagged, `If-None-Match: , ,"a",`, 304},
		{"a comma inside", "200|Cache-Control: max-age=60|ETag: \"a,b\"", `If-None-Match: "a,b"`, 304},
		{"part of a tag", "200|Cache-Control: max-age=60|ETag: \"a\"", `If-None-Match: "x, a"`, 200},
		{"weak comparison: stored weak", weak, `If-None-Match: "a"`, 304},
		{"weak comparison: asked weak", tagged, `If-None-Match: W/"a"`, 304},
		{"weak comparison: both", weak, `If-None-Match: W/"a"`, 304},
		{"case matters", tagged, `If-None-Match: "A"`, 200},
		{"lower-case w", tagged, `If-None-Match: w/"a"`, 200},
		{"any", tagged, "If-None-Match: *", 304},
		{"any, none stored", bare, "If-None-Match: *", 304},
		{"any is not an element", tagged, `If-None-Match: *, "b"`, 200},
		{"empty tag", "200|Cache-Control: max-age=60|ETag: \"\"", `If-None-Match: ""`, 304},
		{"empty field", tagged, "If-None-Match: ", 200},
		{"none stored", bare, `If-None-Match: "a"`, 200},
		{"unquoted by both", "200|Cache-Control: max-age=60|ETag: a", "If-None-Match: a", 304},
		{"unquoted by the server", "200|Cache-Control: max-age=60|ETag: a", `If-None-Match: "a"`, 304},
		{"unquoted by the client", tagged, "If-None-Match: a", 304},
		{"unclosed", tagged, `If-None-Match: "a`, 200},
		{"two stored", "200|Cache-Control: max-age=60|ETag: \"a\"|ETag: \"b\"", `If-None-Match: "a"`, 200},

		{"same time", dated, "If-Modified-Since: Sun, 06 Nov 1994 08:00:00 GMT", 304},
		{"later", dated, "If-Modified-Since: Sun, 06 Nov 1994 08:00:01 GMT", 304},
		{"earlier", dated, "If-Modified-Since: Sun, 06 Nov 1994 07:59:59 GMT", 200},
		{"in another form", dated, "If-Modified-Since: Sunday, 06-Nov-94 08:00:00 GMT", 304},
		{"not a date", dated, "If-Modified-Since: foo", 200},
		{"twice", dated, "If-Modified-Since: Sun, 06 Nov 1994 08:00:00 GMT|If-Modified-Since: Sun, 06 Nov 1994 08:00:00 GMT", 200},
		{"none stored, Date earlier", bare, "If-Modified-Since: Sun, 06 Nov 1994 08:49:37 GMT", 304},
		{"none stored, Date later", bare, "If-Modified-Since: Sun, 06 Nov 1994 08:49:36 GMT", 200},
		{"none stored, received earlier", "200|Cache-Control: max-age=60", "If-Modified-Since: Sun, 06 Nov 1994 08:49:37 GMT", 304},

		{"If-None-Match alone counts", both, `If-None-Match: "b"|If-Modified-Since: Sun, 06 Nov 1994 08:00:00 GMT`, 200},
		{"If-None-Match alone counts", both, `If-None-Match: "a"|If-Modified-Since: Sun, 06 Nov 1994 07:00:00 GMT`, 304},
		{"If-None-Match alone counts", dated, `If-None-Match: "a"|If-Modified-Since: Sun, 06 Nov 1994 08:00:00 GMT`, 200},
		{"conditions before ranges", both, `If-None-Match: "a"|Range: bytes=0-1`, 304},

		{"only for success", "404|Cache-Control: max-age=60|ETag: \"a\"", `If-None-Match: "a"`, 404},
		{"only for success", "301|Cache-Control: max-age=60|Location: /|ETag: \"a\"", `If-None-Match: *`, 301},
	} {
		for _, method := range []string{"GET", "HEAD"} {
			got, part := answer(stored(t, row.response), request(t, method, row.request))
			if got != row.want || (part == body) != (got != 304 && method == "GET") {
				t.Errorf("%s: %s %q: %d %q, want %d", row.rule, method, row.request, got, part, row.want)
			}
		}
	}
}

// RFC 9110 sections 13.1.5, 14.1.2, 14.2 and 15.5.17.
func TestAnswerRange(t *testing.T) {
	const (
		base    = "200|Cache-Control: max-age=60|" + date0
		tagged  = base + "|ETag: \"a\""
		weak    = base + "|ETag: W/\"a\""
		dated   = base + "|Last-Modified: Sun, 06 Nov 1994 08:00:00 GMT"
		sameDay = base + "|Last-Modified: Sun, 06 Nov 1994 08:49:37 GMT" // weak: may change within the second
	)
	for _, row := range []struct {
		rule, response, request string
		want                    int
		part                    string
	}{
		{"first to last", base, "Range: bytes=2-4", 206, "234"},
		{"one byte", base, "Range: bytes=0-0", 206, "0"},
		{"to the end", base, "Range: bytes=7-", 206, "789"},
		{"the end", base, "Range: bytes=-3", 206, "789"},
		{"more than the end", base, "Range: bytes=-30", 206, body},
		{"beyond the end", base, "Range: bytes=7-99", 206, "789"},
		{"all", base, "Range: bytes=0-", 206, body},
		{"far beyond", base, "Range: bytes=7-99999999999999999999999", 206, "789"},
		{"unit in any case", base, "Range: Bytes=0-1", 206, "01"},
		{"empty elements", base, "Range: bytes=, 0-1 ,", 206, "01"},
		{"not there", base, "Range: bytes=10-", 416, ""},
		{"not there", base, "Range: bytes=99999999999999999999999-", 416, ""},
		{"nothing of the end", base, "Range: bytes=-0", 416, ""},
		{"several may be ignored", base, "Range: bytes=0-1,3-4", 200, body},
		{"another unit", base, "Range: lines=0-1", 200, body},
		{"backwards", base, "Range: bytes=4-2", 200, body},
		{"no number", base, "Range: bytes=-", 200, body},
		{"no number", base, "Range: bytes=a-b", 200, body},
		{"no hyphen", base, "Range: bytes=5", 200, body},
		{"negative", base, "Range: bytes=--5", 200, body},
		{"more behind", base, "Range: bytes=0-1x", 200, body},
		{"spaces", base, "Range: bytes = 0-1", 200, body},
		{"nothing", base, "Range: bytes=", 200, body},
		{"nothing", base, "Range: ", 200, body},
		{"two lines", base, "Range: bytes=0-1|Range: bytes=0-1", 200, body},
		{"only of 200", "404|Cache-Control: max-age=60", "Range: bytes=0-1", 404, body},

		{"If-Range: the tag", tagged, `Range: bytes=0-1|If-Range: "a"`, 206, "01"},
		{"If-Range: another", tagged, `Range: bytes=0-1|If-Range: "b"`, 200, body},
		{"If-Range: another, not there", tagged, `Range: bytes=99-|If-Range: "b"`, 200, body},
		{"If-Range: strong comparison", weak, `Range: bytes=0-1|If-Range: W/"a"`, 200, body},
		{"If-Range: strong comparison", tagged, `Range: bytes=0-1|If-Range: W/"a"`, 200, body},
		{"If-Range: strong comparison", weak, `Range: bytes=0-1|If-Range: "a"`, 200, body},
		{"If-Range: no list", tagged, `Range: bytes=0-1|If-Range: "a", "b"`, 200, body},
		{"If-Range: none stored", base, `Range: bytes=0-1|If-Range: "a"`, 200, body},
		{"If-Range: the date", dated, "Range: bytes=0-1|If-Range: Sun, 06 Nov 1994 08:00:00 GMT", 206, "01"},
		{"If-Range: a later date", dated, "Range: bytes=0-1|If-Range: Sun, 06 Nov 1994 08:00:01 GMT", 200, body},
		{"If-Range: a weak date", sameDay, "Range: bytes=0-1|If-Range: Sun, 06 Nov 1994 08:49:37 GMT", 200, body},
		{"If-Range: no date stored", base, "Range: bytes=0-1|If-Range: Sun, 06 Nov 1994 08:49:37 GMT", 200, body},
		{"If-Range: neither", tagged, "Range: bytes=0-1|If-Range: foo", 200, body},
		{"If-Range without Range", tagged, `If-Range: "b"`, 200, body},
	} {
		got, part := answer(stored(t, row.response), get(t, row.request))
		if got != row.want || part != row.part {
			t.Errorf("%s: %q: %d %q, want %d %q", row.rule, row.request, got, part, row.want, row.part)
		}
		// A server MUST ignore Range with other methods (section 14.2).
		if got, part := answer(stored(t, row.response), request(t, "HEAD", row.request)); got != stored(t, row.response).Status || part != "" {
			t.Errorf("%s: HEAD %q: %d %q", row.rule, row.request, got, part)
		}
	}
	if a := stored(t, base).Answer(get(t, "Range: bytes=-5"), 0); a.Status != 200 {
		t.Errorf("the end of nothing: %d", a.Status)
	}
	if a := stored(t, base).Answer(get(t, "Range: bytes=0-"), 0); a.Status != 416 {
		t.Errorf("the beginning of nothing: %d", a.Status)
	}
}

// RFC 9111 section 5.1; RFC 9110 sections 8.6, 14.4 and 15.4.5.
func TestAppendFields(t *testing.T) {
	const (
		cc     = "Cache-Control: max-age=60"
		full   = "200|" + cc + "|" + date0 + "|X-A: 1|Content-Type: t|content-language: l|Content-Encoding: e|ETag: \"a\"|Last-Modified: Sun, 06 Nov 1994 08:00:00 GMT|Content-Location: /c|Vary: v|Expires: 0|x-a: 2"
		fields = cc + "|" + date0 + "|X-A: 1|Content-Type: t|content-language: l|Content-Encoding: e|ETag: \"a\"|Last-Modified: Sun, 06 Nov 1994 08:00:00 GMT|Content-Location: /c|Vary: v|Expires: 0|x-a: 2"
	)
	for _, row := range []struct{ rule, method, response, request, want string }{
		{"200", "GET", full, "", fields + "|Age: 7|Content-Length: 10"},
		{"HEAD has the length of GET", "HEAD", full, "", fields + "|Age: 7|Content-Length: 10"},
		{"206", "GET", full, "Range: bytes=2-4", fields + "|Age: 7|Content-Range: bytes 2-4/10|Content-Length: 3"},
		{"304", "GET", full, `If-None-Match: "a"`, cc + "|" + date0 + "|X-A: 1|ETag: \"a\"|Content-Location: /c|Vary: v|Expires: 0|x-a: 2|Age: 7"},
		{"304 without a tag", "GET", "200|" + cc + "|" + date0 + "|Last-Modified: Sun, 06 Nov 1994 08:00:00 GMT", "If-Modified-Since: Sun, 06 Nov 1994 08:00:00 GMT",
			cc + "|" + date0 + "|Last-Modified: Sun, 06 Nov 1994 08:00:00 GMT|Age: 7"},
		{"416", "GET", full, "Range: bytes=10-", "Date: Sun, 06 Nov 1994 08:49:44 GMT|Content-Range: bytes */10|Content-Length: 0"},
		{"204 has no length", "GET", "204|" + cc + "|" + date0, "", cc + "|" + date0 + "|Age: 7"},
		{"the stored Age is replaced", "GET", "200|" + cc + "|" + date0 + "|Age: 30", "", cc + "|" + date0 + "|Age: 37|Content-Length: 10"},
	} {
		s, q := stored(t, row.response), request(t, row.method, row.request)
		a := s.Answer(q, 10)
		if got := bar(string(s.AppendFields(nil, &a, t0+7*second+second/2, false))); got != row.want {
			t.Errorf("%s: %q, want %q", row.rule, got, row.want)
		}
	}
	// Age implies that the response was not validated for this request.
	for text, want := range map[string]string{
		"200|" + cc + "|" + date0:              cc + "|" + date0 + "|Content-Length: 10",
		"200|" + cc + "|" + date0 + "|Age: 30": cc + "|" + date0 + "|Age: 30|Content-Length: 10",
	} {
		s := stored(t, text)
		a := s.Answer(get(t, ""), 10)
		if got := bar(string(s.AppendFields(nil, &a, t0, true))); got != want {
			t.Errorf("validated: %q, want %q", got, want)
		}
	}
}

func TestHitDoesNotAllocate(t *testing.T) {
	meta, _ := Admit(nil, get(t, ""), response(t, "200|Cache-Control: max-age=60|Content-Type: text/plain|Vary: Accept-Encoding|ETag: \"a\""), at0, &DefaultPolicy)
	hit, _ := Decode(meta)
	_, x, _ := MergeIndex(nil, Index{}, &hit)
	for _, fields := range []string{
		"", "Cache-Control: max-age=50, foo=\"bar\"|Accept-Encoding: gzip;q=0.5, br",
		`If-None-Match: "b", "a"`, "If-Modified-Since: Sun, 06 Nov 1994 08:49:37 GMT", `Range: bytes=1-2|If-Range: "a"`, "Range: bytes=99-",
	} {
		head := get(t, fields).head
		dst := make([]byte, 0, 1024)
		key := make([]byte, 0, 1024)
		if n := testing.AllocsPerRun(100, func() {
			q := ReadRequest(head)
			if q.Forwarded() != NotForwarded {
				t.Error("forwarded")
			}
			key = x.AppendKey(key[:0], head)
			s, ok := Decode(meta)
			d := Evaluate(&s, &q, t0+second)
			a := s.Answer(&q, 10)
			dst = s.AppendFields(dst[:0], &a, t0+second, false)
			status := CacheStatus{HasTTL: true, TTL: d.TTL}
			dst = status.AppendLine(dst, "tidegate")
			if !ok || d.Action != Serve {
				t.Error("no hit")
			}
		}); n != 0 {
			t.Errorf("%q: %v allocations", fields, n)
		}
	}
}

// FuzzAnswer: conditions and ranges are answered as net/http answers them, but
// for forms it does not know and multiple ranges.
func FuzzAnswer(f *testing.F) {
	f.Add(`"b", W/"a"`, "bytes=2-4", `"a"`)
	f.Add("", "bytes=-3", "Sun, 06 Nov 1994 08:00:00 GMT")
	f.Add("*", "bytes=10-", "")
	f.Add("", "bytes=0-1,3-4", "")
	f.Fuzz(func(t *testing.T, ifNoneMatch, rng, ifRange string) {
		fields := ""
		header := http.Header{}
		for _, field := range [][2]string{{"If-None-Match", ifNoneMatch}, {"Range", rng}, {"If-Range", ifRange}} {
			name, value := field[0], field[1]
			if strings.ContainsAny(value, "|\r\n") || strings.Trim(value, " \t") != value {
				return
			}
			for _, c := range []byte(value) {
				if c < ' ' || c > '~' {
					return
				}
			}
			if value != "" {
				fields += "|" + name + ": " + value
				header.Set(name, value)
			}
		}
		s := stored(t, "200|Cache-Control: max-age=60|"+date0+"|ETag: \"a\"|Last-Modified: Sun, 06 Nov 1994 08:00:00 GMT")
		q := get(t, strings.TrimPrefix(fields, "|"))
		status, part := answer(s, q)
		if rng != "" && !strings.HasPrefix(rng, "bytes=") { // net/http minds the case of the unit
			return
		}
		if rng != "" && strings.Trim(strings.TrimPrefix(rng, "bytes=-"), "0") == "" { // net/http sends an empty part
			return
		}
		if strings.Contains(rng, ",") || strings.ContainsAny(rng, " \t") || ifNoneMatch != "" && ifNoneMatch != "*" && !quotedTags(ifNoneMatch) {
			return // both may be right
		}
		if ifRange != "" && !quotedTags(ifRange) {
			return
		}
		w := httptest.NewRecorder()
		w.Header().Set("ETag", `"a"`)
		r := httptest.NewRequest("GET", "/", nil)
		r.Header = header
		http.ServeContent(w, r, "a.txt", time.Unix(784108800, 0), strings.NewReader(body))
		if w.Code == 416 && status == 200 { // what is no range may be ignored
			return
		}
		if w.Code != status || status != 416 && w.Body.String() != part {
			t.Fatalf("If-None-Match %q, Range %q, If-Range %q: %d %q; net/http %d %q", ifNoneMatch, rng, ifRange, status, part, w.Code, w.Body)
		}
	})
}

// quotedTags reports whether the text is one tag in the standard's form.
func quotedTags(s string) bool {
	s = strings.TrimPrefix(s, "W/")
	return len(s) > 1 && s[0] == '"' && s[len(s)-1] == '"' && !strings.ContainsAny(s[1:len(s)-1], "\" \\")
}
