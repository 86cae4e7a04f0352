package http1

import (
	"strings"
	"testing"
)

func TestTarget(t *testing.T) {
	for _, row := range []struct {
		target string
		ok     bool
	}{
		{"/", true},
		{"/a/b", true},
		{"/a/", true},
		{"/a//b", true}, // kept; which segment is empty is the same to everyone
		{"/a?", true},
		{"/a?b=c&d=%20", true},
		{"/a?b?c", true},
		{"/a?x=//y", true},
		{"/a?x=/../y", true}, // dots in a query are data
		{"/a?x=[1]", true},
		{"/a%2Fb", true},
		{"/a%2fb", true},
		{"/%C3%A9", true},
		{"/a%25b", true},
		{"/a;b=c", true},
		{"/a:b@c!$&'()*+,=~", true},
		{"/.a", true},
		{"/a.", true},
		{"/...", true},
		{"/a..b/c", true},
		{"/..a", true},
		{"/.well-known/x", true},
		{"/a;..", true}, // a parameter, not a segment

		{"", false},
		{"a", false},
		{"*", false},
		{"?a", false},
		{"x:443", false},
		{"//a", false},
		{"//", false},
		{"//a/b?u=http://x", false},
		{"//evil/a://b", false},
		{"/a#b", false},
		{"/#", false},
		{"/a?b#c", false},
		{"/a\\b", false},
		{"/a\"b", false},
		{"/a<b", false},
		{"/a>b", false},
		{"/a^b", false},
		{"/a`b", false},
		{"/a{b}", false},
		{"/a|b", false},
		{"/caf\xe9", false},
		{"/caf\xc3\xa9", false},
		{"/a\x00", false},
		{"/a\x01", false},
		{"/a\x7f", false},
		{"/%", false},
		{"/%2", false},
		{"/%2?a", false},
		{"/%zz", false},
		{"/%2g", false},
		{"/a?b=%zz", false},
		{"/a?b=%4", false},
		{"/%00", false},
		{"/a?b=%00", false},
		{"/a%00.html", false},

		{"/.", false},
		{"/..", false},
		{"/./a", false},
		{"/../a", false},
		{"/a/.", false},
		{"/a/..", false},
		{"/a/./b", false},
		{"/a/../b", false},
		{"/a/..?b", false},
		{"/%2e", false},
		{"/a/%2e%2e/b", false},
		{"/a/%2E%2e/b", false},
		{"/a/.%2e/b", false},
		{"/a/%2e./b", false},
		{"/a%2f..%2fb", false},
		{"/a%2F%2e%2e", false},
		{"/a/..%2fb", false},
		{"/a/..%5cb", false},
		{"/a%5c..%5cb", false},
		{"/a/..;/b", false}, // a servlet container takes the parameter off
		{"/a/..;x=y", false},
		{"/a/%2e%2e%3b/b", false},
		{"/a/.;/b", false},
	} {
		var r Request
		fault := r.Parse([]byte("GET "+row.target+" HTTP/1.1\r\nHost: h\r\n\r\n"), limits)
		if (fault == 0) != row.ok || fault != 0 && fault.Status() != 400 {
			t.Errorf("%q: got %d", row.target, fault)
			continue
		}
		if !row.ok {
			continue
		}
		path, query, has := strings.Cut(row.target, "?")
		if string(r.Target) != row.target || string(r.Path) != path || string(r.Query) != query || r.HasQuery != has {
			t.Errorf("%q: target %q, path %q, query %q %v", row.target, r.Target, r.Path, r.Query, r.HasQuery)
		}
	}
}

func TestAbsoluteForm(t *testing.T) {
	for _, row := range []struct{ target, host, want string }{
		{"http://h/a?b", "h", "/a?b"},
		{"HTTP://h/a", "h", "/a"},
		{"https://h/a", "h", "/a"},
		{"http://H:80/", "h:80", "/"},
		{"http://h/", "H", "/"},
		{"http://[::A]/", "[::a]", "/"},
		{"http://evil/a", "good", ""},
		{"http://h:81/a", "h", ""},
		{"http://h/a", "h:80", ""},
		{"http://u@h/a", "h", ""},
		{"http://h@h/a", "h", ""},
		{"http://h", "h", ""},
		{"http://h?a", "h", ""},
		{"http:///a", "h", ""},
		{"http:/a", "h", ""},
		{"http:a", "h", ""},
		{"ftp://h/a", "h", ""},
		{"://h/a", "h", ""},
		{"xhttp://h/a", "h", ""},
		{"http://h//a", "h", ""},
		{"http://h/../a", "h", ""},
		{"http://h\\@evil/a", "h", ""},
	} {
		var r Request
		fault := r.Parse([]byte("GET "+row.target+" HTTP/1.1\r\nHost: "+row.host+"\r\n\r\n"), limits)
		if got := string(r.Target); fault == 0 && got != row.want || (fault == 0) != (row.want != "") {
			t.Errorf("%s with host %s: got %q, fault %d; want %q", row.target, row.host, got, fault, row.want)
		}
	}
	var r Request
	if r.Parse([]byte("GET http://h/a HTTP/1.0\r\n\r\n"), limits) == 0 {
		t.Error("absolute-form without a Host field was accepted")
	}
}

func TestHost(t *testing.T) {
	label := strings.Repeat("a", 63)
	long := strings.Repeat(label+".", 4)[:255]
	for _, row := range []struct{ value, want string }{
		{"h", "h"},
		{"Example.COM", "example.com"},
		{"example.com.", "example.com"},
		{"example.com:8080", "example.com"},
		{"example.com:65535", "example.com"},
		{"a-b_c.d", "a-b_c.d"},
		{"127.0.0.1:80", "127.0.0.1"},
		{"[::1]", "[::1]"},
		{"[::1]:80", "[::1]"},
		{"[FE80::A]", "[fe80::a]"},
		{"[::ffff:1.2.3.4]", "[::ffff:1.2.3.4]"},
		{long, strings.TrimSuffix(long, ".")},
	} {
		var r Request
		if fault := r.Parse([]byte("GET / HTTP/1.1\r\nHost: "+row.value+"\r\n\r\n"), limits); fault != 0 || string(r.Host) != row.want {
			t.Errorf("%q: got %q, fault %d; want %q", row.value, r.Host, fault, row.want)
		}
	}
	for _, value := range []string{
		"", ".", "..", ".a", "a..b", "a..", ":80", "h:", "h:0", "h:65536", "h:99999", "h:100000", "h:+1", "h:8a", "h:80:80",
		"evil@good", "u:p@good", "good,evil", "good evil", "good\tevil", "good/evil", "good?evil", "good#evil", "good\\evil",
		"g%6fod", "caf\xc3\xa9", "good;evil", "[", "[]", "[:]", "[::1", "::1", "[::1]x", "[::1]:", "[::1%eth0]", "[v1.a]", "http://h", "*",
		strings.Repeat("a", 262),
	} {
		var r Request
		if fault := r.Parse([]byte("GET / HTTP/1.1\r\nHost: "+value+"\r\n\r\n"), limits); fault != FaultHost {
			t.Errorf("%q: got fault %d, host %q", value, fault, r.Host)
		}
	}
	for _, fields := range []string{"", "Host: h\r\nHost: h\r\n", "Host: h\r\nhost: g\r\n", "Host: h\r\nHost:\r\n"} {
		if got := parse("GET / HTTP/1.1\r\n" + fields + "\r\n"); got != FaultHost.Error() {
			t.Errorf("%q: got %s", fields, got)
		}
	}
}
