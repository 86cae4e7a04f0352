package throttle

import (
	"fmt"

	"github.com/tidegate/tidegate/dataplane/definition"
)

// Limits are the limits of one stage, compiled: immutable but for the buckets
// they refer to.
type Limits struct {
	total   *limit // of all methods together
	reserve *limit // the guaranteed share
	all     []*limit

	guaranteed float64          // requests per second
	settings   map[string]*Rate // by method; nil for one that is under no limit of its own
	forAll     *Rate
	key        definition.StageKey
	store      *Store
}

// Names of buckets of a stage that are no method's.
const (
	bucketTotal   = ""
	bucketReserve = "guaranteed"
)

// Compile makes the limits of a stage. guaranteed is the rate that its API asks
// for, which the stage may replace. store may be nil: then the limits are only
// checked. An error names the setting that is wrong.
func Compile(st *definition.Stage, guaranteed float64, account Rate, store *Store) (*Limits, error) {
	if store == nil {
		store = NewStore(1)
	}
	l := &Limits{key: definition.StageKey{APIID: st.APIID, Stage: st.Name}, store: store, settings: map[string]*Rate{}}
	for key, setting := range st.MethodSettings {
		limit := account.rateOf(setting.Throttle)
		if key == definition.AllMethods {
			l.forAll = limit
			continue
		}
		name, err := definition.MethodName(key)
		if err != nil {
			return nil, err
		}
		l.settings[name] = limit
	}
	for key, setting := range st.RouteSettings {
		l.settings[routeName(key)] = account.rateOf(setting.Throttle)
	}
	if st.DefaultRouteSetting != nil {
		l.forAll = account.rateOf(st.DefaultRouteSetting.Throttle)
	}
	if st.Throttle != nil && *st.Throttle != (definition.Throttle{}) {
		l.total = l.add(bucketTotal, account.With(*st.Throttle))
	}
	if st.GuaranteedRate != nil {
		guaranteed = *st.GuaranteedRate
	}
	if guaranteed < 0 {
		return nil, fmt.Errorf("guaranteed rate %g: write 0 or more requests per second", guaranteed)
	}
	if guaranteed > 0 {
		l.guaranteed = guaranteed
		l.reserve = l.add(bucketReserve, Rate{guaranteed, account.burstOf(guaranteed)})
	}
	return l, nil
}

// Method compiles the limits of one method: its own setting, or the one for all
// methods, which each of them has a bucket of its own for.
func (l *Limits) Method(path, verb string) Method { return l.named(path + " " + verb) }

// Route compiles the limits of a route of a WebSocket API likewise.
func (l *Limits) Route(key string) Method { return l.named(routeName(key)) }

// routeName names the bucket of a route. No method has such a name, for they
// begin with a slash.
func routeName(key string) string { return "route " + key }

func (l *Limits) named(name string) Method {
	m := Method{stage: l}
	rate, ok := l.settings[name]
	if !ok {
		rate = l.forAll
	}
	if rate != nil {
		m.own = l.add(name, *rate)
	}
	if m.own == nil && l.total == nil && l.reserve == nil {
		m.stage = nil
	}
	return m
}

// Guaranteed returns the rate of the guaranteed share, requests per second.
func (l *Limits) Guaranteed() float64 { return l.guaranteed }

func (l *Limits) add(name string, rate Rate) *limit {
	of := &limit{bucket: l.store.bucket(l.key, name), limit: rate.Limit()}
	l.all = append(l.all, of)
	return of
}

// CheckGuarantees refuses guaranteed rates that together are more than the
// account's.
func CheckGuarantees(account Rate, stages []*Limits) error {
	sum := 0.0
	for _, l := range stages {
		sum += l.guaranteed
	}
	if sum > account.PerSecond {
		return fmt.Errorf("the guaranteed rates of all stages add up to %g requests/s and the account limit is %g: lower one of them or raise the account limit", sum, account.PerSecond)
	}
	return nil
}
