package iam

import (
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/tidegate/tidegate/dataplane/auth/policy"
	"github.com/tidegate/tidegate/dataplane/auth/sigv4"
	"github.com/tidegate/tidegate/dataplane/definition"
)

// crowd is a change that brings so many users, each with two keys, an inline
// policy and one that all share.
func crowd(n int) definition.Change {
	ch := definition.Change{PutPolicies: []*definition.ManagedPolicy{
		managedPolicy("read", document(allow("/prod/GET/*"))), managedPolicy("team", document(allow("/prod/POST/${aws:PrincipalTag/team}/*"))),
	}}
	for i := range n {
		name := fmt.Sprintf("user%05d", i)
		ch.PutUsers = append(ch.PutUsers, user(name, tagged("team", "blue"), attached("read", "team"),
			inline("office", document(`{'Effect':'Deny','Action':'*','Resource':'*','Condition':{'Bool':{'aws:SecureTransport':'false'}}}`))))
		for _, half := range []string{"A", "B"} {
			ch.PutAccessKeys = append(ch.PutAccessKeys, key(fmt.Sprintf("AKIA%s%015d", half, i), name, secret))
		}
	}
	return ch
}

// TestSwapsBesideLookups has every look-up see a catalog whole: the tag and the
// policy of a user change together, and only their pairs allow.
func TestSwapsBesideLookups(t *testing.T) {
	const id, blinking = "AKIAAAAAAAAAAAAAAAAA", "AKIABBBBBBBBBBBBBBBB"
	teams := []string{"blue", "red"}
	states := make([]definition.Change, len(teams))
	for i, team := range teams {
		states[i].PutUsers = []*definition.User{user("ann", tagged("team", team),
			inline("i", document(`{'Effect':'Allow','Action':'*','Resource':'*','Condition':{'StringEquals':{'aws:PrincipalTag/team':'`+team+`'}}}`)))}
		blink := key(blinking, "ann", other)
		blink.Active = i == 0
		states[i].PutAccessKeys = []*definition.AccessKey{blink}
	}
	g := newGate(t, states[0], definition.Change{PutAccessKeys: []*definition.AccessKey{key(id, "ann", secret)}})
	v := sigv4.New(sigv4.Config{Region: region, Credentials: g})
	steady, other := signed(t, id, secret), signed(t, blinking, other)
	var stop atomic.Bool
	var rounds atomic.Int64
	var wg sync.WaitGroup
	for range 3 {
		wg.Go(func() {
			for !stop.Load() {
				identity, refused := verify(v, steady)
				if refused != "" {
					t.Errorf("the steady key: %s", refused)
					return
				}
				c := policy.Context{Now: at.UnixNano()}
				if d := identity.Principal.(*Principal).Evaluate(policy.Invoke, api+"/prod/GET/x", &c); d != policy.Allow {
					t.Errorf("%v with tags %v", d, c.PrincipalTags)
					return
				}
				if _, refused := verify(v, other); refused != "" && refused != "UnrecognizedClientException" {
					t.Errorf("the other key: %s", refused)
					return
				}
				rounds.Add(1)
			}
		})
	}
	deadline := time.Now().Add(10 * time.Second)
	for i := 0; i < 500 || rounds.Load() < 500 && time.Now().Before(deadline) && !t.Failed(); i++ {
		g.apply(t, states[i%2])
	}
	stop.Store(true)
	wg.Wait()
	if rounds.Load() == 0 {
		t.Error("nobody looked")
	}
}

func TestHotPathDoesNotAllocate(t *testing.T) {
	if underRace {
		t.Skip("the race detector allocates")
	}
	g := newGate(t, crowd(100))
	known, unknown := []byte("AKIAA000000000000042"), []byte("AKIAA000000000000101")
	p := g.Lookup(known).Principal.(*Principal)
	c := policy.Context{SecureTransport: true, Now: at.UnixNano()}
	const arn = api + "/prod/POST/blue/1"
	for name, f := range map[string]func() bool{
		"Lookup":                func() bool { return g.Lookup(known) != nil },
		"Lookup of an unknown":  func() bool { return g.Lookup(unknown) == nil },
		"Evaluate":              func() bool { return p.Evaluate(policy.Invoke, arn, &c) == policy.Allow },
		"Evaluate that refuses": func() bool { return p.Evaluate(policy.InvalidateCache, arn, &c) == policy.ImplicitDeny },
		"Describe":              func() bool { p.Describe(&c); return c.Username == "user00042" },
	} {
		if n := testing.AllocsPerRun(100, func() {
			if !f() {
				t.Fatal(name)
			}
		}); n != 0 {
			t.Errorf("%s: %.1f allocations", name, n)
		}
	}
}

// TestUnknownKeysTakeTheSameTime compares the fastest of many batches, which
// noise does not reach, of requests with a wrong signature and of requests with
// an unknown key.
func TestUnknownKeysTakeTheSameTime(t *testing.T) {
	if underRace {
		t.Skip("the race detector takes the time")
	}
	g := newGate(t, crowd(1000))
	v := sigv4.New(sigv4.Config{Region: region, Credentials: g})
	known, unknown := signed(t, "AKIAA000000000000042", other), signed(t, "AKIAC000000000000042", other)
	batch := func(r int) int64 {
		head := known
		if r == 1 {
			head = unknown
		}
		start := time.Now()
		for range 50 {
			if _, refused := verify(v, head); refused == "" {
				t.Fatal("accepted")
			}
		}
		return int64(time.Since(start))
	}
	var took [2][]int64
	for i := range 400 {
		took[i%2] = append(took[i%2], batch(i%2))
	}
	a, b := float64(slices.Min(took[0])), float64(slices.Min(took[1]))
	if ratio := b / a; ratio < 0.8 || ratio > 1.25 {
		t.Errorf("an unknown key takes %.2f of the time of a known one", ratio)
	} else {
		t.Logf("an unknown key takes %.3f of the time of a known one", ratio)
	}
}

func BenchmarkLookup(b *testing.B) {
	g := newGate(b, crowd(5000))
	for name, id := range map[string]string{"known": "AKIAA000000000000042", "unknown": "AKIAC000000000000042"} {
		b.Run(name, func(b *testing.B) {
			key := []byte(id)
			b.ReportAllocs()
			for b.Loop() {
				g.Lookup(key)
			}
		})
	}
}

func BenchmarkEvaluate(b *testing.B) {
	g := newGate(b, crowd(1))
	p := g.Lookup([]byte("AKIAA000000000000000")).Principal.(*Principal)
	c := policy.Context{SecureTransport: true, Now: at.UnixNano()}
	b.ReportAllocs()
	for b.Loop() {
		if p.Evaluate(policy.Invoke, api+"/prod/POST/blue/1", &c) != policy.Allow {
			b.Fatal("refused")
		}
	}
}

// BenchmarkCompile compiles 5,000 users with 10,000 keys: all of them, as at the
// start, and after a change of one.
func BenchmarkCompile(b *testing.B) {
	catalog := (&definition.Catalog{}).With(crowd(5000))
	b.Run("start", func(b *testing.B) {
		for b.Loop() {
			if _, err := NewStore(account).Compile(catalog); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("change of one", func(b *testing.B) {
		g := newGate(b)
		g.catalog = catalog
		g.apply(b, definition.Change{})
		next := catalog.With(definition.Change{PutUsers: []*definition.User{user("user00042")}})
		for b.Loop() {
			if _, err := g.Compile(next); err != nil {
				b.Fatal(err)
			}
		}
	})
}
