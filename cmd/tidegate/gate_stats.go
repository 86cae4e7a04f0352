package main

import (
	"context"
	"fmt"

	"github.com/tidegate/tidegate/dataplane/control"
)

var gateStatsCommand = &command{
	name:    "gate stats",
	args:    "[--watch] [--json]",
	summary: "show what the gate did with packets",
	help: `
Shows how many packets the gate has seen since it was first attached, by what it
did with them and why: pass_clean went on, drop_sentence was dropped because of a
sentence, answer_rule is an HTTP answer to a network that a rule denies.
docs/kernel-gate.md has the list. With --watch it shows them each second, with
the packets of that second, until Ctrl-C.

Examples:
  tidegate gate stats
  tidegate gate stats --watch`,
}

func init() { gateStatsCommand.run = gateStats }

// watchEvery is between two readings.
func gateStats(e *env, args []string) error {
	r := newRemote(e, gateStatsCommand)
	watch := r.Bool("watch", false, "show them again each second until Ctrl-C")
	if _, err := r.operands(args, 0, 0, ""); err != nil {
		return err
	}
	if !*watch {
		var stats *control.GateStats
		err := r.call("reading the gate's counters", func(ctx context.Context, c *control.Client) (err error) {
			stats, err = c.GateStats(ctx)
			return err
		})
		if err != nil {
			return err
		}
		if *r.json {
			return printJSON(e.stdout, stats)
		}
		return printStats(r, stats, nil)
	}
	var before *control.GateStats
	return r.watch(func(ctx context.Context, c *control.Client) error {
		stats, err := c.GateStats(ctx)
		if err != nil {
			return err
		}
		if *r.json {
			err = printJSON(e.stdout, stats)
		} else {
			err = printWatched(r, stats, before)
		}
		before = stats
		return err
	})
}

// printWatched shows them anew; before is what there was a second ago.
func printWatched(r *remote, stats, before *control.GateStats) error {
	r.newScreen(before != nil)
	return printStats(r, stats, before)
}

// printStats shows the reasons that have packets; before makes a column of what
// was added since.
func printStats(r *remote, stats, before *control.GateStats) error {
	if !stats.On {
		_, err := fmt.Fprintln(r.env.stdout, "the kernel gate is off")
		return err
	}
	headings := []string{"reason", "packets", "bytes"}
	if before != nil {
		headings = append(headings, "since")
	}
	t := newTable(r.env.stdout, headings...)
	earlier := map[string]uint64{}
	if before != nil {
		for _, n := range before.Reasons {
			earlier[n.Reason] = n.Packets
		}
	}
	for _, n := range stats.Reasons {
		if n.Packets == 0 {
			continue
		}
		cells := []string{n.Reason, decimal(n.Packets), decimal(n.Bytes)}
		if before != nil {
			cells = append(cells, "+"+decimal(n.Packets-min(n.Packets, earlier[n.Reason])))
		}
		t.row(cells...)
	}
	if err := t.flush(); err != nil || stats.Runs == 0 {
		return err
	}
	_, err := fmt.Fprintf(r.env.stdout, "%d ns a packet over %d packets\n", stats.RunNanoseconds/int64(stats.Runs), stats.Runs)
	return err
}
