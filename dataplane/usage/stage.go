package usage

import (
	"strings"

	"github.com/tidegate/tidegate/dataplane/definition"
	"github.com/tidegate/tidegate/limiter"
)

// StagePlans is which plans include a stage. It is immutable; nil and the zero
// value are those of a stage in no plan.
type StagePlans struct {
	stage definition.StageKey
	plans []*Plan // by number; nil for a plan that does not include the stage
}

// NewStagePlans returns those of the plans that include a stage.
func NewStagePlans(stage definition.StageKey, plans []*Plan) *StagePlans {
	s := &StagePlans{stage: stage}
	for _, p := range plans {
		if _, ok := p.stages[stage]; ok {
			s.plans = put(s.plans, p.Number, p)
		}
	}
	return s
}

// put sets an element of a table that grows.
func put[T any](table []*T, number int, value *T) []*T {
	if missing := number + 1 - len(table); missing > 0 {
		table = append(table, make([]*T, missing)...)
	}
	table[number] = value
	return table
}

func (s *StagePlans) plan(number uint32) *Plan {
	if s == nil || uint64(number) >= uint64(len(s.plans)) {
		return nil
	}
	return s.plans[number]
}

// Overrides are the throttles that plans set for one method of a stage. The
// zero value has none.
type Overrides struct {
	throttles []*throttle // by the plan's number
}

// Overrides returns the plans' throttles for the method of a resource: path as
// in "/pets/{id}", "/" for the root, and the method's verb or ANY, as it is
// defined.
func (s *StagePlans) Overrides(path, verb string) Overrides {
	var o Overrides
	if s == nil {
		return o
	}
	for _, p := range s.plans {
		if p == nil {
			continue
		}
		if t := p.stages[s.stage][path+"/"+verb]; t != nil {
			o.throttles = put(o.throttles, p.Number, t)
		}
	}
	return o
}

// of returns a plan's throttle, nil when it has none for the method.
func (o Overrides) of(p *Plan) *throttle {
	if p.Number >= len(o.throttles) {
		return nil
	}
	return o.throttles[p.Number]
}

// A method's bucket is found by 58 bits that name the plan, stage and method,
// and by the key. The other 6 spread the keys over the segments of the table.
const (
	methodBits = 58
	methodMask = 1<<methodBits - 1
)

func methodHash(h Hasher, parts ...string) uint64 {
	return h.sum64(strings.Join(parts, "\x00")) & methodMask
}

func methodKey(method, key uint64) limiter.Key {
	spread := mix(key ^ method)
	return limiter.Key{Hi: spread&^methodMask | method, Lo: mix(key + method)}
}
