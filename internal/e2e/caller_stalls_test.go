package e2e

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/tidegate/tidegate/internal/gatetest"
)

// liar is a server whose connections say something else each time, and never what
// is asked for.
func liar(t testing.TB) (addr string) {
	t.Helper()
	var n atomic.Int64
	return gatetest.NewBackend(t, func(conn net.Conn) {
		_, _ = conn.Read(make([]byte, 8<<10))
		says := []string{
			"HTTP/1.1 200 OK\r\nContent-Length: 5000\r\n\r\n{", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nffffffff\r\n",
			"SSH-2.0-x\r\n", "HTTP/1.1 100 Continue\r\n\r\n", "HTTP/1.1 200 OK\r\nContent-Length: 11\r\n\r\n{\"keys\":[]}", "",
		}
		_, _ = io.WriteString(conn, says[n.Add(1)%int64(len(says))])
		_ = conn.SetReadDeadline(time.Now().Add(time.Second))
		_, _ = io.Copy(io.Discard, conn)
	}).Addr
}

// troubles are places where nothing good comes from: slow, huge, lying and dead.
func troubles(t testing.TB) map[string]string {
	t.Helper()
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body) // or the server does not notice that the client has gone
		for strings.HasPrefix(r.URL.Path, "/huge") && r.Context().Err() == nil {
			if _, err := io.WriteString(w, strings.Repeat(" ", 64<<10)); err != nil {
				return
			}
		}
		<-r.Context().Done()
	}))
	t.Cleanup(s.Close)
	return map[string]string{"slow": s.URL + "/slow", "huge": s.URL + "/huge", "lying": "http://" + liar(t), "dead": "http://" + freeAddr(t)}
}

// pace measures a request on one connection again and again.
type pace struct {
	addr, target string
	fields       []string
	took         [2][]time.Duration // without and with the attack
	err          error
}

// run makes requests until told to stop, and counts each as with says.
func (p *pace) run(with *atomic.Int32, stop <-chan struct{}) {
	c, err := dial(p.addr)
	if err != nil {
		p.err = err
		return
	}
	defer c.conn.Close()
	_ = c.conn.SetDeadline(time.Now().Add(time.Minute))
	for {
		select {
		case <-stop:
			return
		case <-time.After(2 * time.Millisecond):
		}
		began, phase := time.Now(), with.Load()
		a, err := c.ask("GET", p.target, "", p.fields...)
		if err == nil && a.status != 200 {
			err = fmt.Errorf("%d %s", a.status, a.body)
		}
		if err != nil {
			p.err = err
			return
		}
		if phase >= 0 && phase == with.Load() {
			p.took[phase] = append(p.took[phase], time.Since(began))
		}
	}
}

// medians returns what the median request takes without the attack and with it, in
// milliseconds.
func (p *pace) medians() (before, after float64) {
	var median [2]float64
	for i, all := range p.took {
		slices.Sort(all)
		median[i] = float64(all[len(all)/2]) / float64(time.Millisecond)
	}
	return median[0], median[1]
}

// Issuers and authorizers that are slow, dead, huge or not what they say hold up
// nobody but who asks for them: routes without, and with another authorizer or
// issuer, answer all their requests, as fast as ever.
func TestTroublesHoldUpNobodyElse(t *testing.T) {
	key := gatetest.NewSigningKey(t, "k", "ES256")
	issuer := gatetest.NewIssuer(t, false, key)
	owner, backend, bad := startOwner(t), startTold(t), troubles(t)
	d := start(t, host{more: fmt.Sprintf("tokens: {allow_http: true, allow_private: true}\nauthorizers: {timeout: 300ms, max_calls: 8, max_waiting: 64}\nlambda: {functions: [{name: guard, url: %q}]}", bad["slow"])})
	jwtScheme := func(name, issuer string) string {
		return fmt.Sprintf(`%s: {type: oauth2, x-amazon-apigateway-authorizer: {type: jwt, jwtConfiguration: {issuer: %q, audience: [shop]}}}`, name, issuer)
	}
	schemes := []string{
		tokenScheme("good", owner.http(), ", authorizerResultTtlInSeconds: 0"), tokenScheme("function", functionURI, ""), jwtScheme("issuer", issuer.URL),
	}
	paths := map[string]string{"/open": "[]", "/good": "[{good: []}]", "/issuer": "[{issuer: []}]", "/function": "[{function: []}]"}
	type request struct{ target, field string }
	attack := []request{{"/prod/function", "Authorization: "}}
	for name, url := range bad {
		schemes = append(schemes, tokenScheme("token-"+name, url, ""), jwtScheme("jwt-"+name, url))
		paths["/token-"+name], paths["/jwt-"+name] = "[{token-"+name+": []}]", "[{jwt-"+name+": []}]"
		attack = append(attack, request{"/prod/token-" + name, "Authorization: "},
			request{"/prod/jwt-" + name, "Authorization: " + key.Token(issuer.Claims(gatetest.Claims{"iss": url, "aud": "shop"}))})
	}
	d.deploy("prod", callersAPI(backend.addr, "", schemes, paths), nil)

	var with atomic.Int32 // 0 without, 1 with the attack, -1 in between
	with.Store(-1)
	stop := make(chan struct{})
	var all sync.WaitGroup
	paces := []*pace{
		{target: "/prod/open"}, {target: "/prod/good", fields: []string{"Authorization: allow"}},
		{target: "/prod/issuer", fields: []string{"Authorization: " + key.Token(issuer.Claims(gatetest.Claims{"aud": "shop"}))}},
	}
	for _, p := range paces {
		p.addr = d.addr
		all.Go(func() { p.run(&with, stop) })
	}
	var counts [600]atomic.Int64 // answers of the attack, by status
	for i, r := range attack {
		for n := range 2 {
			all.Go(func() {
				for turn := 0; ; turn++ {
					select {
					case <-stop:
						return
					case <-time.After(20 * time.Millisecond):
					}
					if with.Load() != 1 {
						continue
					}
					field := r.field
					if strings.HasSuffix(field, ": ") { // another caller each time
						field += fmt.Sprintf("x%d-%d-%d", i, n, turn)
					}
					a, err := askOnce(d.addr, "GET", r.target, "", field)
					if err != nil {
						t.Errorf("%s: %v", r.target, err)
						return
					}
					counts[a.status].Add(1)
				}
			})
		}
	}
	for range lesser(6, 4) {
		for _, phase := range []int32{0, 1} {
			with.Store(phase)
			time.Sleep(500 * time.Millisecond)
			with.Store(-1) // what is under way ends
			time.Sleep(200 * time.Millisecond)
		}
	}
	close(stop)
	all.Wait()
	for _, p := range paces {
		if p.err != nil || len(p.took[0]) == 0 || len(p.took[1]) == 0 {
			t.Errorf("%s: %v; %d and %d requests", p.target, p.err, len(p.took[0]), len(p.took[1]))
			continue
		}
		before, after := p.medians()
		t.Logf("%s: the median of %d requests is %.2f ms, %.2f ms of %d before", p.target, len(p.took[1]), after, before, len(p.took[0]))
		if slower(before, after, 2, 5) {
			t.Errorf("%s: %.2f ms, %.2f without the attack", p.target, after, before)
		}
	}
	attacks := int64(0)
	for status := range counts {
		if n := counts[status].Load(); n > 0 {
			t.Logf("%d attacks were answered with %d", n, status)
			if attacks += n; status != 401 && status != 500 && status != 503 {
				t.Errorf("%d attacks were answered with %d", n, status)
			}
		}
	}
	if attacks < 100 {
		t.Errorf("%d attacks only", attacks)
	}
	if n := backend.requests.Load(); n < int64(len(paces[0].took[0])) {
		t.Errorf("%d requests reached the backend", n)
	}
}
