package steer

import "fmt"

// The program's verdicts, in the order of its enum.
const (
	steered = iota
	refused
	unserved
	passed
)

type counts [4]uint64

func (c counts) plus(other counts) counts {
	for i := range c {
		c[i] += other[i]
	}
	return c
}

// past is what was counted, by binding and by address.
type past struct {
	bindings map[string]counts
	doors    map[programAddress]counts
}

// count reads what a generation has counted.
func (g *generation) count() (past, error) {
	sum := past{map[string]counts{}, map[programAddress]counts{}}
	for number, r := range g.rows {
		c, err := g.counter(uint32(number))
		if err != nil {
			return past{}, err
		}
		sum.bindings[r.Name] = c
	}
	for to, door := range g.doors {
		c, err := g.counter(door.Counter)
		if err != nil {
			return past{}, err
		}
		sum.doors[to] = c
	}
	return sum, nil
}

func (g *generation) counter(number uint32) (sum counts, err error) {
	var each []programCounts // by CPU
	if err := g.objects.Counters.Lookup(number, &each); err != nil {
		return counts{}, fmt.Errorf("read the counters: %w", err)
	}
	for _, c := range each {
		sum = sum.plus(c.Of)
	}
	return sum, nil
}

// add takes in the counts of a generation that is no longer in force, and
// forgets what the next does not have.
func (p *past) add(before, next *generation) {
	last, err := before.count()
	if err != nil {
		return // a gap in statistics
	}
	sum := past{map[string]counts{}, map[programAddress]counts{}}
	for _, r := range next.rows {
		sum.bindings[r.Name] = p.bindings[r.Name].plus(last.bindings[r.Name])
	}
	for to := range next.doors {
		sum.doors[to] = p.doors[to].plus(last.doors[to])
	}
	*p = sum
}
