package control

import (
	"cmp"
	"maps"
	"slices"
	"sync"

	"github.com/tidegate/tidegate/dataplane/definition"
)

// fakeKeys keeps API keys and their usage in memory.
type fakeKeys struct {
	mu       sync.Mutex
	keys     map[string]*definition.APIKey
	planKeys map[definition.PlanKey]bool
	usage    map[definition.PlanKey][]definition.Usage // in order of the days
	broken   error                                     // what every read answers
}

func newFakeKeys() *fakeKeys {
	return &fakeKeys{
		keys: map[string]*definition.APIKey{}, planKeys: map[definition.PlanKey]bool{},
		usage: map[definition.PlanKey][]definition.Usage{},
	}
}

func (f *fakeKeys) apply(ch definition.Change) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, id := range ch.DeleteKeys {
		delete(f.keys, id)
		maps.DeleteFunc(f.planKeys, func(pk definition.PlanKey, _ bool) bool { return pk.KeyID == id })
	}
	for _, id := range ch.DeletePlans {
		maps.DeleteFunc(f.planKeys, func(pk definition.PlanKey, _ bool) bool { return pk.PlanID == id })
	}
	for _, pk := range ch.DeletePlanKeys {
		delete(f.planKeys, pk)
	}
	for _, k := range ch.PutKeys {
		next := *k
		if have := f.keys[k.ID]; have != nil {
			next.Value = have.Value
		}
		f.keys[k.ID] = &next
	}
	for _, pk := range ch.PutPlanKeys {
		f.planKeys[pk] = true
	}
}

func (f *fakeKeys) Key(id string) (*definition.APIKey, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.keys[id], f.broken
}

func (f *fakeKeys) KeyByValue(value string) (*definition.APIKey, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, k := range f.keys {
		if k.Value == value {
			return k, f.broken
		}
	}
	return nil, f.broken
}

func (f *fakeKeys) Keys(after string, limit int, match func(*definition.APIKey) bool) ([]*definition.APIKey, bool, error) {
	return f.list("", after, limit, match)
}

func (f *fakeKeys) PlanKeys(planID, after string, limit int, match func(*definition.APIKey) bool) ([]*definition.APIKey, bool, error) {
	return f.list(planID, after, limit, match)
}

func (f *fakeKeys) list(planID, after string, limit int, match func(*definition.APIKey) bool) (keys []*definition.APIKey, more bool, err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, id := range slices.Sorted(maps.Keys(f.keys)) {
		k := f.keys[id]
		if id <= after || planID != "" && !f.planKeys[definition.PlanKey{PlanID: planID, KeyID: id}] || match != nil && !match(k) {
			continue
		}
		if len(keys) == limit {
			return keys, true, f.broken
		}
		keys = append(keys, k)
	}
	return keys, false, f.broken
}

func (f *fakeKeys) PlansOf(keyID string) (plans []string, err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for pk := range f.planKeys {
		if pk.KeyID == keyID {
			plans = append(plans, pk.PlanID)
		}
	}
	slices.Sort(plans)
	return plans, f.broken
}

// use records the usage of a day in place of what is recorded for it.
func (f *fakeKeys) use(u definition.Usage) {
	f.mu.Lock()
	defer f.mu.Unlock()
	of := definition.PlanKey{PlanID: u.PlanID, KeyID: u.KeyID}
	records := slices.DeleteFunc(f.usage[of], func(have definition.Usage) bool { return have.Day == u.Day })
	records = append(records, u)
	slices.SortFunc(records, func(a, b definition.Usage) int { return cmp.Compare(a.Day, b.Day) })
	f.usage[of] = records
}

func (f *fakeKeys) usageOf(of definition.PlanKey, from, to int64) (records []definition.Usage, err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, u := range f.usage[of] {
		switch {
		case u.Day < from:
			records = []definition.Usage{u}
		case u.Day <= to:
			records = append(records, u)
		}
	}
	return records, f.broken
}
