package cachestore

import (
	"errors"
	"testing"
)

// A guest waits and notes what it was woken with.
type guest struct {
	Wait
	turn   Turn
	ticket Ticket
	woken  int
}

func newGuest() *guest {
	g := &guest{}
	g.Waiter = g
	return g
}

func (g *guest) Wake(turn Turn, t Ticket) { g.turn, g.ticket, g.woken = turn, t, g.woken+1 }

// A party is a leader of key "k", led until 100, and some that wait.
func party(t *testing.T, s *Store, waiting int) (Key, Ticket, []*guest) {
	t.Helper()
	k := key(s.Group("g"), "k")
	ticket, turn := s.Begin(k, 0, 100, nil)
	if turn != Lead {
		t.Fatalf("the first has turn %d", turn)
	}
	guests := make([]*guest, waiting)
	for i := range guests {
		guests[i] = newGuest()
		if _, turn := s.Begin(k, 0, 100, &guests[i].Wait); turn != Waiting {
			t.Fatalf("guest %d has turn %d", i, turn)
		}
	}
	return k, ticket, guests
}

func TestCommitWakesAll(t *testing.T) {
	s := New(Options{})
	defer s.Close()
	k, ticket, guests := party(t, s, 1000)
	if err := ticket.Commit(Entry{FreshUntil: 50, Value: []byte("v")}); err != nil {
		t.Fatal(err)
	}
	for i, g := range guests {
		if g.woken != 1 || g.turn != Filled {
			t.Fatalf("guest %d was woken %d times with %d", i, g.woken, g.turn)
		}
	}
	if _, e, state := s.Get(nil, k, 10); state != Fresh || string(e.Value) != "v" {
		t.Error("the entry is not there")
	}
	if err := ticket.Commit(Entry{}); !errors.Is(err, ErrSuperseded) {
		t.Errorf("a second commit: %v", err)
	}
	if _, turn := s.Begin(k, 10, 100, nil); turn != Filled {
		t.Errorf("one that missed just before the commit has turn %d", turn)
	}
	if _, turn := s.Begin(k, 60, 100, nil); turn != Lead {
		t.Errorf("the first after its time has turn %d", turn)
	}
	if n := s.Stats(); n.Waits != 1000 || n.Passes != 0 || n.Lost != 0 {
		t.Errorf("%+v", n)
	}
}

func TestWhatALeaderMayDo(t *testing.T) {
	for _, c := range []struct {
		name         string
		do           func(*Store, Key, Ticket)
		first, other Turn // of those that wait; Waiting is not woken
		again        Turn // of the next that begins at 10
	}{
		{"commit", func(_ *Store, _ Key, t Ticket) { _ = t.Commit(Entry{FreshUntil: 50}) }, Filled, Filled, Filled},
		{"commit of stale", func(_ *Store, _ Key, t Ticket) { _ = t.Commit(Entry{KeepUntil: 50}) }, Filled, Filled, Lead},
		{"commit of large", func(_ *Store, _ Key, t Ticket) { _ = t.Commit(Entry{50, 50, nil, make([]byte, 1<<20)}) }, Filled, Filled, Filled},
		{"commit of too large", func(_ *Store, _ Key, t Ticket) { _ = t.Commit(Entry{50, 50, nil, make([]byte, 2<<20)}) }, Pass, Pass, Lead},
		{"pass", func(_ *Store, _ Key, t Ticket) { t.Pass() }, Pass, Pass, Lead},
		{"abort", func(_ *Store, _ Key, t Ticket) { t.Abort(10) }, Lead, Waiting, Pass},
		{"abort twice", func(_ *Store, _ Key, t Ticket) { t.Abort(10); t.Abort(10) }, Lead, Waiting, Pass},
		{"delete", func(s *Store, k Key, _ Ticket) { s.Delete(k, 10) }, Lead, Waiting, Pass},
		{"commit after delete", func(s *Store, k Key, t Ticket) {
			s.Delete(k, 10)
			_ = t.Commit(Entry{FreshUntil: 50})
		}, Lead, Waiting, Pass},
		{"nothing", func(*Store, Key, Ticket) {}, Waiting, Waiting, Pass},
		{"no ticket", func(*Store, Key, Ticket) { Ticket{}.Pass(); Ticket{}.Abort(0); _ = Ticket{}.Commit(Entry{}) }, Waiting, Waiting, Pass},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := New(Options{})
			defer s.Close()
			k, ticket, guests := party(t, s, 3)
			c.do(s, k, ticket)
			for i, want := range []Turn{c.first, c.other, c.other} {
				g := guests[i]
				if want == Waiting && g.woken != 0 || want != Waiting && (g.woken != 1 || g.turn != want) {
					t.Errorf("guest %d: woken %d times with %d, want %d", i, g.woken, g.turn, want)
				}
			}
			if _, turn := s.Begin(k, 10, 100, nil); turn != c.again {
				t.Errorf("the next has turn %d, want %d", turn, c.again)
			}
		})
	}
}

// Leadership goes from guest to guest, each of which fails, until nobody is left.
func TestFailingLeaders(t *testing.T) {
	s := New(Options{})
	defer s.Close()
	k, ticket, guests := party(t, s, 5)
	for i, g := range guests {
		ticket.Abort(int64(i))
		if g.woken != 1 || g.turn != Lead {
			t.Fatalf("guest %d: woken %d times with %d", i, g.woken, g.turn)
		}
		if i+1 < len(guests) && guests[i+1].woken != 0 {
			t.Fatal("more than one leads")
		}
		ticket = g.ticket
	}
	ticket.Abort(10)
	if len(s.flightShard(k).flights) != 0 {
		t.Error("a flight without leader is left")
	}
}

func TestLeaseOver(t *testing.T) {
	s := New(Options{})
	defer s.Close()
	k, dead, guests := party(t, s, 3)
	if _, turn := guests[0].GiveUp(99); turn != Pass {
		t.Errorf("giving up in the lease: turn %d", turn)
	}
	ticket, turn := guests[1].GiveUp(100)
	if turn != Lead {
		t.Fatalf("giving up after the lease: turn %d", turn)
	}
	if _, turn := s.Begin(k, 199, 100, nil); turn != Pass {
		t.Errorf("two lead: turn %d", turn)
	}
	if err := dead.Commit(Entry{FreshUntil: 1000}); !errors.Is(err, ErrSuperseded) || found(s, k, 0) != Miss {
		t.Errorf("the old leader commits: %v", err)
	}
	next, turn := s.Begin(k, 200, 100, nil) // the new one died as well
	if turn != Lead {
		t.Fatalf("beginning after the lease: turn %d", turn)
	}
	if err := ticket.Commit(Entry{FreshUntil: 1000}); !errors.Is(err, ErrSuperseded) {
		t.Errorf("the second leader commits: %v", err)
	}
	if err := next.Commit(Entry{FreshUntil: 1000}); err != nil {
		t.Fatal(err)
	}
	if guests[2].turn != Filled || guests[0].woken+guests[1].woken != 0 {
		t.Error("who gave up was woken, or who did not was not")
	}
	if _, turn := guests[2].GiveUp(300); turn != Waiting {
		t.Errorf("giving up after being woken: turn %d", turn)
	}
	if n := s.Stats(); n.Lost != 2 || n.Passes != 1 {
		t.Errorf("%+v", n)
	}
}

func TestMaxWaiters(t *testing.T) {
	s := New(Options{MaxWaiters: 2})
	defer s.Close()
	k, ticket, guests := party(t, s, 2)
	late := newGuest()
	if _, turn := s.Begin(k, 0, 100, &late.Wait); turn != Pass {
		t.Errorf("the third has turn %d", turn)
	}
	guests[0].GiveUp(0)
	if _, turn := s.Begin(k, 0, 100, &late.Wait); turn != Waiting {
		t.Error("no room after one left")
	}
	ticket.Pass()
	if late.turn != Pass || late.woken != 1 {
		t.Error("not woken")
	}
}

// A fill that begins before a flush is for those that began before it too.
func TestFlushDuringFill(t *testing.T) {
	for _, flush := range []func(*Store){(*Store).Flush, func(s *Store) { s.Group("g").Flush() }} {
		s := New(Options{})
		old, ticket, guests := party(t, s, 1)
		flush(s)
		k := key(s.Group("g"), "k")
		newer, turn := s.Begin(k, 0, 100, nil)
		if turn != Lead {
			t.Fatalf("the first after the flush has turn %d", turn)
		}
		if err := ticket.Commit(Entry{FreshUntil: 50, Value: []byte("old")}); err != nil {
			t.Fatal(err)
		}
		if guests[0].turn != Filled || found(s, old, 0) != Fresh {
			t.Error("those from before the flush lost their answer")
		}
		if found(s, k, 0) != Miss {
			t.Error("an answer from before the flush is seen after it")
		}
		if err := newer.Commit(Entry{FreshUntil: 50, Value: []byte("new")}); err != nil {
			t.Fatal(err)
		}
		if _, e, _ := s.Get(nil, k, 0); string(e.Value) != "new" {
			t.Errorf("%q after the flush", e.Value)
		}
		s.Close()
	}
}

// A large entry that lost a part must not make those that find it go in circles.
func TestBeginOnIncompleteEntry(t *testing.T) {
	s := New(Options{})
	defer s.Close()
	k := key(s.Group("g"), "k")
	mustSet(t, s, k, Entry{10, 20, nil, noise(1, 1<<20)})
	if _, turn := s.Begin(k, 0, 100, nil); turn != Filled {
		t.Fatalf("turn %d on a complete entry", turn)
	}
	var name partName
	name.set(s.serial.Load(), 7)
	s.cache.Load().Del(name[:])
	if found(s, k, 0) != Miss {
		t.Error("an entry without a part was found")
	}
	if _, turn := s.Begin(k, 0, 100, nil); turn != Lead {
		t.Errorf("turn %d on an incomplete entry", turn)
	}
}
