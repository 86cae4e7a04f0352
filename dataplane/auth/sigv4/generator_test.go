package sigv4

import (
	"math/rand/v2"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
)

// generator makes requests with whatever paths, queries and fields may hold.
type generator struct{ *rand.Rand }

func (g generator) text(alphabet string, most int) string {
	letters := []rune(alphabet)
	var b strings.Builder
	for range g.IntN(most + 1) {
		b.WriteRune(letters[g.IntN(len(letters))])
	}
	return b.String()
}

const (
	plain    = "abcXYZ019-._~"
	reserved = plain + "!$&'()*+,;=:@ /?#[]%\"<>\\^`{|}"
	unusual  = reserved + "é€ሴ\u00ff😀\t\u0001"
)

func (g generator) path() string {
	var b strings.Builder
	for range 1 + g.IntN(4) {
		b.WriteByte('/')
		if g.IntN(8) == 0 {
			continue // an empty segment
		}
		b.WriteString(url.PathEscape(g.text(unusual, 8)))
	}
	return b.String()
}

func (g generator) query() string {
	var pairs []string
	for range g.IntN(6) {
		name := g.text(unusual, 3)
		if g.IntN(4) == 0 && len(pairs) > 0 { // again
			name, _ = url.QueryUnescape(strings.Split(pairs[0], "=")[0])
		}
		pair := url.QueryEscape(name)
		if g.IntN(5) > 0 {
			pair += "=" + url.QueryEscape(g.text(unusual, 6))
		}
		pairs = append(pairs, pair)
	}
	return strings.Join(pairs, "&")
}

func (g generator) header(h http.Header) {
	for _, name := range []string{"X-Amz-Meta", "X-Amz-Target", "Content-Type", "X-Custom", "Accept", "x-UPPER-lower", "A", "Zz"} {
		for range max(0, g.IntN(5)-2) {
			h.Add(name, g.text(plain+"   ,;=\"\t()é€", 20))
		}
	}
}

// request returns a signed request as it is sent, with its body.
func (g generator) request(t testing.TB, presigned bool) (head, body string) {
	for {
		method := []string{"GET", "POST", "PUT", "DELETE", "HEAD", "OPTIONS", "PATCH"}[g.IntN(7)]
		body = ""
		if g.IntN(2) == 0 && method != "HEAD" {
			body = g.text(unusual, 100)
		}
		r := request(t, method, "/", "", body)
		r.URL.RawQuery = g.query()
		var err error
		if r.URL.Path, err = url.PathUnescape(g.path()); err != nil {
			t.Fatal(err)
		}
		if g.IntN(3) == 0 {
			r.Host = host + ":8443"
		}
		g.header(r.Header)
		credentials := []aws.Credentials{longTerm, temporary}[g.IntN(2)]
		if !presigned {
			if g.IntN(2) == 0 {
				r.Header.Set("X-Amz-Content-Sha256", hexSHA(body))
			}
			sign(t, r, credentials, hexSHA(body), at)
		} else {
			// The SDK moves these fields to the query without sorting their values,
			// which no verifier can expect.
			for _, name := range []string{"X-Amz-Meta", "X-Amz-Target"} {
				if v := r.Header[name]; len(v) > 1 {
					r.Header[name] = v[:1]
				}
			}
			r = presign(t, r, credentials, hexSHA(body), []string{"", "1", "604800"}[g.IntN(3)], at)
		}
		if head = wire(t, r); parse(head) != nil { // net/http sends what http1 refuses: "//", dot segments
			return head, body
		}
	}
}
