package sigv4

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"testing"
)

// documented signs as the AWS documentation says, step by step. It returns the
// value of Authorization for a request with the given fields ("name: value") and
// the hash of its body.
func documented(method, path, query string, fields []string, payload, isoTime string) string {
	canonicalPath := strings.ReplaceAll(url.PathEscape(path), "%2F", "/")
	for _, c := range "$&+=:@" { // what PathEscape leaves
		canonicalPath = strings.ReplaceAll(canonicalPath, string(c), fmt.Sprintf("%%%02X", c))
	}
	type parameter struct{ name, value string }
	var parameters []parameter
	encode := func(s string) string {
		text, err := url.QueryUnescape(s)
		if err != nil {
			panic(err)
		}
		return strings.ReplaceAll(url.QueryEscape(text), "+", "%20")
	}
	if query != "" {
		for pair := range strings.SplitSeq(query, "&") {
			name, value, _ := strings.Cut(pair, "=")
			parameters = append(parameters, parameter{encode(name), encode(value)})
		}
	}
	slices.SortFunc(parameters, func(a, b parameter) int {
		if order := strings.Compare(a.name, b.name); order != 0 {
			return order
		}
		return strings.Compare(a.value, b.value)
	})
	var pairs []string
	for _, p := range parameters {
		pairs = append(pairs, p.name+"="+p.value)
	}
	values := map[string][]string{}
	for _, field := range fields {
		name, value, _ := strings.Cut(field, ":")
		name = strings.ToLower(name)
		values[name] = append(values[name], strings.Join(strings.Fields(value), " "))
	}
	var names []string
	for name := range values {
		names = append(names, name)
	}
	slices.Sort(names)
	canonical := method + "\n" + canonicalPath + "\n" + strings.Join(pairs, "&") + "\n"
	for _, name := range names {
		canonical += name + ":" + strings.Join(values[name], ",") + "\n"
	}
	signed := strings.Join(names, ";")
	canonical += "\n" + signed + "\n" + payload

	h := sha256.Sum256([]byte(canonical))
	scope := isoTime[:8] + "/" + region + "/execute-api/aws4_request"
	text := "AWS4-HMAC-SHA256\n" + isoTime + "\n" + scope + "\n" + hex.EncodeToString(h[:])
	key := []byte("AWS4" + secret)
	for _, step := range append(strings.Split(scope, "/"), text) {
		m := hmac.New(sha256.New, key)
		m.Write([]byte(step))
		key = m.Sum(nil)
	}
	return "AWS4-HMAC-SHA256 Credential=" + keyID + "/" + scope + ", SignedHeaders=" + signed + ", Signature=" + hex.EncodeToString(key)
}

// Clients that sign as documented, where the SDK for Go does otherwise.
func TestAcceptsWhatIsDocumented(t *testing.T) {
	v := newVerifier()
	for _, row := range []struct {
		name, target string
		fields       []string
	}{
		{"nothing special", "/prod/pets", nil},
		{"root", "/", nil},
		{"no parameters", "/?", nil},
		{"order by encoded bytes, where ':' is before '-'", "/a?a-=1&a:=2&a=3", nil},
		{"order of values by encoded bytes", "/a?a=-&a=:&a=", nil},
		{"order of encoded names", "/a?Param-3=3&Param=2&%E1%88%B4=1", nil},
		{"names before values", "/a?a-b=1&a=2", nil},
		{"duplicates", "/a?b=2&a=2&b=1&b=", nil},
		{"no equal-sign", "/a?b&a&a=", nil},
		{"empty pairs", "/a?b&&a&", nil},
		{"no name", "/a?=1", nil},
		{"equal-sign in a value", "/a?b=c=d", nil},
		{"plus", "/a?b=c+d&e+f=1", nil},
		{"lower-case encoding", "/a%2fb?c=%2f%e1", nil},
		{"encoded though unreserved", "/%61?%62=%7E", nil},
		{"reserved in a query", "/a?b=!$'()*,;:@/?[]", nil},
		{"reserved in a path", "/!$&'()*+,;=:@/[]", nil},
		{"path encoded once more", "/a%20b/%E1%88%B4/%25", nil},
		{"empty segments", "/a//b/", nil},
		{"case of field names", "/a", []string{"X-CUSTOM: 1", "x-other: 2"}},
		{"white space in fields", "/a", []string{"X-Custom: \t a \t  b  \t c \t"}},
		{"white space in quotes", "/a", []string{`X-Custom: "a   b"`}},
		{"repeated field, in the order sent", "/a", []string{"X-Custom: 4", "X-Other: a", "X-Custom: 1", "x-custom: 3"}},
		{"empty field", "/a", []string{"X-Custom:"}},
		{"bytes over 127", "/a", []string{"X-Custom: caf\xe9 \xe1\x88\xb4"}},
	} {
		path, query, _ := strings.Cut(row.target, "?")
		for _, date := range []string{"X-Amz-Date: 20261122T102011Z", "Date: Sun, 22 Nov 2026 10:20:11 GMT",
			"Date: Sunday, 22-Nov-26 10:20:11 GMT", "Date: Sun Nov 22 10:20:11 2026", "Date: 20261122T102011Z"} {
			fields := append([]string{"Host: " + host, date}, row.fields...)
			authorization := documented("GET", path, query, fields, hexSHA(""), "20261122T102011Z")
			head := "GET " + row.target + " HTTP/1.1\r\nAuthorization: " + authorization + "\r\n" + strings.Join(fields, "\r\n") + "\r\n\r\n"
			if got := verdict(t, v, head, nil, now); got != "ok" {
				t.Errorf("%s: %s\n%s", row.name, got, head)
			}
		}
	}
}

func TestJoinSlashes(t *testing.T) {
	strict, joins := newVerifier(), newVerifier(func(c *Config) { c.JoinSlashes = true })
	for _, row := range []struct {
		signed, sent string
		joined       bool // accepted with JoinSlashes only
	}{
		{"/a//b", "/a//b", false},
		{"/a/b", "/a//b", true},
		{"/a/b/", "/a/b//", true},
		{"/a/b/", "/a///b//", true},
	} {
		fields := []string{"Host: " + host, "X-Amz-Date: 20261122T102011Z"}
		head := "GET " + row.sent + " HTTP/1.1\r\n" + strings.Join(fields, "\r\n") + "\r\nAuthorization: " +
			documented("GET", row.signed, "", fields, hexSHA(""), "20261122T102011Z") + "\r\n\r\n"
		if got := verdict(t, strict, head, nil, now); (got == "ok") == row.joined {
			t.Errorf("%s for %s: %s", row.sent, row.signed, got)
		}
		if got := verdict(t, joins, head, nil, now); got != "ok" {
			t.Errorf("%s for %s, joining slashes: %s", row.sent, row.signed, got)
		}
	}
	head := "GET /a/b HTTP/1.1\r\nHost: " + host + "\r\nX-Amz-Date: 20261122T102011Z\r\nAuthorization: " +
		documented("GET", "/a//b", "", []string{"Host: " + host, "X-Amz-Date: 20261122T102011Z"}, hexSHA(""), "20261122T102011Z") + "\r\n\r\n"
	if got := verdict(t, joins, head, nil, now); got == "ok" {
		t.Error("accepted a path less a segment")
	}
}
