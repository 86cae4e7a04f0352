package mtls

import (
	"crypto/tls"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/tidegate/tidegate/configs/truststore"
	"github.com/tidegate/tidegate/internal/testpki"
)

// TestSetLooksAtTheConnected: whom a changed store does not trust any more is
// refused from then on, and whom it trusts again is not.
func TestSetLooksAtTheConnected(t *testing.T) {
	now := time.Now()
	root, successor := testpki.NewCA(t, "root"), testpki.NewCA(t, "successor")
	ann, bob, cid := root.Client(t, "ann"), root.Client(t, "bob"), successor.Client(t, "cid")
	s := newServer(t)
	set := func(store *truststore.Store) { s.Set(map[string]*truststore.Store{"a.example": store}) }
	connect := func(id *testpki.Identity) *Client {
		t.Helper()
		o := s.shake(&tls.Config{ServerName: "a.example", Certificates: []tls.Certificate{id.TLS()}})
		if o.err != nil {
			t.Fatal(o.err)
		}
		return o.client
	}
	check := func(what string, want ...bool) func(...*Client) {
		return func(clients ...*Client) {
			t.Helper()
			for i, c := range clients {
				if got := c.Trusted([]byte("a.example"), now.UnixNano()); got != want[i] {
					t.Errorf("%s: client %d: trusted is %t", what, i, got)
				}
			}
		}
	}
	set(stores(t, testpki.Roots(root, successor), root.CRL(t, now.Add(time.Hour))))
	a, b, c, again := connect(ann), connect(bob), connect(cid), connect(ann)
	check("connected", true, true, true, true)(a, b, c, again)
	set(stores(t, testpki.Roots(root, successor), root.CRL(t, now.Add(time.Hour), ann)))
	check("one revoked", false, true, true, false)(a, b, c, again)
	set(stores(t, testpki.Roots(successor)))
	check("root dropped", false, false, true, false)(a, b, c, again)
	set(stores(t, testpki.Roots(root, successor)))
	check("root back, without a list", true, true, true, true)(a, b, c, again)
	set(stores(t, testpki.Roots(root, successor), root.CRL(t, now.Add(-time.Minute))))
	check("list out of date", false, false, true, false)(a, b, c, again)
	set(stores(t, testpki.Roots(root), root.CRL(t, now.Add(time.Hour))))
	check("list renewed", true, true, false, true)(a, b, c, again)
	s.Set(nil)
	check("not asked any more", false, false, false, false)(a, b, c, again)
	set(stores(t, testpki.Roots(root, successor)))
	check("asked again", false, false, false, false)(a, b, c, again)
	check("asked again, anew", true)(connect(ann))
}

// TestClientsAreForgotten when their connections are gone.
func TestClientsAreForgotten(t *testing.T) {
	root := testpki.NewCA(t, "root")
	s := newServer(t)
	s.Set(map[string]*truststore.Store{"a.example": stores(t, testpki.Roots(root))})
	config := &tls.Config{ServerName: "a.example", Certificates: []tls.Certificate{root.Client(t, "ann").TLS()}}
	kept := s.shake(config).client
	for range 20 {
		s.shake(config)
	}
	dom := (*s.byName.Load())["a.example"]
	count := func() int {
		dom.mu.Lock()
		defer dom.mu.Unlock()
		return len(dom.clients)
	}
	for deadline := time.Now().Add(10 * time.Second); count() > 1; time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("%d clients are kept", count())
		}
		runtime.GC()
	}
	if !kept.Trusted([]byte("a.example"), time.Now().UnixNano()) || count() != 1 {
		t.Error("the one that is connected is gone")
	}
}

// TestRotationUnderTraffic: handshakes go on while the trust store changes to and
// fro; at the end nobody is trusted by a store that was.
func TestRotationUnderTraffic(t *testing.T) {
	old, next := testpki.NewCA(t, "old"), testpki.NewCA(t, "next")
	ann, bob := old.Client(t, "ann"), next.Client(t, "bob")
	s := newServer(t)
	both, last := stores(t, testpki.Roots(old, next)), stores(t, testpki.Roots(next))
	s.Set(map[string]*truststore.Store{"a.example": both})
	var stop atomic.Bool
	var wg sync.WaitGroup
	var mu sync.Mutex
	var clients []*Client
	for i := range 4 {
		wg.Go(func() {
			id := []*testpki.Identity{ann, bob}[i%2]
			for !stop.Load() {
				o := s.shake(&tls.Config{ServerName: "a.example", Certificates: []tls.Certificate{id.TLS()}})
				if o.err != nil && id == bob {
					t.Error(o.err)
				}
				if id == ann && o.client != nil {
					mu.Lock()
					clients = append(clients, o.client)
					mu.Unlock()
				}
			}
		})
	}
	for range 50 {
		s.Set(map[string]*truststore.Store{"a.example": last})
		s.Set(map[string]*truststore.Store{"a.example": both})
		time.Sleep(time.Millisecond)
	}
	s.Set(map[string]*truststore.Store{"a.example": last})
	stop.Store(true)
	wg.Wait()
	for _, c := range clients {
		if c.Trusted([]byte("a.example"), time.Now().UnixNano()) {
			t.Fatal("a client is trusted that the store does not trust")
		}
	}
	if len(clients) == 0 {
		t.Error("nobody came in")
	}
}
