package rfc9111

import (
	"net/url"
	"strings"
	"testing"
)

func resolved(https bool, host, target, reference string) string {
	to, ok := Origin{HTTPS: https, Host: []byte(host)}.resolve([]byte(target), []byte(reference))
	if !ok {
		return ""
	}
	return string(to)
}

// RFC 9111 section 4.4; RFC 3986 section 5.
func TestResolve(t *testing.T) {
	for reference, want := range map[string]string{
		"/b":              "/b",
		"/b?c=d":          "/b?c=d",
		"/b#f":            "/b",
		"/b?c#f?g":        "/b?c",
		"b":               "/x/b",
		"./b":             "/x/b",
		"../b":            "/b",
		"../../b":         "/b",
		"..":              "/",
		".":               "/x/",
		"b/./c/../d":      "/x/b/d",
		"?z":              "/x/y?z",
		"":                "/x/y?q",
		"#f":              "/x/y?q",
		"/./b/../c":       "/c",
		"/b/..":           "/",
		"/b//c":           "/b//c",
		"//h/b":           "/b",
		"//H:80/b":        "/b",
		"http://h/b":      "/b",
		"HTTP://H/b":      "/b",
		"http://h:80/b?c": "/b?c",
		"http://h:/b":     "/b",
		"http://h":        "/",
		"http://h?c":      "/?c",
		"b:c":             "",
		"./b:c":           "/x/b:c",
		"https://h/b":     "", // another scheme
		"http://h:81/b":   "", // another port
		"http://i/b":      "", // another host
		"http://h.evil/b": "",
		"http://h@i/b":    "",
		"http://u@h/b":    "",
		"//i/b":           "",
		"http:/b":         "",
		"http:b":          "",
		"mailto:a@h":      "",
		"/a b":            "",
		"/\\i":            "",
		"\\\\i\\b":        "",
		"/\x80":           "",
		"http://h\\@i/b":  "",
	} {
		if got := resolved(false, "h", "/x/y?q", reference); got != want {
			t.Errorf("%q: %q, want %q", reference, got, want)
		}
	}
	for _, row := range []struct {
		https           bool
		host, reference string
		want            string
	}{
		{true, "h", "https://h:443/b", "/b"},
		{true, "h:443", "https://h/b", "/b"},
		{true, "h", "http://h/b", ""},
		{true, "h", "https://h:80/b", ""},
		{false, "h:8080", "http://h:8080/b", "/b"},
		{false, "h:8080", "http://h/b", ""},
		{false, "[::1]:80", "http://[::1]/b", "/b"},
	} {
		if got := resolved(row.https, row.host, "/x", row.reference); got != row.want {
			t.Errorf("%s: %q: %q, want %q", row.host, row.reference, got, row.want)
		}
	}
}

func TestEachInvalidated(t *testing.T) {
	r := response(t, "201|Location: /b|X: /x|Content-Location: c|Location: http://evil/d")
	var got []string
	EachInvalidated(Origin{Host: []byte("h")}, []byte("/a/"), r, func(target []byte) { got = append(got, string(target)) })
	if strings.Join(got, " ") != "/b /a/c" {
		t.Errorf("%q", got)
	}
}

// FuzzResolve: what a reference resolves to is what net/url makes of it.
func FuzzResolve(f *testing.F) {
	for _, s := range []string{"/b", "../c?d#e", "//h/b", "http://h:80/../b", "?q", "a//b/..", "...", "http://i/"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, reference string) {
		const base = "/x/y?q"
		got := resolved(false, "h", base, reference)
		if got == "" {
			return
		}
		if got[0] != '/' || strings.ContainsAny(got, "# \r\n") {
			t.Fatalf("%q: %q", reference, got)
		}
		b, _ := url.Parse("http://h" + base)
		u, err := b.Parse(reference)
		if err != nil {
			return
		}
		host := strings.TrimSuffix(strings.TrimSuffix(u.Host, ":80"), ":")
		if !strings.EqualFold(host, "h") || u.Scheme != "http" {
			t.Fatalf("%q is taken for our own, net/url has %v", reference, u)
		}
	})
}
