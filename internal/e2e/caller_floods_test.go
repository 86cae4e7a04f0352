package e2e

import (
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/tidegate/tidegate/internal/gatetest"
)

// A flood of tokens that are none neither has good callers forgotten nor the
// authorizer, or the issuer, asked without bound: what is too much is answered 503,
// and who is known is served meanwhile.
func TestFloodsOfGarbage(t *testing.T) {
	const most = 4
	key := gatetest.NewSigningKey(t, "k", "ES256")
	issuer := gatetest.NewIssuer(t, false, key)
	owner, backend := startOwner(t), startTold(t)
	owner.delay = 20 * time.Millisecond
	d := start(t, host{more: fmt.Sprintf("tokens: {allow_http: true, allow_private: true}\nauthorizers: {max_calls: %d, max_waiting: 16}", most)})
	d.deploy("prod", callersAPI(backend.addr, "", []string{
		tokenScheme("token", owner.http(), ""), fmt.Sprintf(`jwt: {type: oauth2, x-amazon-apigateway-authorizer: {type: jwt, jwtConfiguration: {issuer: %q, audience: [shop]}}}`, issuer.URL),
	}, map[string]string{"/token": "[{token: []}]", "/jwt": "[{jwt: []}]"}), nil)
	jwt := func(jti string) string { return key.Token(issuer.Claims(gatetest.Claims{"aud": "shop", "jti": jti})) }
	var good []string // fields of callers that are known
	for n := range 20 {
		good = append(good, "Authorization: allow-"+fmt.Sprint(n), "Authorization: "+jwt(fmt.Sprint(n)))
	}
	path := func(n int) string { return []string{"/prod/token", "/prod/jwt"}[n%2] }
	for n, field := range good {
		if a := d.ask("GET", path(n), "", field); a.status != 200 {
			t.Fatalf("%s: %d %s", field, a.status, a.body)
		}
	}
	known, _ := owner.calls(0)
	checked, fetched := d.metric("tidegate_token_signatures_total"), issuer.Fetches.Load()

	stop := make(chan struct{})
	var counts [600]atomic.Int64
	var all sync.WaitGroup
	began := time.Now()
	stranger := gatetest.NewSigningKey(t, "nobody", "ES256")
	for n := range 32 {
		all.Go(func() {
			c, err := dial(d.addr)
			if err != nil {
				t.Error(err)
				return
			}
			defer c.conn.Close()
			for turn := 0; ; turn++ {
				select {
				case <-stop:
					return
				case <-time.After(time.Millisecond):
				}
				field := fmt.Sprintf("Authorization: deny-%d-%d", n, turn)
				if n%4 == 1 { // of a key that the issuer may have by now
					field = "Authorization: " + stranger.Token(issuer.Claims(gatetest.Claims{"aud": "shop", "jti": fmt.Sprint(n, turn)}))
				} else if n%4 == 3 {
					field = fmt.Sprintf("Authorization: garbage.%d.%d", n, turn)
				}
				a, err := c.ask("GET", path(n), "", field)
				if err != nil {
					t.Error(err)
					return
				}
				counts[a.status].Add(1)
				if a.status == 503 && (a.body != `{"message":"Service Unavailable"}` || a.header.Get("Retry-After") != "1") {
					t.Errorf("busy: %s %v", a.body, a.header)
				}
			}
		})
	}
	time.Sleep(200 * time.Millisecond)
	tr := newTraffic(4, d.addr, 2*time.Millisecond, func(c *client, turn int) error {
		n := turn % len(good)
		a, err := c.ask("GET", path(n), "", good[n])
		if err == nil && a.status != 200 {
			err = fmt.Errorf("%s: %d %s", good[n], a.status, a.body)
		}
		return err
	})
	time.Sleep(2 * time.Second)
	tr.Stop(t)
	close(stop)
	all.Wait()
	took := time.Since(began)
	asked, _ := owner.calls(0)
	for status := range counts {
		if n := counts[status].Load(); n > 0 {
			t.Logf("%d answered with %d", n, status)
			if status != 401 && status != 403 && status != 503 {
				t.Errorf("%d answered with %d", n, status)
			}
		}
	}
	if counts[403].Load() == 0 || counts[503].Load() == 0 || counts[401].Load() == 0 {
		t.Error("it was no flood")
	}
	if n := owner.mostUnder.Load(); n > most {
		t.Errorf("%d calls at once", n)
	}
	if limit := int(took/owner.delay+1) * most; asked-known > limit {
		t.Errorf("%d calls, more than %d at once can be", asked-known, limit)
	}
	if n := issuer.Fetches.Load() - fetched; n > 1 {
		t.Errorf("the issuer's keys were fetched %d times", n)
	}
	for n, field := range good { // all of them are still known
		if a := d.ask("GET", path(n), "", field); a.status != 200 {
			t.Errorf("%s: %d %s", field, a.status, a.body)
		}
	}
	if now, _ := owner.calls(0); now != asked {
		t.Errorf("%d callers had been forgotten", now-asked)
	}
	if n := d.metric("tidegate_token_signatures_total") - checked; n != 0 {
		t.Errorf("%v signatures were verified", n)
	}
}
