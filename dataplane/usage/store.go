package usage

import (
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/tidegate/tidegate/limiter"
)

// Options are what a [Store] is made with.
type Options struct {
	Secret        [16]byte // of the host, for the hashes of keys
	Shards        int      // event loops, at least 1: see Count
	MethodBuckets int      // most keys and methods with a throttle of their own, together
}

// Store holds the API keys of the host and their accounts. Find and Count, and
// what a [Client] does, may be called from any goroutine and take no lock; the
// other methods may too, and take the Store's.
type Store struct {
	hasher  Hasher
	counted []stack              // by shard
	late    atomic.Pointer[late] // nil but while another process has the journal
	methods *limiter.Table
	clock   func() int64 // for the grace time

	mu       sync.Mutex // of what follows, and of writes to keys and accounts
	keys     *keyring
	accounts *slab[account]
	plans    registry
	touched  []uint32 // accounts that the archive has yet to write
	told     told     // to a successor
}

// NewStore returns an empty store.
func NewStore(o Options) *Store {
	start := time.Now()
	return &Store{
		hasher:   NewHasher(o.Secret),
		counted:  make([]stack, max(1, o.Shards)),
		methods:  limiter.NewTable(o.MethodBuckets),
		clock:    func() int64 { return int64(time.Since(start)) },
		keys:     newKeyring(),
		accounts: newSlab[account](),
		plans:    registry{numbers: map[string]uint32{}},
	}
}

// Hasher returns the hasher of the keys' values.
func (s *Store) Hasher() Hasher { return s.hasher }

// PutKey adds a key or changes whether it is enabled. The error says that id is
// none.
func (s *Store) PutKey(id string, h Hash, enabled bool) error {
	key, ok := parseID(id)
	if !ok {
		return fmt.Errorf("usage: API key id %q: want %d characters of [a-z0-9]", id, idLen)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.keys.put(key, h, enabled, s.clock())
	return nil
}

// DeleteKey forgets a key and its usage, if there is such a key.
func (s *Store) DeleteKey(id string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	r, number := s.key(id)
	if r == nil {
		return
	}
	now := s.clock()
	s.keys.remove(r, number, now)
	for l := link(r.first.Load()); l != 0; {
		a := s.accounts.at(l.number())
		s.vacate(a, l.number(), now)
		l = s.next(a)
	}
}

// PutPlanKey puts a key in a plan. Usage that it had there is still there. The
// error says that there is no such key or that planID is none.
func (s *Store) PutPlanKey(planID, keyID string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	plan, err := s.plans.number(planID)
	if err != nil {
		return err
	}
	r, number := s.key(keyID)
	if r == nil {
		return fmt.Errorf("usage: plan %q: no API key %q", planID, keyID)
	}
	a, _ := s.account(r, plan)
	if a == nil {
		a, _ = s.open(r, number, plan)
	}
	a.state.Or(linked)
	s.relink(r)
	return nil
}

// DeletePlanKey takes a key out of a plan. Its usage stays.
func (s *Store) DeletePlanKey(planID, keyID string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if a, _ := s.lookup(planID, keyID); a != nil {
		a.state.And(^uint32(linked))
		s.relink(s.keys.records.at(a.owner))
	}
}

// DeletePlan forgets a plan, its keys' places in it and their usage. It looks
// at every account.
func (s *Store) DeletePlan(planID string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	plan, ok := s.plans.remove(planID)
	if !ok {
		return
	}
	now := s.clock()
	for number := range s.accounts.count {
		if a := s.accounts.at(number); a.plan() == plan && a.state.Load()&occupied != 0 {
			s.unchain(a, number)
			s.vacate(a, number, now)
		}
	}
}

// Stats are the sizes of a [Store].
type Stats struct {
	Keys     int // API keys
	Accounts int // of keys in plans, with those taken out that may be put back
	Methods  limiter.TableStats
}

// Stats returns the sizes of the store.
func (s *Store) Stats() Stats {
	s.mu.Lock()
	defer s.mu.Unlock()
	return Stats{Keys: s.keys.records.inUse(), Accounts: s.accounts.inUse(), Methods: s.methods.Stats()}
}

// The following are called under the lock.

func (s *Store) key(id string) (r *record, number uint32) {
	key, ok := parseID(id)
	if !ok {
		return nil, 0
	}
	return s.keys.get(key)
}

// lookup returns the account of a key in a plan, nil when there is none.
func (s *Store) lookup(planID, keyID string) (a *account, number uint32) {
	plan, ok := s.plans.numbers[planID]
	if r, _ := s.key(keyID); ok && r != nil {
		return s.account(r, plan)
	}
	return nil, 0
}

func (s *Store) account(r *record, plan uint32) (a *account, number uint32) {
	for l := link(r.first.Load()); l != 0; l = s.next(a) {
		a = s.accounts.at(l.number())
		if l.state()>>planShift == plan {
			return a, l.number()
		}
	}
	return nil, 0
}

// open gives a key an account in a plan. The key is not in the plan by that.
func (s *Store) open(r *record, owner, plan uint32) (a *account, number uint32) {
	now := s.clock()
	for {
		number = s.accounts.take(now, func(a *account) bool { return a.state.Load()&dirty == 0 })
		a = s.accounts.at(number)
		if a.occupy(plan, owner, uint32(r.first.Load())) {
			r.first.Store(uint64(newLink(number, a.state.Load())))
			return a, number
		}
		s.accounts.retire(number, now)
	}
}

func (s *Store) vacate(a *account, number uint32, now int64) {
	a.state.And(^uint32(occupied | linked))
	s.accounts.retire(number, now)
}

// relink has a key know the state of its first account.
func (s *Store) relink(r *record) {
	if first := link(r.first.Load()); first != 0 {
		r.first.Store(uint64(newLink(first.number(), s.accounts.at(first.number()).state.Load())))
	}
}

// unchain takes an account off its key's list. Who is at it goes on from it.
func (s *Store) unchain(a *account, number uint32) {
	r := s.keys.records.at(a.owner)
	first := link(r.first.Load())
	if first.number() == number {
		r.first.Store(uint64(s.next(a)))
		return
	}
	before := s.accounts.at(first.number())
	for before.sibling.Load() != number+1 {
		before = s.accounts.at(before.sibling.Load() - 1)
	}
	before.sibling.Store(a.sibling.Load())
}
