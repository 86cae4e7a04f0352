package http1

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"net/http"
	"net/http/httputil"
	"net/url"
	"path"
	"slices"
	"strings"
	"testing"

	"github.com/tidegate/tidegate/internal/corpus"
)

// FuzzRequestTarget: a target that is accepted is kept byte for byte, means the
// same to net/url, and has nothing that cleaning would change into another path.
func FuzzRequestTarget(f *testing.F) {
	for _, seed := range []string{"/", "/a/b?c=d", "//a", "/a/../b", "/%2e%2e/", "/a%2Fb", "http://h/a", "/a#b", "*", "/a%00", "/..;/a", "/a//b/"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, target string) {
		var r Request
		if r.Parse([]byte("GET "+target+" HTTP/1.1\r\nHost: h\r\n\r\n"), limits) != 0 {
			t.Skip()
		}
		if !strings.HasSuffix(target, string(r.Target)) || r.Target[0] != '/' || !r.HasQuery && string(r.Target) != string(r.Path) ||
			r.HasQuery && string(r.Target) != string(r.Path)+"?"+string(r.Query) {
			t.Fatalf("%q: target %q, path %q, query %q", target, r.Target, r.Path, r.Query)
		}
		if prefix := strings.TrimSuffix(target, string(r.Target)); prefix != "" && !strings.EqualFold(prefix, "http://h") && !strings.EqualFold(prefix, "https://h") {
			t.Fatalf("%q: %q was cut off", target, prefix)
		}
		u, err := url.ParseRequestURI(string(r.Target))
		if err != nil {
			t.Fatalf("%q: %v", r.Target, err)
		}
		if u.Host != "" || u.Scheme != "" || u.User != nil || u.Opaque != "" || u.Fragment != "" {
			t.Fatalf("%q: net/url finds more than a path: %+v", r.Target, u)
		}
		if again, err := url.PathUnescape(string(r.Path)); err != nil || again != u.Path || u.RawQuery != string(r.Query) {
			t.Fatalf("%q: net/url has path %q, query %q", r.Target, u.Path, u.RawQuery)
		}
		// Cleaning may join slashes and no more, also where a backslash is one.
		joined := squeeze(u.Path)
		if clean := path.Clean(u.Path); clean != joined && clean+"/" != joined {
			t.Fatalf("%q: cleaned it is %q", r.Target, clean)
		}
		if back := squeeze(strings.ReplaceAll(u.Path, `\`, "/")); path.Clean(back) != back && path.Clean(back)+"/" != back {
			t.Fatalf("%q: with backslashes as slashes it is %q", r.Target, path.Clean(back))
		}
		if strings.ContainsRune(u.Path, 0) {
			t.Fatalf("%q has a NUL", r.Target)
		}
	})
}

func squeeze(p string) string {
	for strings.Contains(p, "//") {
		p = strings.ReplaceAll(p, "//", "/")
	}
	return p
}

// refusedByNetHTTP explains heads that net/http refuses and we accept, or says
// nothing.
func refusedByNetHTTP(head []byte, r *Request, err error) string {
	switch {
	case bytes.HasPrefix(head, []byte("\r\n")):
		return "net/http lets no empty line pass before a request"
	case r.Get(Trailer) != nil && strings.Contains(err.Error(), "bad trailer key"):
		return "net/http reads Trailer; we drop it with all trailers"
	}
	return ""
}

// FuzzRequestHead: what we accept, net/http accepts and understands alike.
func FuzzRequestHead(f *testing.F) {
	f.Add([]byte(typicalHead))
	f.Add([]byte("\r\nPOST /a?b HTTP/1.0\r\nContent-Length: 3\r\nConnection: keep-alive\r\n\r\n"))
	f.Add([]byte("PUT http://H:80/a HTTP/1.1\r\nhost: h:80\r\nTransfer-Encoding: Chunked\r\nTrailer: X\r\nX:\t\xe9 \r\n\r\n"))
	f.Add([]byte("GET / HTTP/1.1\r\nHost: [::1]:80\r\nPragma: no-cache\r\nExpect: 100-continue\r\nConnection: a, close\r\n\r\n"))
	for _, h := range heads {
		f.Add([]byte(h.text))
	}
	messages, err := corpus.Messages()
	if err != nil {
		f.Fatal(err)
	}
	for _, m := range messages {
		if len(m.Raw) < 1024 {
			f.Add(m.Raw)
		}
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		n := HeadEnd(data, 0)
		if n == 0 {
			t.Skip()
		}
		head := bytes.Clone(data[:n])
		for cut := 1; cut < n; cut += 1 + n/8 { // how it came does not matter
			if got := headEndIn(data, cut); got != n {
				t.Fatalf("HeadEnd is %d whole and %d cut at %d", n, got, cut)
			}
		}
		var r Request
		if r.Parse(head, limits) != 0 {
			t.Skip()
		}
		q, err := http.ReadRequest(bufio.NewReader(bytes.NewReader(data[:n])))
		if err != nil {
			if why := refusedByNetHTTP(head, &r, err); why == "" {
				t.Fatalf("net/http: %v", err)
			}
			return
		}
		if q.Method != string(r.Method) || q.ProtoMajor != 1 || q.ProtoMinor != r.Minor {
			t.Fatalf("net/http: %s HTTP/%d.%d; we: %s HTTP/1.%d", q.Method, q.ProtoMajor, q.ProtoMinor, r.Method, r.Minor)
		}
		if !strings.HasSuffix(q.RequestURI, string(r.Target)) || q.URL.EscapedPath() != string(r.Path) && q.URL.Path != unescape(r.Path) || q.URL.RawQuery != string(r.Query) {
			t.Fatalf("net/http: %q, path %q; we: %q", q.RequestURI, q.URL.EscapedPath(), r.Target)
		}
		if host := strings.TrimSuffix(strings.ToLower(hostOnly(q.Host)), "."); host != string(r.Host) {
			t.Fatalf("net/http: host %q; we: %q", q.Host, r.Host)
		}
		chunked := len(q.TransferEncoding) > 0
		if chunked != r.Chunked || !chunked && q.ContentLength != max(r.ContentLength, 0) {
			t.Fatalf("net/http: length %d, %v; we: %d, chunked %v", q.ContentLength, q.TransferEncoding, r.ContentLength, r.Chunked)
		}
		if q.Close == r.KeepAlive {
			t.Fatalf("net/http: close %v; we: keep alive %v", q.Close, r.KeepAlive)
		}
		compareFields(t, q.Header, &r)
	})
}

func unescape(p []byte) string {
	s, _ := url.PathUnescape(string(p))
	return s
}

func hostOnly(host string) string {
	if strings.HasPrefix(host, "[") {
		return host[:strings.IndexByte(host, ']')+1]
	}
	host, _, _ = strings.Cut(host, ":")
	return host
}

// compareFields: net/http takes out what it read itself, and adds Cache-Control
// for Pragma; all else must be the same lines in the same order.
func compareFields(t *testing.T, theirs http.Header, r *Request) {
	t.Helper()
	ours := http.Header{}
	for i := range r.Len() {
		switch r.ID(i) {
		case Host, TransferEncoding, Trailer:
		default:
			ours.Add(string(r.Name(i)), string(r.Value(i)))
		}
	}
	theirs.Del("Trailer")
	if p := ours["Pragma"]; len(p) > 0 && p[0] == "no-cache" && ours["Cache-Control"] == nil {
		theirs.Del("Cache-Control")
	}
	if len(theirs) != len(ours) {
		t.Fatalf("net/http has %d fields: %v; we: %d: %v", len(theirs), theirs, len(ours), ours)
	}
	for name, values := range ours {
		if !slices.Equal(values, theirs[name]) {
			t.Fatalf("%s: net/http %q; we %q", name, theirs[name], values)
		}
	}
}

// FuzzChunked: a body that we accept has the same data for net/http, however it
// was cut.
func FuzzChunked(f *testing.F) {
	for _, b := range chunkedBodies {
		f.Add([]byte(b.text), uint16(3))
	}
	f.Fuzz(func(t *testing.T, body []byte, cut uint16) {
		at := min(int(cut), len(body))
		data, rest, done := nextAll(string(body))
		for how, again := range map[string]func() (string, string, bool){
			"in two":            func() (string, string, bool) { return nextAll(string(body[:at]), string(body[at:])) },
			"compacted":         func() (string, string, bool) { return compactAll(string(body)) },
			"compacted, in two": func() (string, string, bool) { return compactAll(string(body[:at]), string(body[at:])) },
		} {
			if d, r, ok := again(); d != data || r != rest || ok != done {
				t.Fatalf("%s: %q, rest %q, %v; whole: %q, rest %q, %v", how, d, r, ok, data, rest, done)
			}
		}
		if !done {
			t.Skip()
		}
		theirs, err := io.ReadAll(httputil.NewChunkedReader(bytes.NewReader(body)))
		if err != nil && strings.Contains(err.Error(), "too much non-data") {
			return // net/http also bounds the ratio of extensions to data
		}
		if err != nil || string(theirs) != data {
			t.Fatalf("net/http: %q, %v; we: %q", theirs, err, data)
		}
		// Read as a message, trailers included, it must end at the same byte.
		left := bufio.NewReader(io.MultiReader(strings.NewReader("POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n"), bytes.NewReader(body)))
		q, err := http.ReadRequest(left)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := io.Copy(io.Discard, q.Body); err != nil {
			if errors.Is(err, http.ErrBodyReadAfterClose) || strings.Contains(err.Error(), "trailer") || strings.Contains(err.Error(), "MIME header") {
				return // net/http refuses some trailers that we throw away
			}
			t.Fatalf("net/http: %v", err)
		}
		if after, _ := io.ReadAll(left); string(after) != rest {
			t.Fatalf("net/http leaves %q, we leave %q", after, rest)
		}
	})
}

// FuzzResponseHead: an answer that we accept is the same to net/http.
func FuzzResponseHead(f *testing.F) {
	f.Add([]byte(typicalResponse))
	f.Add([]byte("HTTP/1.0 404 Not Found\r\nConnection: close\r\n\r\n"))
	f.Add([]byte("HTTP/1.1 200\r\nTransfer-Encoding: chunked\r\n\r\n"))
	f.Add([]byte("HTTP/1.1 304 \r\nContent-Length: 9\r\nX: \xff\r\n\r\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		n := HeadEnd(data, 0)
		var r Response
		if n == 0 || r.Parse(bytes.Clone(data[:n])) != 0 {
			t.Skip()
		}
		p, err := http.ReadResponse(bufio.NewReader(bytes.NewReader(data[:n])), &http.Request{Method: "GET"})
		if err != nil {
			t.Fatalf("net/http: %v", err)
		}
		if p.StatusCode != r.Status || p.ProtoMinor != r.Minor {
			t.Fatalf("net/http: %s; we: %d", p.Status, r.Status)
		}
		if NoBody(r.Status, GET) {
			return
		}
		chunked := len(p.TransferEncoding) > 0
		if chunked != r.Chunked || !chunked && p.ContentLength != r.ContentLength {
			t.Fatalf("net/http: length %d, %v; we: %d, chunked %v", p.ContentLength, p.TransferEncoding, r.ContentLength, r.Chunked)
		}
	})
}
