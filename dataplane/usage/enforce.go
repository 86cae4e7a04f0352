package usage

import "github.com/tidegate/tidegate/limiter"

// Enforce tells the store which plans are in force, after a deployment: what
// remains of quotas is reckoned by them. Buckets of a throttle that has changed
// keep as many tokens spent as were; to that end it looks at every account if
// one has. now is that of the requests.
func (s *Store) Enforce(plans []*Plan, now int64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	changes := map[uint32]change{}       // by plan
	methodChanges := map[uint64]change{} // by method
	for _, p := range plans {
		number := uint32(p.Number)
		if s.plans.ids[number] != p.ID {
			continue // it was deleted
		}
		if old := s.plans.inForce[number]; old != nil && old != p {
			if c, ok := compare(old.throttle, p.throttle); ok {
				changes[number] = c
			}
			for stage, methods := range p.stages {
				for method, t := range methods {
					if c, ok := compare(old.stages[stage][method], t); ok {
						methodChanges[t.method] = c
					}
				}
			}
		}
		s.plans.inForce[number] = p
	}
	if len(changes) > 0 {
		for number := range s.accounts.count {
			a := s.accounts.at(number)
			if c, ok := changes[a.plan()]; ok {
				a.bucket.Change(now, c.from, c.to)
			}
		}
	}
	if len(methodChanges) > 0 {
		s.methods.Range(func(e *limiter.Entry) bool {
			if c, ok := methodChanges[e.Key().Hi&methodMask]; ok {
				e.Bucket.Change(now, c.from, c.to)
			}
			return true
		})
	}
}

// change is a limit that became another.
type change struct{ from, to limiter.Limit }

func compare(from, to *throttle) (c change, changed bool) {
	if from == nil || to == nil || from.limit == to.limit {
		return change{}, false
	}
	return change{from.limit, to.limit}, true
}
