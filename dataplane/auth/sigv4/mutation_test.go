package sigv4

import (
	"math/rand/v2"
	"strings"
	"testing"
)

// Every byte of a request that is signed, changed into another, makes it
// another request.
func TestR34RefusesEveryChangedByte(t *testing.T) {
	g, v := generator{rand.New(rand.NewPCG(3, 4))}, newVerifier()
	mutations, accepted := 0, 0
	for i := range 16 {
		head, body := g.request(t, i%2 == 1)
		h := sha(body)
		line, _, _ := strings.Cut(head, "\r\n")
		for at := range len(head) {
			for _, c := range []byte{'x', 'Y', '0', '/', '&', '%'} {
				if head[at] == c || sameThing(head, line, at, c) {
					continue
				}
				changed := head[:at] + string(c) + head[at+1:]
				r := parse(changed)
				if r == nil || unsignedChange(head, at) {
					continue
				}
				mutations++
				if got := outcome(v.Verify(r, host, &h, now)); got == "ok" {
					accepted++
					t.Errorf("accepted with byte %d as %q\n%s\n%s", at, c, head, changed)
				}
			}
		}
		if accepted > 3 {
			t.FailNow()
		}
	}
	if mutations < 10000 {
		t.Fatalf("only %d mutations", mutations)
	}
}

// sameThing reports whether the change leaves the meaning as it is: a letter of
// a field name or of the host in another case.
func sameThing(head, line string, at int, c byte) bool {
	return at > len(line) && strings.EqualFold(head[at:at+1], string(c))
}

// unsignedChange reports whether byte at is of the protocol version, or in a line
// that net/http adds after the signature.
func unsignedChange(head string, at int) bool {
	start := strings.LastIndex(head[:at], "\n") + 1
	return strings.HasPrefix(head[at:], "1\r\n") && start == 0 ||
		strings.HasPrefix(head[start:], "Transfer-Encoding:") ||
		strings.HasPrefix(head[start:], "Content-Length: 0")
}

func TestR34RefusesOtherChanges(t *testing.T) {
	v := newVerifier()
	const body = `{"a":1}`
	r := request(t, "POST", "/prod/pets/a%20b?b=2&a=1&a=0&e", "Content-Type: text/plain|X-Amz-Meta: one two|X-Two: 1|X-Two: 2|X-Empty: ", body)
	sign(t, r, temporary, hexSHA(body), at)
	head, h := wire(t, r), sha(body)
	if got := verdict(t, v, head, &h, now); got != "ok" {
		t.Fatalf("%s\n%s", got, head)
	}
	replace := func(old, new string) string {
		changed := strings.Replace(head, old, new, 1)
		if changed == head {
			t.Fatalf("no %q in\n%s", old, head)
		}
		return changed
	}
	for i, changed := range []string{
		replace("POST", "PUT"),
		replace("/prod/pets", "/prod/pet"),
		replace("/prod/pets", "/prod/pets/"), // an empty segment
		replace("/a%20b", "/a%20b/"),
		replace("/a%20b", "/a+b"),
		replace("/a%20b", "/a%2520b"),
		replace("/pets", "/%70ets"),
		replace("/prod/", "/prod%2F"),
		replace("a=0&a=1&", "a=0&"),
		replace("a=0&a=1&", "a=0&a=1&a=1&"),
		replace("a=0&a=1&", "A=0&a=1&"),
		replace("a=0&a=1&", "a=0&a=1&&"),
		replace("&e=", ""),
		replace("&e=", "&e=&e="),
		replace("&e=", "&e=&"),
		replace("&e=", "&e=="),
		replace("X-Amz-Meta: one two", "X-Amz-Meta: onetwo"),
		replace("X-Amz-Meta: one two\r\n", ""),
		replace("X-Amz-Meta: one two\r\n", "X-Amz-Meta: one two\r\nX-Amz-Meta: \r\n"),
		replace("X-Amz-Meta: one two\r\n", "X-Amz-Meta: one two\r\nX-Amz-Other: 1\r\n"),
		replace("X-Two: 1\r\nX-Two: 2\r\n", "X-Two: 2\r\nX-Two: 1\r\n"),
		replace("X-Two: 1\r\n", ""),
		replace("X-Empty: \r\n", ""),
		replace("Content-Length: 7\r\n", "Transfer-Encoding: chunked\r\n"),
		replace("Host: "+host, "Host: other.example.com"),
		replace("Host: "+host, "Host: "+host+":80"),
		replace("X-Amz-Security-Token: F", "X-Amz-Security-Token: f"),
		replace("X-Amz-Security-Token: "+tempWord+"\r\n", ""),
		replace("X-Amz-Security-Token: ", "X-Amz-Security-Token: \r\nX-Amz-Security-Token: "),
		replace(tempID, keyID),
		replace(tempID, "ASIANOBODY"),
		replace("X-Amz-Date: 20261122T102011Z", "X-Amz-Date: 20261122T102012Z"),
		replace("X-Amz-Date: 20261122T102011Z\r\n", "X-Amz-Date: 20261122T102011Z\r\nX-Amz-Date: 20261122T102011Z\r\n"),
		replace("X-Amz-Date: 20261122T102011Z\r\n", "Date: Sun, 22 Nov 2026 10:20:11 GMT\r\n"),
		replace("host;", ""),
		replace("content-type;", ""),
		replace("content-type;host", "host;content-type"),
		replace("content-type;", "content-type;content-type;"),
		replace("x-two", "x-two;x-two"),
		replace("us-east-1", "us-east-2"),
		replace("execute-api", "apigateway"),
		replace("aws4_request", "aws4_requests"),
		replace("AWS4-HMAC-SHA256", "AWS4-HMAC-SHA1"),
		replace("AWS4-HMAC-SHA256", "AWS4-ECDSA-P256-SHA256"),
	} {
		if got := verdict(t, v, changed, &h, now); got == "ok" {
			t.Errorf("%d accepted:\n%s", i, changed)
		}
	}
	r1 := parse(head)
	for _, other := range []string{"", "other.example.com", "api.example.com:80"} {
		if _, failure := v.Verify(r1, other, &h, now); failure == nil {
			t.Errorf("accepted at host %q", other)
		}
	}
	other := sha("other")
	if got := verdict(t, v, head, &other, now); got == "ok" {
		t.Error("accepted with another body")
	}
	if got := verdict(t, v, head, nil, now); got == "ok" {
		t.Error("accepted without having read the body")
	}
	wrongRegion := newVerifier(func(c *Config) { c.Region = "eu-west-1" })
	if got := verdict(t, wrongRegion, head, &h, now); got == "ok" {
		t.Error("accepted in another region")
	}
	otherService := newVerifier(func(c *Config) { c.Service = "apigateway" })
	if got := verdict(t, otherService, head, &h, now); got == "ok" {
		t.Error("accepted for another service")
	}
}
