package e2e

import (
	"slices"
	"strconv"
	"sync"
	"time"
)

// span is short, or long in a long form.
func span(short, long time.Duration) time.Duration {
	if soaking() {
		return long
	}
	return short
}

// outcome is what became of the requests of a load.
type outcome struct {
	byStatus map[int]int
	latency  map[int][]time.Duration // by status
	failed   int                     // without an answer
	err      error                   // the first
	took     time.Duration
}

// rate is how many answers of a status came in a second.
func (o *outcome) rate(status int) float64 { return float64(o.byStatus[status]) / o.took.Seconds() }

// quantile is the latency of answers of a status that a share of them keeps.
func (o *outcome) quantile(status int, share float64) time.Duration {
	l := o.latency[status]
	if len(l) == 0 {
		return 0
	}
	slices.Sort(l)
	return l[min(len(l)-1, int(share*float64(len(l))))]
}

// load has n connections ask for a target, each at most every so often, for a
// time. A connection that ends is opened again.
func load(addr, target string, n int, every, during time.Duration) *outcome {
	total := &outcome{byStatus: map[int]int{}, latency: map[int][]time.Duration{}}
	var mu sync.Mutex
	var wg sync.WaitGroup
	began := time.Now()
	end := began.Add(during)
	for i := range n {
		wg.Add(1)
		go func() {
			defer wg.Done()
			own := outcome{byStatus: map[int]int{}, latency: map[int][]time.Duration{}}
			defer func() {
				mu.Lock()
				defer mu.Unlock()
				for status, count := range own.byStatus {
					total.byStatus[status] += count
					total.latency[status] = append(total.latency[status], own.latency[status]...)
				}
				if total.failed += own.failed; total.err == nil {
					total.err = own.err
				}
			}()
			var c *client
			defer func() {
				if c != nil {
					_ = c.conn.Close()
				}
			}()
			next := began.Add(every * time.Duration(i) / time.Duration(n))
			for next.Before(end) {
				time.Sleep(time.Until(next))
				sent := time.Now()
				next = sent.Add(every)
				if c == nil {
					var err error
					if c, err = dial(addr); err != nil {
						own.failed, own.err, c = own.failed+1, err, nil
						time.Sleep(10 * time.Millisecond)
						continue
					}
					_ = c.conn.SetDeadline(end.Add(20 * time.Second))
				}
				a, err := c.ask("GET", target, "")
				if err != nil {
					own.failed, own.err = own.failed+1, err
				} else if sent.Before(end) {
					own.byStatus[a.status]++
					own.latency[a.status] = append(own.latency[a.status], time.Since(sent))
				}
				if err != nil || a.last {
					_ = c.conn.Close()
					c = nil
				}
			}
		}()
	}
	wg.Wait()
	total.took = during
	return total
}

func percent(part, of float64) string { return strconv.Itoa(int(100*part/of+0.5)) + " %" }
