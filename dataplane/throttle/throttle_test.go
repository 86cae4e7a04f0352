package throttle

import (
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/tidegate/tidegate/dataplane/definition"
	"github.com/tidegate/tidegate/limiter"
)

const second = int64(1e9)

func limitOf(rate float64, burst int) definition.Throttle {
	return definition.Throttle{RateLimit: &rate, BurstLimit: &burst}
}

func setting(rate float64, burst int) *definition.MethodSetting {
	return &definition.MethodSetting{Throttle: limitOf(rate, burst)}
}

func compile(t *testing.T, st *definition.Stage, guaranteed float64, account Rate, store *Store) *Limits {
	t.Helper()
	l, err := Compile(st, guaranteed, account, store)
	if err != nil {
		t.Fatal(err)
	}
	return l
}

// spend returns how many of n requests at now are admitted, and the level that
// denied the last of the others.
func spend(s *Store, m *Method, now int64, n int) (admitted int, level Level) {
	for range n {
		charges := m.AppendCharges(nil, s.Account())
		d, _ := s.Spend(now, now, 0, m, charges)
		if d.Allowed() {
			admitted++
		} else {
			level = m.Level(d.Denied)
		}
	}
	return admitted, level
}

func TestLevels(t *testing.T) {
	five := limitOf(1, 5)
	for _, tc := range []struct {
		name     string
		stage    definition.Stage
		path     string
		admitted int
		level    Level
	}{
		{"account alone", definition.Stage{}, "/a", 20, Account},
		{"stage", definition.Stage{Throttle: &five}, "/a", 5, Stage},
		{"all methods", definition.Stage{MethodSettings: map[string]*definition.MethodSetting{"*/*": setting(1, 7)}}, "/a", 7, OfMethod},
		{"method over all", definition.Stage{MethodSettings: map[string]*definition.MethodSetting{"*/*": setting(1, 7), "a/GET": setting(1, 3)}}, "/a", 3, OfMethod},
		{"method with ~1", definition.Stage{MethodSettings: map[string]*definition.MethodSetting{"~1a~1{b}/GET": setting(1, 2)}}, "/a/{b}", 2, OfMethod},
		{"root", definition.Stage{MethodSettings: map[string]*definition.MethodSetting{"~1/GET": setting(1, 2)}}, "/", 2, OfMethod},
		{"another method", definition.Stage{MethodSettings: map[string]*definition.MethodSetting{"a/POST": setting(1, 2)}}, "/a", 20, Account},
		{"rate inherited", definition.Stage{MethodSettings: map[string]*definition.MethodSetting{"a/GET": {Throttle: definition.Throttle{BurstLimit: five.BurstLimit}}}}, "/a", 5, OfMethod},
		{"method without a limit under all", definition.Stage{MethodSettings: map[string]*definition.MethodSetting{"*/*": setting(1, 7), "a/GET": {}}}, "/a", 20, Account},
		{"blocked", definition.Stage{MethodSettings: map[string]*definition.MethodSetting{"a/GET": setting(0, 0)}}, "/a", 0, OfMethod},
		{"stage under method", definition.Stage{Throttle: &five, MethodSettings: map[string]*definition.MethodSetting{"*/*": setting(1, 7)}}, "/a", 5, Stage},
	} {
		t.Run(tc.name, func(t *testing.T) {
			store := NewStore(1)
			account := Rate{100, 20}
			l := compile(t, &tc.stage, 0, account, store)
			m := l.Method(tc.path, "GET")
			store.Commit(0, account, []*Limits{l})
			admitted, level := spend(store, &m, second, 30)
			if admitted != tc.admitted || level != tc.level {
				t.Errorf("%d admitted, then denied by level %d; want %d, %d", admitted, level, tc.admitted, tc.level)
			}
		})
	}
}

// Each method has a bucket of its own under the setting for all.
func TestAllMethodsDoNotShare(t *testing.T) {
	store := NewStore(1)
	account := Rate{100, 100}
	l := compile(t, &definition.Stage{MethodSettings: map[string]*definition.MethodSetting{"*/*": setting(1, 7)}}, 0, account, store)
	a, b := l.Method("/a", "GET"), l.Method("/b", "GET")
	store.Commit(0, account, []*Limits{l})
	for _, m := range []*Method{&a, &b} {
		if got, _ := spend(store, m, second, 20); got != 7 {
			t.Errorf("%d admitted, want 7", got)
		}
	}
}

// A deployment does not refill a bucket, and a new limit keeps what was spent.
func TestBucketsOutliveDeployments(t *testing.T) {
	store := NewStore(1)
	account := Rate{100, 100}
	st := &definition.Stage{APIID: "a", Name: "s", MethodSettings: map[string]*definition.MethodSetting{"a/GET": setting(1, 10)}}
	deployed := func() *Method {
		l := compile(t, st, 0, account, store)
		m := l.Method("/a", "GET")
		store.Commit(second, account, []*Limits{l})
		return &m
	}
	if got, _ := spend(store, deployed(), second, 8); got != 8 {
		t.Fatalf("%d of a burst of 10", got)
	}
	if got, _ := spend(store, deployed(), second, 8); got != 2 {
		t.Errorf("%d after deploying again, want the 2 that were left", got)
	}
	st.MethodSettings["a/GET"] = setting(1, 15)
	if got, _ := spend(store, deployed(), second, 8); got != 5 {
		t.Errorf("%d after the burst was raised by 5, want 5", got)
	}
	store.Forget(definition.StageKey{APIID: "a", Stage: "s"})
	if got, _ := spend(store, deployed(), second, 20); got != 15 {
		t.Errorf("%d after the stage was made anew, want 15", got)
	}
}

func TestAccountLimitChanges(t *testing.T) {
	store := NewStore(2)
	var m Method
	store.Commit(second, Rate{10, 5}, nil)
	if got, level := spend(store, &m, second, 20); got != 5 || level != Account {
		t.Fatalf("%d, level %d", got, level)
	}
	store.Commit(second, Rate{1000, 500}, nil)
	if got, _ := spend(store, &m, 2*second, 2000); got != 500 {
		t.Errorf("%d a second after the limit was raised, want 500", got)
	}
}

// A guaranteed stage is served while another floods, and both together stay
// under the account's limit, in any window and any order of requests.
func TestGuaranteedShare(t *testing.T) {
	const rate, burst, guaranteed = 1000.0, 500, 200.0
	for seed := range uint64(20) {
		store := NewStore(2)
		account := Rate{rate, burst}
		share := compile(t, &definition.Stage{APIID: "b"}, guaranteed, account, store)
		flood := compile(t, &definition.Stage{APIID: "a"}, 0, account, store)
		store.Commit(0, account, []*Limits{share, flood})
		a, b := flood.Method("/", "GET"), share.Method("/", "GET")
		r := rand.New(rand.NewPCG(1, seed))
		now := second
		var times []int64
		next, denied, ofB := now, 0, 0
		for range 20000 { // the flood comes 5 times as fast as the limit
			now += int64(2 * r.Float64() * float64(second) / (5 * rate))
			if d, _ := store.Spend(now, now, r.IntN(2), &a, a.AppendCharges(nil, store.Account())); d.Allowed() {
				times = append(times, now)
			}
			for next <= now {
				next += second / int64(guaranteed)
				ofB++
				if d, _ := store.Spend(now, now, r.IntN(2), &b, b.AppendCharges(nil, store.Account())); d.Allowed() {
					times = append(times, now)
				} else {
					denied++
				}
			}
		}
		if denied > 0 {
			t.Errorf("%d of %d requests of the guaranteed stage were denied", denied, ofB)
		}
		for i := range times {
			for _, n := range []int{1, 10, 600, 1200, len(times) - 1 - i} {
				if j := i + n; j < len(times) {
					if bound := burst + rate*float64(times[j]-times[i])/1e9; float64(n+1) > bound+1 {
						t.Fatalf("%d admitted in %d ns, the bound is %f", n+1, times[j]-times[i], bound)
					}
				}
			}
		}
		const reserved = burst * guaranteed / rate // of the burst, which the guarantee keeps ready
		if took := float64(times[len(times)-1]-times[0]) / 1e9; float64(len(times)) < 0.99*(rate*took+burst-reserved) {
			t.Errorf("%d admitted in %f s: tokens are wasted", len(times), took)
		}
	}
}

// What a guaranteed stage does not use, others may.
func TestGuaranteeSetsNothingAside(t *testing.T) {
	store := NewStore(1)
	account := Rate{1000, 10}
	share := compile(t, &definition.Stage{APIID: "b"}, 900, account, store)
	flood := compile(t, &definition.Stage{APIID: "a"}, 0, account, store)
	store.Commit(0, account, []*Limits{share, flood})
	m := flood.Method("/", "GET")
	admitted := 0
	for now := second; now < 2*second; now += second / 5000 {
		if d, _ := store.Spend(now, now, 0, &m, m.AppendCharges(nil, store.Account())); d.Allowed() {
			admitted++
		}
	}
	if admitted < 990 {
		t.Errorf("%d of 1000 tokens of a second", admitted)
	}
}

func TestCompileRefuses(t *testing.T) {
	negative := -1.0
	for want, st := range map[string]definition.Stage{
		`method setting "x"`: {MethodSettings: map[string]*definition.MethodSetting{"x": setting(1, 1)}},
		"guaranteed rate -1": {GuaranteedRate: &negative},
	} {
		if _, err := Compile(&st, 0, DefaultRate, nil); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v, want %s", err, want)
		}
	}
	store := NewStore(1)
	stages := []*Limits{
		compile(t, &definition.Stage{Name: "a"}, 600, DefaultRate, store),
		compile(t, &definition.Stage{Name: "b"}, 500, DefaultRate, store),
	}
	if err := CheckGuarantees(Rate{1000, 1}, stages); err == nil || !strings.Contains(err.Error(), "1100") {
		t.Errorf("error %v", err)
	}
	if err := CheckGuarantees(Rate{1100, 1}, stages); err != nil {
		t.Error(err)
	}
}

func TestSpendDoesNotAllocate(t *testing.T) {
	store := NewStore(1)
	five := limitOf(1e6, 1e6)
	l := compile(t, &definition.Stage{Throttle: &five, MethodSettings: map[string]*definition.MethodSetting{"*/*": setting(1e6, 1e6)}}, 10, DefaultRate, store)
	m := l.Method("/", "GET")
	store.Commit(0, DefaultRate, []*Limits{l})
	scratch := make([]limiter.Charge, 0, 8)
	now := second
	if n := testing.AllocsPerRun(10000, func() {
		now++
		scratch = m.AppendCharges(scratch[:0], store.Account())
		store.Spend(now, now, 0, &m, scratch)
	}); n != 0 {
		t.Errorf("%f allocations", n)
	}
}

// TestRoutes: each route of a WebSocket API has a bucket of its own.
func TestRoutes(t *testing.T) {
	account := Rate{100, 20}
	st := &definition.Stage{
		DefaultRouteSetting: &definition.RouteSetting{Throttle: limitOf(1, 7)},
		RouteSettings:       map[string]*definition.RouteSetting{"send": {Throttle: limitOf(1, 3)}, "free": {}},
	}
	for key, want := range map[string]int{"send": 3, "other": 7, "$default": 7, "free": 20} {
		store := NewStore(1)
		l := compile(t, st, 0, account, store)
		m := l.Route(key)
		store.Commit(0, account, []*Limits{l})
		if got, _ := spend(store, &m, second, 30); got != want {
			t.Errorf("%s: %d admitted, want %d", key, got, want)
		}
	}
}

// TestHandover: a store goes on where another one was.
func TestHandover(t *testing.T) {
	account := Rate{100, 50}
	st := &definition.Stage{APIID: "a", Name: "s", MethodSettings: map[string]*definition.MethodSetting{"a/GET": setting(1, 10)}}
	before, after := NewStore(2), NewStore(2)
	was, is := compile(t, st, 0, account, before), compile(t, st, 0, account, after)
	m, n := was.Method("/a", "GET"), is.Method("/a", "GET")
	before.Commit(second, account, []*Limits{was})
	after.Commit(second, account, []*Limits{is})
	if got, _ := spend(before, &m, second, 7); got != 7 {
		t.Fatal(got)
	}
	after.Owe(second, append(before.Debts(second), Debt{APIID: "gone", Stage: "s", Bucket: "x", Nanos: 1}))
	if got, level := spend(after, &n, second, 20); got != 3 || level != OfMethod {
		t.Errorf("%d of the 3 that were left, then level %d", got, level)
	}
	if d := after.Account().Debt(second); d < 9*int64(1e7) {
		t.Errorf("the account owes %d ns", d)
	}
	// What is spent after that is told once.
	if late := before.LateDebts(second); len(late) != 0 {
		t.Errorf("nothing was spent: %v", late)
	}
	owed := after.Account().Debt(second)
	before.Account().Force(second)
	before.Account().Force(second)
	after.Owe(second, before.LateDebts(second))
	after.Owe(second, before.LateDebts(second))
	if d := after.Account().Debt(second); d <= owed || d > owed+2*int64(1e7) {
		t.Errorf("the account owes %d ns, and did %d before two more were spent", d, owed)
	}
}
