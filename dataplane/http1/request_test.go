package http1

import (
	"fmt"
	"strings"
	"testing"
)

var limits = Limits{Target: 10240, Header: 20480, Count: 100}

// parse parses head and shows the outcome: a fault, or what was understood.
func parse(head string) string {
	var r Request
	if fault := r.Parse([]byte(head), limits); fault != 0 {
		return fault.Error()
	}
	text := fmt.Sprintf("%s %s host=%s 1.%d", r.Method, r.Target, r.Host, r.Minor)
	if r.ContentLength >= 0 {
		text += fmt.Sprintf(" length=%d", r.ContentLength)
	}
	for _, flag := range []struct {
		on   bool
		name string
	}{{r.Chunked, "chunked"}, {r.ExpectContinue, "continue"}, {r.Nominated, "nominated"}, {!r.KeepAlive, "close"}, {r.HasBody(), "body"}} {
		if flag.on {
			text += " " + flag.name
		}
	}
	return text
}

func TestRequestLine(t *testing.T) {
	for _, row := range []struct{ line, want string }{
		{"GET / HTTP/1.1\r\n", "GET / host=h 1.1"},
		{"GET / HTTP/1.0\r\n", "GET / host=h 1.0 close"},
		{"\r\nGET / HTTP/1.1\r\n", "GET / host=h 1.1"},
		{"get / HTTP/1.1\r\n", "get / host=h 1.1"}, // a token; no route has it
		{"M-SEARCH /a HTTP/1.1\r\n", "M-SEARCH /a host=h 1.1"},
		{strings.Repeat("M", 32) + " / HTTP/1.1\r\n", strings.Repeat("M", 32) + " / host=h 1.1"},
		{strings.Repeat("M", 33) + " / HTTP/1.1\r\n", FaultRequestLine.Error()},
		{"\r\n\r\nGET / HTTP/1.1\r\n", FaultRequestLine.Error()},
		{"\nGET / HTTP/1.1\r\n", FaultRequestLine.Error()},
		{" GET / HTTP/1.1\r\n", FaultRequestLine.Error()},
		{"\tGET / HTTP/1.1\r\n", FaultRequestLine.Error()},
		{"G ET / HTTP/1.1\r\n", FaultVersion.Error()},
		{"G(T / HTTP/1.1\r\n", FaultRequestLine.Error()},
		{"G\x00T / HTTP/1.1\r\n", FaultRequestLine.Error()},
		{"G\xc3\xa9T / HTTP/1.1\r\n", FaultRequestLine.Error()},
		{"GET\t/ HTTP/1.1\r\n", FaultRequestLine.Error()},
		{"GET  / HTTP/1.1\r\n", FaultVersion.Error()},
		{"GET /  HTTP/1.1\r\n", FaultVersion.Error()},
		{"GET / HTTP/1.1 \r\n", FaultRequestLine.Error()},
		{"GET / HTTP/1.1\n", FaultRequestLine.Error()},
		{"GET / HTTP/1.1\r", FaultRequestLine.Error()},
		{"GET /\r\n", FaultTarget.Error()},
		{"GET\r\n", FaultRequestLine.Error()},
		{"GET / HTTP/2.0\r\n", FaultVersion.Error()},
		{"GET / HTTP/1.2\r\n", FaultVersion.Error()},
		{"GET / HTTP/1.9\r\n", FaultVersion.Error()},
		{"GET / HTTP/1.10\r\n", FaultRequestLine.Error()},
		{"GET / HTTP/1.01\r\n", FaultRequestLine.Error()},
		{"GET / HTTP/01.1\r\n", FaultVersion.Error()},
		{"GET / HTTP/1,1\r\n", FaultVersion.Error()},
		{"GET / http/1.1\r\n", FaultVersion.Error()},
		{"GET / HTTP/1.\r\n", FaultVersion.Error()},
		{"GET / HTTPS/1.1\r\n", FaultVersion.Error()},
		{"GET / ICY/1.1\r\n", FaultVersion.Error()},
		{"PRI * HTTP/2.0\r\n", FaultVersion.Error()},
	} {
		if got := parse(row.line + "Host: h\r\n\r\n"); got != row.want {
			t.Errorf("%q: got %s, want %s", row.line, got, row.want)
		}
	}
}

func TestFields(t *testing.T) {
	const bad, framing = "malformed header", "ambiguous message framing"
	for _, row := range []struct{ fields, want string }{
		{"X: y\r\n", "GET / host=h 1.1"},
		{"X:y\r\n", "GET / host=h 1.1"},
		{"X:\r\n", "GET / host=h 1.1"},
		{"X: \t y z \t\r\n", "GET / host=h 1.1"},
		{"X: caf\xe9\r\n", "GET / host=h 1.1"}, // obs-text
		{"X : y\r\n", bad},
		{"X\t: y\r\n", bad},
		{" X: y\r\n", bad},
		{"X: y\r\n z\r\n", bad}, // folded
		{"X: y\r\n\tz\r\n", bad},
		{"X:\r\n y\r\n", bad},
		{": y\r\n", bad},
		{"X\r\n", bad},
		{"X: y\n", bad}, // bare LF
		{"X: y\r", bad},
		{"X: y\rZ: a\r\n", bad}, // bare CR
		{"X: y\r\r\n", bad},
		{"X: \x00\r\n", bad},
		{"X: a\x00b\r\n", bad},
		{"X: \x01\r\n", bad},
		{"X: \x7f\r\n", bad},
		{"X\x00: y\r\n", bad},
		{"X Y: z\r\n", bad},
		{"X\xe9: y\r\n", bad},
		{"X(: y\r\n", bad},
		{"\"X\": y\r\n", bad},
		{"X_Y: z\r\n", "GET / host=h 1.1"},
		{"Content_Length: 3\r\n", bad}, // read as Content-Length behind CGI
		{"transfer_encoding: chunked\r\n", bad},
		{"X_Forwarded_For: 1.2.3.4\r\n", bad},
		{"X_Api-Key: k\r\n", bad},

		{"Content-Length: 0\r\n", "GET / host=h 1.1 length=0"},
		{"Content-Length: 3\r\n", "GET / host=h 1.1 length=3 body"},
		{"content-LENGTH:\t3 \r\n", "GET / host=h 1.1 length=3 body"},
		{"Content-Length: 999999999999999999\r\n", "GET / host=h 1.1 length=999999999999999999 body"},
		{"Content-Length: 9999999999999999999\r\n", framing},
		{"Content-Length: 18446744073709551619\r\n", framing},
		{"Content-Length: 03\r\n", framing},
		{"Content-Length: 00\r\n", framing},
		{"Content-Length: +3\r\n", framing},
		{"Content-Length: -3\r\n", framing},
		{"Content-Length: 0x3\r\n", framing},
		{"Content-Length: 3.0\r\n", framing},
		{"Content-Length: 3 3\r\n", framing},
		{"Content-Length: 3, 3\r\n", framing},
		{"Content-Length: \r\n", framing},
		{"Content-Length: three\r\n", framing},
		{"Content-Length: 3\r\nContent-Length: 3\r\n", framing},
		{"Content-Length: 3\r\nContent-Length: 4\r\n", framing},
		{"Content-Length: 3\r\nTransfer-Encoding: chunked\r\n", framing},
		{"Transfer-Encoding: chunked\r\nContent-Length: 3\r\n", framing},
		{"Transfer-Encoding: chunked\r\nContent-Length: 0\r\n", framing},

		{"Transfer-Encoding: chunked\r\n", "GET / host=h 1.1 chunked body"},
		{"transfer-encoding: CHUNKED\r\n", "GET / host=h 1.1 chunked body"},
		{"Transfer-Encoding: identity\r\n", framing},
		{"Transfer-Encoding: identity\r\nContent-Length: 3\r\n", framing},
		{"Transfer-Encoding: gzip\r\n", framing},
		{"Transfer-Encoding: gzip, chunked\r\n", framing},
		{"Transfer-Encoding: chunked, gzip\r\n", framing},
		{"Transfer-Encoding: chunked, chunked\r\n", framing},
		{"Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n", framing},
		{"Transfer-Encoding: xchunked\r\n", framing},
		{"Transfer-Encoding: chunkedx\r\n", framing},
		{"Transfer-Encoding: \"chunked\"\r\n", framing},
		{"Transfer-Encoding: chunked;a=b\r\n", framing},
		{"Transfer-Encoding: ,chunked\r\n", framing},
		{"Transfer-Encoding:\r\n", framing},
		{"Transfer-Encoding: \x0bchunked\r\n", bad},
		{"Transfer-Encoding:\r\n chunked\r\n", bad},
		{"Transfer-Encoding : chunked\r\n", bad},
		{"Transfer Encoding: chunked\r\n", bad},

		{"Expect: 100-continue\r\n", "GET / host=h 1.1 continue"},
		{"Expect: 100-Continue\r\n", "GET / host=h 1.1 continue"},
		{"Expect: zzz\r\n", "unknown expectation"},
		{"Expect: 100-continue, zzz\r\n", "unknown expectation"},
		{"Expect:\r\n", "unknown expectation"},

		{"Connection: close\r\n", "GET / host=h 1.1 close"},
		{"Connection: CLOSE\r\n", "GET / host=h 1.1 close"},
		{"Connection: keep-alive\r\n", "GET / host=h 1.1"},
		{"Connection: keep-alive, close\r\n", "GET / host=h 1.1 close"},
		{"Connection: close, keep-alive\r\n", "GET / host=h 1.1 close"},
		{"Connection: X-A\r\n", "GET / host=h 1.1 nominated"},
		{"Connection: , ,\r\n", "GET / host=h 1.1"},
		{"Connection: upgrade, close\r\n", "GET / host=h 1.1 nominated close"},

		{"Host: h\r\n", "missing, repeated or malformed host"},
	} {
		if got := parse("GET / HTTP/1.1\r\nHost: h\r\n" + row.fields + "\r\n"); got != row.want {
			t.Errorf("%q: got %s, want %s", row.fields, got, row.want)
		}
	}
}

// TestConnectionLists: an option counts in whichever of the lines it stands.
func TestConnectionLists(t *testing.T) {
	for _, row := range []struct{ fields, want string }{
		{"Connection: close\r\nConnection: keep-alive\r\n", "GET / host=h 1.1 close"},
		{"Connection: keep-alive\r\nConnection: close\r\n", "GET / host=h 1.1 close"},
	} {
		if got := parse("GET / HTTP/1.1\r\nHost: h\r\n" + row.fields + "\r\n"); got != row.want {
			t.Errorf("%q: got %s, want %s", row.fields, got, row.want)
		}
	}
}

func TestHTTP10(t *testing.T) {
	for _, row := range []struct{ fields, want string }{
		{"", "GET / host= 1.0 close"},
		{"Host: h\r\n", "GET / host=h 1.0 close"},
		{"Connection: keep-alive\r\n", "GET / host= 1.0"},
		{"Connection: close, keep-alive\r\n", "GET / host= 1.0 close"},
		{"Content-Length: 3\r\n", "GET / host= 1.0 length=3 close body"},
		{"Transfer-Encoding: chunked\r\n", "ambiguous message framing"},
		{"Expect: 100-continue\r\n", "GET / host= 1.0 close"},
		{"Expect: zzz\r\n", "GET / host= 1.0 close"},
		{"Host:\r\n", "missing, repeated or malformed host"},
	} {
		if got := parse("GET / HTTP/1.0\r\n" + row.fields + "\r\n"); got != row.want {
			t.Errorf("%q: got %s, want %s", row.fields, got, row.want)
		}
	}
}

// TestHeadIsExactlyTheBytes: a head that ends before or after its bytes do is
// refused, whoever cut it.
func TestHeadIsExactlyTheBytes(t *testing.T) {
	const head = "GET / HTTP/1.1\r\nHost: h\r\n\r\n"
	for n := range head {
		if got := parse(head[:n]); !strings.HasPrefix(got, "m") && !strings.HasPrefix(got, "u") {
			t.Errorf("%q was accepted as %s", head[:n], got)
		}
	}
	if got := parse(head + "X"); got != FaultHeader.Error() {
		t.Errorf("with a byte after it: %s", got)
	}
}

func TestLimits(t *testing.T) {
	field := func(n int) string { return "X: " + strings.Repeat("v", n-len("X: \r\n")) + "\r\n" }
	const host = "Host: h\r\n"
	for _, row := range []struct {
		name string
		head string
		want Fault
	}{
		{"target", "GET /" + strings.Repeat("a", 10239) + " HTTP/1.1\r\n" + host + "\r\n", 0},
		{"target+1", "GET /" + strings.Repeat("a", 10240) + " HTTP/1.1\r\n" + host + "\r\n", FaultTargetLength},
		{"target+1 without version", "GET /" + strings.Repeat("a", 10240) + "\r\n\r\n", FaultTargetLength},
		{"header", "GET / HTTP/1.1\r\n" + host + field(20480-len(host)) + "\r\n", 0},
		{"header+1", "GET / HTTP/1.1\r\n" + host + field(20481-len(host)) + "\r\n", FaultHeaderSize},
		{"count", "GET / HTTP/1.1\r\n" + host + strings.Repeat("X: y\r\n", 99) + "\r\n", 0},
		{"count+1", "GET / HTTP/1.1\r\n" + host + strings.Repeat("X: y\r\n", 100) + "\r\n", FaultHeaderCount},
		{"all at once", strings.Repeat("M", 32) + " /" + strings.Repeat("a", 10239) + " HTTP/1.1\r\n" +
			host + field(20480-len(host)-98*6) + strings.Repeat("X: y\r\n", 98) + "\r\n", 0},
	} {
		var r Request
		if got := r.Parse([]byte(row.head), limits); got != row.want {
			t.Errorf("%s: got fault %d, want %d", row.name, got, row.want)
		}
		if row.want == 0 && len(row.head) > limits.Max() {
			t.Errorf("%s: a head of %d bytes is within the limits and over Max", row.name, len(row.head))
		}
	}
}

func TestOversizedHead(t *testing.T) {
	long := strings.Repeat("a", limits.Max())
	for _, row := range []struct {
		head string
		want Fault
	}{
		{"GET /" + long, FaultTargetLength},
		{"GET /" + long + " HTTP/1.1\r\n", FaultTargetLength},
		{"\r\nGET /" + long + " HTTP/1.1\r\n", FaultTargetLength},
		{"GET / HTTP/1.1\r\nX: " + long, FaultHeaderSize},
		{"\r\nGET / HTTP/1.1\r\nX: " + long, FaultHeaderSize},
	} {
		if got := OversizedHead([]byte(row.head)[:limits.Max()], limits); got != row.want {
			t.Errorf("%.20q…: got %v, want %v", row.head, got, row.want)
		}
	}
}

func TestFaultsHaveStatusAndText(t *testing.T) {
	for f := FaultRequestLine; f < numFaults; f++ {
		if f.Status() < 400 || f.Error() == "" {
			t.Errorf("fault %d: status %d, text %q", f, f.Status(), f.Error())
		}
	}
}

// TestOpenPoint4HeaderTooLarge pins the status for over-large headers, which
// AWS does not document.
func TestOpenPoint4HeaderTooLarge(t *testing.T) {
	if statusHeaderTooLarge != 431 || FaultHeaderSize.Status() != 431 || FaultHeaderCount.Status() != 431 {
		t.Error("over-large headers are not answered with 431")
	}
}

func TestVerbs(t *testing.T) {
	for v := DELETE; v <= PUT; v++ {
		if got := ParseVerb([]byte(v.String())); got != v {
			t.Errorf("%s: got %s", v, got)
		}
	}
	for _, name := range []string{"", "get", "Get", "TRACE", "CONNECT", "GETT", "GE"} {
		if got := ParseVerb([]byte(name)); got != VerbOther {
			t.Errorf("%q: got %s", name, got)
		}
	}
	for v := VerbOther; v <= PUT; v++ {
		want := v == DELETE || v == GET || v == HEAD || v == OPTIONS || v == PUT
		if v.Idempotent() != want {
			t.Errorf("%s: idempotent %v", v, !want)
		}
	}
}
