package state

import (
	"bytes"
	"fmt"
	"strings"

	bolt "go.etcd.io/bbolt"

	"github.com/tidegate/tidegate/dataplane/definition"
)

// A key's place in a plan is kept twice, by plan and by key. It says nothing but
// that it is there, so that its value is a checksum alone.

// pairKey joins two ids. Neither has a slash in it.
func pairKey(first, second string) []byte { return []byte(first + "/" + second) }

// readPair takes apart the key of a place in a plan.
func readPair(key, value []byte) (first, second string, err error) {
	if _, err := unframe(key, value); err != nil {
		return "", "", err
	}
	return splitPair(key)
}

func splitPair(key []byte) (first, second string, err error) {
	first, second, ok := strings.Cut(string(key), "/")
	if !ok {
		return "", "", fmt.Errorf("%q is no pair of ids", key)
	}
	return first, second, nil
}

// pairsUnder returns what the pairs with first have as their second id, sorted.
func pairsUnder(b *bolt.Bucket, first string) (seconds []string, err error) {
	prefix := pairKey(first, "")
	c := b.Cursor()
	for k, v := c.Seek(prefix); bytes.HasPrefix(k, prefix); k, v = c.Next() {
		_, second, err := readPair(k, v)
		if err != nil {
			return nil, err
		}
		seconds = append(seconds, second)
	}
	return seconds, nil
}

func (w *writing) putPlan(p *definition.UsagePlan) error {
	if err := checkID(p.ID); err != nil {
		return fmt.Errorf("usage plan: %w", err)
	}
	return put(w.plans, []byte(p.ID), p)
}

// deletePlan takes all keys out of the plan and forgets what they used of it. A
// missing plan is fine.
func (w *writing) deletePlan(id string) error {
	keys, err := pairsUnder(w.planKeys, id)
	if err != nil {
		return err
	}
	for _, key := range keys {
		if err := w.deletePlanKey(definition.PlanKey{PlanID: id, KeyID: key}); err != nil {
			return err
		}
	}
	if err := w.deleteUsageOfPlan(id); err != nil {
		return err
	}
	return w.plans.Delete([]byte(id))
}

func (w *writing) putPlanKey(pk definition.PlanKey) error {
	if w.plans.Get([]byte(pk.PlanID)) == nil {
		return fmt.Errorf("API key %s cannot be put under usage plan %s, which does not exist", pk.KeyID, pk.PlanID)
	}
	if w.keys.Get([]byte(pk.KeyID)) == nil {
		return fmt.Errorf("API key %s, which does not exist, cannot be put under usage plan %s", pk.KeyID, pk.PlanID)
	}
	byPlan, byKey := pairKey(pk.PlanID, pk.KeyID), pairKey(pk.KeyID, pk.PlanID)
	if err := w.planKeys.Put(byPlan, frame(byPlan, nil)); err != nil {
		return err
	}
	return w.keyPlans.Put(byKey, frame(byKey, nil))
}

func (w *writing) deletePlanKey(pk definition.PlanKey) error {
	if err := w.planKeys.Delete(pairKey(pk.PlanID, pk.KeyID)); err != nil {
		return err
	}
	return w.keyPlans.Delete(pairKey(pk.KeyID, pk.PlanID))
}
