package dataplane

import (
	"fmt"
	"time"

	"github.com/tidegate/tidegate/configs"
	"github.com/tidegate/tidegate/dataplane/control"
	"github.com/tidegate/tidegate/dataplane/definition"
	"github.com/tidegate/tidegate/dataplane/state"
	"github.com/tidegate/tidegate/dataplane/usage"
)

// loadUsage brings what the state file and the journal hold of API keys and of
// what they have used into memory, and keeps the journal from then on.
func (g *Gateway) loadUsage(host *configs.Host) error {
	store := g.store.Load()
	err := store.EachKey(func(id string, hash [16]byte, enabled bool) error {
		return g.usage.PutKey(id, usage.HashOf(hash), enabled)
	})
	if err == nil {
		err = store.EachPlanKey(g.usage.PutPlanKey)
	}
	if err == nil {
		err = store.EachUsage(func(u definition.Usage) error {
			g.usage.Restore(u)
			return nil
		})
	}
	if err != nil {
		return fmt.Errorf("load API keys: %w", err)
	}
	return g.openJournal(host, store)
}

// openJournal keeps what is counted from now on.
func (g *Gateway) openJournal(host *configs.Host, store *state.Store) error {
	journal, err := usage.OpenJournal(g.usage, host.StateDir, store, func(err error) {
		g.journalErrors.Add(1)
		g.log.Error("usage journal", "error", err)
	})
	if err == nil {
		g.journal.Store(journal)
	}
	return err
}

// applyKeys makes a change that is on disk the one that serves.
func (g *Gateway) applyKeys(ch definition.Change) error {
	for _, id := range ch.DeletePlans {
		g.usage.DeletePlan(id)
		g.registry.ForgetPlan(id)
	}
	for _, id := range ch.DeleteKeys {
		g.usage.DeleteKey(id)
	}
	for _, k := range ch.DeletePlanKeys {
		g.usage.DeletePlanKey(k.PlanID, k.KeyID)
	}
	for _, k := range ch.PutKeys {
		value := k.Value
		if value == "" { // a key that exists keeps it
			stored, err := g.store.Load().Key(k.ID)
			if err != nil {
				return err
			}
			value = stored.Value
		}
		if err := g.usage.PutKey(k.ID, g.usage.Hasher().Sum([]byte(value)), k.Enabled); err != nil {
			return err
		}
	}
	for _, k := range ch.PutPlanKeys {
		if err := g.usage.PutPlanKey(k.PlanID, k.KeyID); err != nil {
			return err
		}
	}
	return nil
}

// Keys implements control.Gateway.
func (g *Gateway) Keys() control.KeyReader { return g.store.Load() }

// Usage implements control.Gateway.
func (g *Gateway) Usage(planID, keyID string, from, to int64) ([]definition.Usage, error) {
	if err := g.journal.Load().Flush(); err != nil {
		return nil, err
	}
	return g.store.Load().Usage(planID, keyID, from, to)
}

// Grant implements control.Gateway.
func (g *Gateway) Grant(planID, keyID string, remaining int64) error {
	return g.journal.Load().Grant(planID, keyID, remaining, time.Now().UnixNano())
}

// AccountThrottle implements control.Gateway.
func (g *Gateway) AccountThrottle() definition.Throttle {
	account := g.pipeline.Snapshot().Account
	return definition.Throttle{RateLimit: &account.PerSecond, BurstLimit: &account.Burst}
}
