package usage

import (
	"fmt"

	"github.com/tidegate/tidegate/limiter"
)

// registry numbers the plans. A plan keeps its number for the life of the
// store, and no other plan gets it.
type registry struct {
	numbers map[string]uint32
	ids     []string // by number; empty when deleted
	inForce []*Plan  // by number; see Store.Enforce
}

// maxPlanID is how long the id of a plan may be. It is what the journal has
// room for; ids have 6 characters.
const maxPlanID = 16

func (r *registry) number(id string) (uint32, error) {
	if number, ok := r.numbers[id]; ok {
		return number, nil
	}
	if !validPlanID(id) {
		return 0, fmt.Errorf("usage: plan id %q: want 1 to %d characters", id, maxPlanID)
	}
	if len(r.ids) == maxPlans {
		return 0, fmt.Errorf("usage: plan %q: more than %d plans were made; restart the gateway", id, maxPlans)
	}
	number := uint32(len(r.ids))
	r.numbers[id] = number
	r.ids = append(r.ids, id)
	r.inForce = append(r.inForce, nil)
	return number, nil
}

func validPlanID(id string) bool {
	for i := range len(id) {
		if id[i] == 0 {
			return false
		}
	}
	return 0 < len(id) && len(id) <= maxPlanID
}

func (r *registry) remove(id string) (number uint32, ok bool) {
	if number, ok = r.numbers[id]; ok {
		delete(r.numbers, id)
		r.ids[number], r.inForce[number] = "", nil
	}
	return number, ok
}

// hasPeriod reports whether a plan's quota may have the period: it has, or is
// not known yet.
func (r *registry) hasPeriod(number uint32, p limiter.Period) bool {
	plan := r.inForce[number]
	return plan == nil || plan.quota != nil && plan.quota.Period() == p
}
