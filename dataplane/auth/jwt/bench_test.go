package jwt

import (
	"slices"
	"strings"
	"testing"
	"time"

	jose "github.com/golang-jwt/jwt/v5"
)

// payload is what Amazon Cognito puts into an ID token, and more.
func cognito(r *rig) string {
	return r.long("cognito:groups", `["admin","users"]`, "email_verified", "true", "cognito:username", `"janedoe"`,
		"origin_jti", `"aaaaaaaa-bbbb-cccc-dddd-eeeeeeeeeeee"`, "event_id", `"64f513be-32db-42b0-b78e-b02127b4f463"`,
		"token_use", `"id"`, "auth_time", "1676312777", "jti", `"aaaaaaaa-bbbb-cccc-dddd-eeeeeeeeeeee"`,
		"email", `"jane@example.com"`, "scope", `"openid orders/read"`, "client_id", `"orders"`)
}

// BenchmarkCheck is about a token seen before, and one seen for the first time.
func BenchmarkCheck(b *testing.B) {
	each(b, func(b *testing.B, c *cost) {
		b.Run("seen", func(b *testing.B) {
			c.seen(b)
			b.ReportAllocs()
			for b.Loop() {
				c.seen(b)
			}
		})
		b.Run("first", func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				c.first(b)
			}
		})
	})
}

// BenchmarkLibrary is what the library needs to verify the same token: the
// signature alone, and all with its own parser.
func BenchmarkLibrary(b *testing.B) {
	each(b, func(b *testing.B, c *cost) {
		b.Run("signature", func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				c.bareVerify(b)
			}
		})
		b.Run("parser", func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				c.parser(b)
			}
		})
	})
}

// BenchmarkRatios takes turns, and reports the medians as multiples of the
// library's time for the signature.
func BenchmarkRatios(b *testing.B) {
	each(b, func(b *testing.B, c *cost) {
		const seen = 64 // at a time
		all := [4][]float64{}
		measure := func(n int, f func()) {
			start := time.Now()
			f()
			all[n] = append(all[n], float64(time.Since(start)))
		}
		for b.Loop() {
			measure(0, func() { c.bareVerify(b) })
			measure(1, func() { c.first(b) })
			measure(2, func() {
				for range seen {
					c.seen(b)
				}
			})
			measure(3, func() { c.parser(b) })
		}
		var median [4]float64
		for n := range all {
			slices.Sort(all[n])
			median[n] = all[n][len(all[n])/2]
		}
		b.ReportMetric(median[1]/median[0], "first/signature")
		b.ReportMetric(median[2]/seen/median[0], "seen/signature")
		b.ReportMetric(median[3]/median[0], "parser/signature")
	})
}

// cost is a token and who verifies it.
type cost struct {
	r         *rig
	s         *signer
	token     []byte
	scopes    Scopes
	now       int64
	text      string
	signed    string
	signature []byte
	public    any
	plain     *jose.Parser
}

// each runs f for both algorithms that are common.
func each(b *testing.B, f func(b *testing.B, c *cost)) {
	for _, k := range [][2]string{{"ES256", "P-256"}, {"RS256", "RSA 2048"}} {
		b.Run(k[0], func(b *testing.B) {
			s := newSigner(b, "abcdefghijklmnopqrsexample=", k[0], k[1])
			c := &cost{r: newRig(b, s), s: s, now: 1, public: s.private.Public(), plain: jose.NewParser(jose.WithoutClaimsValidation())}
			c.text = s.token(b, cognito(c.r))
			c.token = []byte(c.text)
			at := strings.LastIndexByte(c.text, '.')
			c.signed = c.text[:at]
			var err error
			if c.signature, err = base64url.DecodeString(c.text[at+1:]); err != nil {
				b.Fatal(err)
			}
			if c.scopes, err = CompileScopes([]string{"orders/write", "orders/read"}); err != nil {
				b.Fatal(err)
			}
			f(b, c)
		})
	}
}

func (c *cost) seen(b *testing.B) {
	if got, _ := c.r.Check(c.token, c.scopes, c.now, c.r.clock.wall()); got != Valid {
		b.Fatal(got)
	}
}

// first comes so late that the verdict before has expired.
func (c *cost) first(b *testing.B) {
	c.now += 2 * int64(time.Hour)
	if c.now > 1<<62 {
		c.now = 1
		c.r.verdicts.good.Flush()
	}
	c.seen(b)
}

func (c *cost) bareVerify(b *testing.B) {
	if c.s.method.Verify(c.signed, c.signature, c.public) != nil {
		b.Fatal("bad signature")
	}
}

func (c *cost) parser(b *testing.B) {
	if _, err := c.plain.Parse(c.text, func(*jose.Token) (any, error) { return c.public, nil }); err != nil {
		b.Fatal(err)
	}
}
