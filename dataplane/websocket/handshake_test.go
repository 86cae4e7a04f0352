package websocket_test

import (
	"bufio"
	"bytes"
	"net/http"
	"slices"
	"strings"
	"testing"

	oracle "github.com/fasthttp/websocket"
	"github.com/valyala/fasthttp"

	"github.com/tidegate/tidegate/dataplane/http1"
	"github.com/tidegate/tidegate/dataplane/websocket"
)

// request is a good upgrade with some lines changed: "Name: value" replaces the
// line of that name, "-Name" removes it and "+Name: value" adds one.
func request(edits ...string) string {
	list := []string{"GET /chat?x=1 HTTP/1.1", "Host: example.com", "Upgrade: websocket", "Connection: Upgrade",
		"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==", "Sec-WebSocket-Version: 13"}
	for _, edit := range edits {
		name, _, _ := strings.Cut(strings.TrimLeft(edit, "+-"), ":")
		switch {
		case strings.HasPrefix(edit, "+"):
			list = append(list, edit[1:])
			continue
		case strings.Contains(edit, " HTTP/"):
			list[0] = edit
			continue
		}
		for i, line := range list {
			if n, _, _ := strings.Cut(line, ":"); i > 0 && n == name {
				if list[i] = edit; strings.HasPrefix(edit, "-") {
					list = append(list[:i], list[i+1:]...)
				}
				break
			}
		}
	}
	return strings.Join(list, "\r\n") + "\r\n\r\n"
}

func parse(t *testing.T, text string) *http1.Request {
	t.Helper()
	r := &http1.Request{}
	if fault := r.Parse([]byte(text), http1.Limits{Target: 1000, Header: 8000, Count: 100}); fault != 0 {
		t.Fatalf("%q: %v", text, fault)
	}
	return r
}

func TestUpgrade(t *testing.T) {
	for _, c := range []struct {
		name   string
		edits  []string
		want   websocket.Refusal
		oracle bool // fasthttp/websocket does not refuse what we do
	}{
		{"good", nil, 0, false},
		{"other case", []string{"Upgrade: WebSocket", "Connection: keep-alive, uPgRaDe"}, 0, false},
		{"among others", []string{"Upgrade: h2c, websocket", "Connection: foo , Upgrade,bar"}, 0, false},
		{"two connection lines", []string{"Connection: keep-alive", "+Connection: Upgrade"}, 0, true},
		{"no upgrade", []string{"-Upgrade"}, websocket.NoUpgrade, false},
		{"other protocol", []string{"Upgrade: h2c"}, websocket.NoUpgrade, false},
		{"part of a token", []string{"Upgrade: websockets"}, websocket.NoUpgrade, false},
		{"no connection", []string{"-Connection"}, websocket.BadRequest, false},
		{"connection without it", []string{"Connection: keep-alive"}, websocket.BadRequest, false},
		{"HTTP/1.0", []string{"GET / HTTP/1.0"}, websocket.NoUpgrade, true},
		{"POST", []string{"POST / HTTP/1.1"}, websocket.BadMethod, false},
		{"HEAD", []string{"HEAD / HTTP/1.1"}, websocket.BadMethod, false},
		{"body", []string{"+Content-Length: 5"}, websocket.BadRequest, true},
		{"chunked body", []string{"+Transfer-Encoding: chunked"}, websocket.BadRequest, true},
		{"empty body", []string{"+Content-Length: 0"}, 0, false},
		{"no version", []string{"-Sec-WebSocket-Version"}, websocket.BadRequest, false},
		{"version 8", []string{"Sec-WebSocket-Version: 8"}, websocket.BadVersion, false},
		{"version 14", []string{"Sec-WebSocket-Version: 14"}, websocket.BadVersion, false},
		{"version list", []string{"Sec-WebSocket-Version: 13, 8"}, websocket.BadVersion, true},
		{"two versions", []string{"+Sec-WebSocket-Version: 13"}, websocket.BadRequest, true},
		{"no key", []string{"-Sec-WebSocket-Key"}, websocket.BadRequest, false},
		{"two keys", []string{"+Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ=="}, websocket.BadRequest, true},
		{"empty key", []string{"Sec-WebSocket-Key: "}, websocket.BadRequest, false},
		{"short key", []string{"Sec-WebSocket-Key: x"}, websocket.BadRequest, true},
		{"key of 15 bytes", []string{"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25j"}, websocket.BadRequest, true},
		{"key of 17 bytes", []string{"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZVo="}, websocket.BadRequest, true},
		{"key of 24 characters, 18 bytes", []string{"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZVpa"}, websocket.BadRequest, true},
		{"key with bits after its end", []string{"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZR=="}, websocket.BadRequest, true},
		{"key that is not base64", []string{"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25j*Q=="}, websocket.BadRequest, true},
		{"two origins", []string{"+Origin: http://a", "+Origin: http://b"}, websocket.BadRequest, true},
		{"protocols", []string{"+Sec-WebSocket-Protocol: chat, superchat"}, 0, false},
		{"protocol that is no token", []string{"+Sec-WebSocket-Protocol: ch@t"}, websocket.BadRequest, true},
		{"empty protocols", []string{"+Sec-WebSocket-Protocol: ,"}, websocket.BadRequest, true},
		{"extensions", []string{"+Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits"}, 0, false},
	} {
		text := request(c.edits...)
		var u websocket.Upgrade
		got := u.Read(parse(t, text))
		if got != c.want {
			t.Errorf("%s: refusal %d, want %d", c.name, got, c.want)
		}
		if ok := oracleAgrees(t, text); ok != (got == 0) && !c.oracle {
			t.Errorf("%s: fasthttp/websocket agrees: %v", c.name, ok)
		}
		if got != 0 && (got.Status() < 400 || got.Status() == 426 && !strings.Contains(got.Fields(), "Upgrade: websocket\r\n")) {
			t.Errorf("%s: answered with %d %q", c.name, got.Status(), got.Fields())
		}
	}
	if f := websocket.BadVersion.Fields(); websocket.BadVersion.Status() != 426 || !strings.Contains(f, "Sec-WebSocket-Version: 13\r\n") {
		t.Errorf("another version is answered with %q", f)
	}
}

// oracleAgrees reports whether fasthttp/websocket upgrades a request.
func oracleAgrees(t *testing.T, text string) bool {
	t.Helper()
	var ctx fasthttp.RequestCtx
	ctx.Init(&fasthttp.Request{}, nil, nil)
	if err := ctx.Request.Header.Read(bufio.NewReader(strings.NewReader(text))); err != nil {
		t.Fatal(err)
	}
	up := oracle.FastHTTPUpgrader{CheckOrigin: func(*fasthttp.RequestCtx) bool { return true }}
	return up.Upgrade(&ctx, func(*oracle.Conn) {}) == nil
}

func TestAnswer(t *testing.T) {
	var u websocket.Upgrade
	if r := u.Read(parse(t, request())); r != 0 {
		t.Fatal(r)
	}
	answer := u.AppendAnswer([]byte("x"), "chat", []byte("Set-Cookie: a=b\r\n"))
	r, err := http.ReadResponse(bufio.NewReader(bytes.NewReader(answer[1:])), nil)
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]string{"Upgrade": "websocket", "Connection": "Upgrade", "Sec-Websocket-Accept": "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=",
		"Sec-Websocket-Protocol": "chat", "Set-Cookie": "a=b", "Sec-Websocket-Extensions": ""} {
		if got := r.Header.Get(name); got != want {
			t.Errorf("%s: %q, want %q", name, got, want)
		}
	}
	if r.StatusCode != 101 || answer[0] != 'x' {
		t.Errorf("%q", answer)
	}
	if plain := u.AppendAnswer(nil, "", nil); bytes.Contains(plain, []byte("Sec-WebSocket-Protocol")) {
		t.Errorf("a subprotocol nobody chose: %q", plain)
	}
}

func TestSubprotocols(t *testing.T) {
	for _, c := range []struct {
		offer     []string
		supported []string
		want      string
	}{
		{nil, []string{"chat"}, ""},
		{[]string{"chat"}, nil, ""},
		{[]string{"chat"}, []string{"chat"}, "chat"},
		{[]string{"a, b ,c"}, []string{"c", "b"}, "b"},
		{[]string{"a", "b, c"}, []string{"c"}, "c"},
		{[]string{"Chat"}, []string{"chat"}, ""},
		{[]string{"a,,b"}, []string{""}, ""},
	} {
		var edits []string
		for _, o := range c.offer {
			edits = append(edits, "+Sec-WebSocket-Protocol: "+o)
		}
		var u websocket.Upgrade
		if r := u.Read(parse(t, request(edits...))); r != 0 {
			t.Fatal(r)
		}
		if got := u.Choose(c.supported); got != c.want {
			t.Errorf("%q of %q: %q, want %q", c.supported, c.offer, got, c.want)
		}
		if c.want != "" && !u.Offers(c.want) || u.Offers("nothing") {
			t.Errorf("%q: Offers is wrong", c.offer)
		}
	}
}

func TestOrigins(t *testing.T) {
	for _, c := range []struct {
		list    []string
		missing bool
		yes     []string
		no      []string
	}{
		{nil, false, nil, []string{"", "null", "https://example.com"}},
		{nil, true, []string{""}, []string{"null", "https://example.com"}},
		{[]string{"*"}, false, []string{"https://example.com", "null", "anything"}, []string{""}},
		{[]string{"null"}, false, []string{"null"}, []string{"", "https://null"}},
		{[]string{"https://example.com"}, false, []string{"https://example.com", "HTTPS://Example.COM"},
			[]string{"", "null", "http://example.com", "https://example.com:8443", "https://example.com.evil.org", "https://evil-example.com", "https://a.example.com", "https://example.com/"}},
		{[]string{"https://example.com:443", "http://example.com:80"}, false, []string{"https://example.com", "http://example.com"}, nil},
		{[]string{"https://*.example.com:8443"}, false, []string{"https://a.example.com:8443", "https://a.b.example.com:8443"},
			[]string{"https://example.com:8443", "https://a.example.com", "http://a.example.com:8443", "https://evil.org/.example.com:8443", "https://evil.org:1@a.example.com:8443", "https://.example.com:8443", "https://badexample.com:8443"}},
		{[]string{"app://local", "https://[::1]:8080"}, true, []string{"", "app://local", "https://[::1]:8080"}, []string{"https://[::1]"}},
	} {
		o, err := websocket.CompileOrigins(c.list, c.missing)
		if err != nil {
			t.Fatal(err)
		}
		for _, origin := range append(c.yes, c.no...) {
			want := slices.Contains(c.yes, origin)
			var edits []string
			if origin != "" {
				edits = []string{"+Origin: " + origin}
			}
			var u websocket.Upgrade
			if r := u.Read(parse(t, request(edits...))); r != 0 {
				t.Fatal(r)
			}
			if got := o.Allow(&u); got != want {
				t.Errorf("%q, missing %v: %q is allowed: %v", c.list, c.missing, origin, got)
			}
		}
	}
	for _, bad := range []string{"", "example.com", "https://", "://x", "https://a/b", "https://*.*.com", "https://a*.com", "https://u@h", "https://h:99999", "https://*"} {
		if _, err := websocket.CompileOrigins([]string{"https://ok", bad}, false); err == nil || !strings.Contains(err.Error(), "\""+bad+"\"") {
			t.Errorf("%q: %v", bad, err)
		}
	}
}

func FuzzUpgrade(f *testing.F) {
	f.Add(request())
	f.Add(request("+Sec-WebSocket-Protocol: a, b", "+Origin: https://x", "Connection: a,,Upgrade"))
	origins, err := websocket.CompileOrigins([]string{"https://*.example.com", "null"}, false)
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, text string) {
		var r http1.Request
		if r.Parse([]byte(text), http1.Limits{Target: 1000, Header: 8000, Count: 100}) != 0 {
			return
		}
		var u websocket.Upgrade
		if u.Read(&r) != 0 {
			return
		}
		origins.Allow(&u)
		answer := u.AppendAnswer(nil, u.Choose([]string{"a", "b"}), nil)
		if _, err := http.ReadResponse(bufio.NewReader(bytes.NewReader(answer)), nil); err != nil {
			t.Fatal(err)
		}
	})
}
