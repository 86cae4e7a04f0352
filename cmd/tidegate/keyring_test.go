package main

import (
	"errors"
	"maps"
	"slices"
	"sync"

	"github.com/tidegate/tidegate/dataplane/control"
	"github.com/tidegate/tidegate/dataplane/definition"
)

// keyring is the part of memory that holds API keys and their usage.
type keyring struct {
	lock     sync.Mutex
	keys     map[string]*definition.APIKey
	planKeys map[definition.PlanKey]bool
	usage    []definition.Usage // in order of the days
}

func newKeyring() *keyring {
	return &keyring{keys: map[string]*definition.APIKey{}, planKeys: map[definition.PlanKey]bool{}}
}

func (k *keyring) apply(change definition.Change) {
	k.lock.Lock()
	defer k.lock.Unlock()
	for _, id := range change.DeleteKeys {
		delete(k.keys, id)
	}
	maps.DeleteFunc(k.planKeys, func(of definition.PlanKey, _ bool) bool {
		return slices.Contains(change.DeleteKeys, of.KeyID) || slices.Contains(change.DeletePlans, of.PlanID) || slices.Contains(change.DeletePlanKeys, of)
	})
	for _, key := range change.PutKeys {
		next := *key
		if have := k.keys[key.ID]; have != nil {
			next.Value = have.Value
		}
		k.keys[key.ID] = &next
	}
	for _, of := range change.PutPlanKeys {
		k.planKeys[of] = true
	}
}

func (k *keyring) Key(id string) (*definition.APIKey, error) {
	k.lock.Lock()
	defer k.lock.Unlock()
	return k.keys[id], nil
}

func (k *keyring) KeyByValue(value string) (*definition.APIKey, error) {
	keys, _, err := k.Keys("", 1, func(key *definition.APIKey) bool { return key.Value == value })
	if len(keys) == 0 {
		return nil, err
	}
	return keys[0], err
}

func (k *keyring) Keys(after string, limit int, match func(*definition.APIKey) bool) ([]*definition.APIKey, bool, error) {
	return k.PlanKeys("", after, limit, match)
}

func (k *keyring) PlanKeys(planID, after string, limit int, match func(*definition.APIKey) bool) (keys []*definition.APIKey, more bool, err error) {
	k.lock.Lock()
	defer k.lock.Unlock()
	for _, id := range slices.Sorted(maps.Keys(k.keys)) {
		in := planID == "" || k.planKeys[definition.PlanKey{PlanID: planID, KeyID: id}]
		if id <= after || !in || match != nil && !match(k.keys[id]) {
			continue
		}
		if len(keys) == limit {
			return keys, true, nil
		}
		keys = append(keys, k.keys[id])
	}
	return keys, false, nil
}

func (k *keyring) PlansOf(keyID string) (plans []string, err error) {
	k.lock.Lock()
	defer k.lock.Unlock()
	for of := range k.planKeys {
		if of.KeyID == keyID {
			plans = append(plans, of.PlanID)
		}
	}
	return plans, nil
}

func (m *memory) Keys() control.KeyReader { return m.keyring }

func (m *memory) Usage(planID, keyID string, from, to int64) (days []definition.Usage, err error) {
	for _, u := range m.keyring.usage {
		if u.PlanID == planID && u.KeyID == keyID && from <= u.Day && u.Day <= to {
			days = append(days, u)
		}
	}
	return days, nil
}

// Grant records the grant on every day.
func (m *memory) Grant(planID, keyID string, remaining int64) error {
	if m.Catalog().Plans[planID].Quota == nil {
		return &definition.InvalidError{Err: errors.New("the plan has no quota")}
	}
	for i := range m.keyring.usage {
		m.keyring.usage[i].Remaining = remaining
	}
	return nil
}

func (m *memory) AccountThrottle() definition.Throttle {
	rate := 10_000.0
	t := m.Catalog().Account.Throttle
	if t != nil && t.RateLimit != nil {
		rate = *t.RateLimit
	}
	burst := int(rate / 2)
	if t != nil && t.BurstLimit != nil {
		burst = *t.BurstLimit
	}
	return definition.Throttle{RateLimit: &rate, BurstLimit: &burst}
}
