package state

import (
	bolt "go.etcd.io/bbolt"

	"github.com/tidegate/tidegate/dataplane/definition"
)

// WriteUsage writes totals of days and windows in one transaction. The larger
// count of a day, and of a window, stays: writing a Usage again, or an older one
// after a newer one, changes nothing. (A grant has no count of its own: of two
// with the same WindowUsed, the one written last stays.) What is of a plan or a
// key that does not exist is ignored: it was deleted meanwhile. The history keeps
// the newest 90 days that have usage.
func (s *Store) WriteUsage(us []definition.Usage) error {
	if len(us) == 0 {
		return nil
	}
	err := s.update(func(tx *bolt.Tx) error {
		w := newWriting(tx, s.vault)
		if err := forEach(nil, us, w.putUsage); err != nil {
			return err
		}
		return prune(w.usageHistory)
	})
	s.used.Store(true)
	return err
}

func (w *writing) putUsage(u definition.Usage) error {
	if err := checkUsage(&u); err != nil {
		return err
	}
	if w.plans.Get([]byte(u.PlanID)) == nil || w.keys.Get([]byte(u.KeyID)) == nil {
		return nil
	}
	pair := pairKey(u.PlanID, u.KeyID)
	if err := w.putHistory(historyKey(u.Day, pair), u); err != nil {
		return err
	}
	var n newest
	if before := w.usage.Get(pair); before != nil {
		var err error
		if n, err = readNewest(pair, before); err != nil {
			return err
		}
	}
	return replace(w.usage, pair, n.with(u).encode())
}

func (w *writing) putHistory(key []byte, u definition.Usage) error {
	if value := w.usageHistory.Get(key); value != nil {
		before, err := readHistory(key, value)
		if err != nil {
			return err
		}
		older := u.Used < before.Used
		reconcile(&before, &u)
		if older { // of a quota with another period, if it still differs
			u = before
		}
	}
	return replace(w.usageHistory, key, appendUsage(nil, &u))
}

func (w *writing) deleteUsageOfPlan(id string) error {
	prefix := pairKey(id, "")
	if err := deleteUnder(w.usage, prefix); err != nil {
		return err
	}
	days, err := daysOf(w.usageHistory)
	if err != nil {
		return err
	}
	for _, day := range days {
		if err := deleteUnder(w.usageHistory, historyKey(day, prefix)); err != nil {
			return err
		}
	}
	return nil
}

// deleteUsageOfKey asks for the key in every plan, since it may have used one
// that it is no longer under. There are few plans.
func (w *writing) deleteUsageOfKey(id string) error {
	var pairs [][]byte
	err := w.plans.ForEach(func(plan, _ []byte) error {
		if pair := pairKey(string(plan), id); w.usage.Get(pair) != nil {
			pairs = append(pairs, pair)
		}
		return nil
	})
	if err != nil || len(pairs) == 0 {
		return err
	}
	days, err := daysOf(w.usageHistory)
	if err != nil {
		return err
	}
	for _, pair := range pairs {
		if err := w.usage.Delete(pair); err != nil {
			return err
		}
		for _, day := range days {
			if err := w.usageHistory.Delete(historyKey(day, pair)); err != nil {
				return err
			}
		}
	}
	return nil
}
