package main

import (
	"context"
	"fmt"
	"io"
	"strings"

	"github.com/tidegate/tidegate/dataplane/control"
)

var gateCommand = &command{
	name:    "gate",
	args:    "[--json]",
	summary: "show and change whom the kernel gate keeps out",
	help: `
Shows the kernel gate: on which interfaces it is, how many sources it keeps out,
and which interfaces lead to private listeners.

The gate is an XDP program that refuses sources before the host spends a socket
on them: networks that an operator or a list denies, and sources whose every
request was denied lately. The host file's kernel_gate names its interfaces.
Networks that are denied here are also refused where it is not.

Examples:
  tidegate gate
  tidegate gate list
  tidegate gate deny 192.0.2.0/24 --for 10m --reason "scraping"
  tidegate gate allow 192.0.2.0/24
  tidegate gate stats --watch`,
	verbs: []*command{gateStatusCommand, gateListCommand, gateDenyCommand, gateAllowCommand, gateStatsCommand, gateTraceCommand},
}

var gateStatusCommand = &command{
	name:    "gate status",
	args:    "[--json]",
	summary: "show on which interfaces it is",
	help: `
Shows on which interfaces the gate is, and how: native is in the driver, generic
later and slower; none says why below. Then the private listeners, the
interfaces that lead to them, and the connections that were led to them, came by
another interface (refused), or met no socket (unserved).

Examples:
  tidegate gate status
  tidegate gate status --json | jq -e .on`,
}

func init() {
	gateCommand.run = func(e *env, args []string) error { return gateStatus(newRemote(e, gateCommand), args) }
	gateStatusCommand.run = func(e *env, args []string) error { return gateStatus(newRemote(e, gateStatusCommand), args) }
}

func gateStatus(r *remote, args []string) error {
	if _, err := r.operands(args, 0, 0, ""); err != nil {
		return err
	}
	var status *control.GateStatus
	err := r.call("asking for the kernel gate", func(ctx context.Context, c *control.Client) (err error) {
		status, err = c.GateStatus(ctx)
		return err
	})
	if err != nil {
		return err
	}
	if *r.json {
		return printJSON(r.env.stdout, status)
	}
	if err := printGate(r.env.stdout, status); err != nil {
		return err
	}
	for _, note := range status.Notes {
		fmt.Fprintf(r.env.stdout, "note: %s\n", note)
	}
	return nil
}

// printGate shows the gate on one line, and the private listeners if there are
// any.
func printGate(w io.Writer, s *control.GateStatus) error {
	fmt.Fprintf(w, "gate      %s; %s shut out, %s denied, %s on lists\n", gateOn(s), count(s.Sentences, "source"), count(s.Denied, "network"), count(s.Listed, "network"))
	if len(s.Private) == 0 {
		return nil
	}
	fmt.Fprintln(w)
	t := newTable(w, "private", "address", "endpoint", "interfaces", "by", "led", "refused", "unserved")
	for _, p := range s.Private {
		var names []string
		for _, i := range p.Interfaces {
			if !i.There {
				i.Name += " (absent)"
			}
			names = append(names, i.Name)
		}
		by, led, refused, unserved := "kernel", decimal(p.Led), decimal(p.Refused), decimal(p.Unserved)
		if !p.Steered { // nobody counts then
			by, led, refused, unserved = "socket", "", "", ""
		}
		t.row(p.Listener, p.Address, p.Endpoint, strings.Join(names, ", "), by, led, refused, unserved)
	}
	return t.flush()
}

// gateOn says where the gate is.
func gateOn(s *control.GateStatus) string {
	if !s.On {
		return "off"
	}
	var on []string
	for _, i := range s.Interfaces {
		on = append(on, i.Name+" ("+i.Mode+")")
	}
	if len(on) == 0 {
		return "on no interface"
	}
	return "on " + strings.Join(on, ", ") + ", program " + s.Program
}
