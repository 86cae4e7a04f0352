package main

import (
	"context"
	"fmt"
	"strings"

	"github.com/tidegate/tidegate/dataplane/control"
	"github.com/tidegate/tidegate/dataplane/definition"
)

var wafIPSetsCommand = &command{
	name:    "waf ipsets",
	args:    "[--json]",
	summary: "list the IP sets",
	help: `
Lists the IP sets, how many address ranges each has, whether it keeps them out of the
whole host, and the web ACLs that name it.

Examples:
  tidegate waf ipsets`,
}

var wafIPSetCommand = &command{
	name:    "waf ipset",
	args:    "[--json]",
	summary: "make, change and show IP sets",
	help: `
Without a subcommand: lists the IP sets, as tidegate waf ipsets does.

Examples:
  tidegate waf ipset put office office.txt
  tidegate waf ipset add bad-networks 192.0.2.0/24
  tidegate waf ipset show bad-networks`,
	verbs: []*command{wafIPSetPutCommand, wafIPSetAddCommand, wafIPSetRemoveCommand, wafIPSetShowCommand, wafIPSetDeleteCommand},
}

var wafIPSetPutCommand = &command{
	name:    "waf ipset put",
	args:    "NAME [FILE] [--version IPV4|IPV6] [--kernel-gate=true|false] [--description TEXT] [--json]",
	summary: "make an IP set or replace its addresses",
	help: `
Makes an IP set of a file ("-" is standard input) with one network or address a
line, up to a million, with comments after a #; or replaces all addresses of one in a
single step. Without a file it makes an empty set, or changes what the flags say. A
set is of one IP version: that of its addresses, or --version.

With --kernel-gate the set is kept out of the whole host, in the kernel where there
is a gate. Rules may then name it only to block. What is never shut out stays let in:
loopback, trusted_proxies and kernel_gate.never of the host file.

Examples:
  tidegate waf ipset put office office.txt
  curl -s https://example.com/drop.txt | tidegate waf ipset put drop - --kernel-gate
  tidegate waf ipset put drop --kernel-gate=false`,
}

var wafIPSetAddCommand = &command{
	name:    "waf ipset add",
	args:    "NAME NETWORK... [--json]",
	summary: "add addresses to an IP set",
	help: `
Adds networks or addresses to an IP set.

Examples:
  tidegate waf ipset add bad-networks 192.0.2.0/24 198.51.100.7`,
}

var wafIPSetRemoveCommand = &command{
	name:    "waf ipset remove",
	args:    "NAME NETWORK... [--json]",
	summary: "remove addresses from an IP set",
	help: `
Removes networks or addresses from an IP set, each as it is in the set.

Examples:
  tidegate waf ipset remove bad-networks 192.0.2.0/24`,
}

var wafIPSetShowCommand = &command{
	name:    "waf ipset show",
	args:    "NAME [--json]",
	summary: "print the addresses of an IP set",
	help: `
Prints the addresses of an IP set, one a line; with --json what else there is to it.

Examples:
  tidegate waf ipset show office > office.txt`,
}

var wafIPSetDeleteCommand = &command{
	name:    "waf ipset delete",
	args:    "NAME [--json]",
	summary: "delete an IP set",
	help: `
Deletes an IP set that no web ACL names.

Examples:
  tidegate waf ipset delete office`,
}

func init() {
	wafIPSetsCommand.run = func(e *env, args []string) error { return listIPSets(newRemote(e, wafIPSetsCommand), args) }
	wafIPSetCommand.run = func(e *env, args []string) error { return listIPSets(newRemote(e, wafIPSetCommand), args) }
	wafIPSetPutCommand.run = putIPSet
	wafIPSetAddCommand.run = func(e *env, args []string) error {
		return changeIPSet(newRemote(e, wafIPSetAddCommand), args, func(ctx context.Context, c *control.Client, name string, networks []string) (*control.IPSet, error) {
			return c.ChangeIPSet(ctx, name, networks, nil)
		})
	}
	wafIPSetRemoveCommand.run = func(e *env, args []string) error {
		return changeIPSet(newRemote(e, wafIPSetRemoveCommand), args, func(ctx context.Context, c *control.Client, name string, networks []string) (*control.IPSet, error) {
			return c.ChangeIPSet(ctx, name, nil, networks)
		})
	}
	wafIPSetShowCommand.run = showIPSet
	wafIPSetDeleteCommand.run = deleteIPSet
}

func listIPSets(r *remote, args []string) error {
	if _, err := r.operands(args, 0, 0, ""); err != nil {
		return err
	}
	var sets []control.IPSet
	err := r.call("reading IP sets", func(ctx context.Context, c *control.Client) (err error) {
		sets, err = c.IPSets(ctx)
		return err
	})
	if err != nil {
		return err
	}
	if *r.json {
		return printJSON(r.env.stdout, sets)
	}
	t := newTable(r.env.stdout, "name", "id", "version", "addresses", "kernel gate", "web acls")
	for _, s := range sets {
		t.row(s.Name, s.ID, s.IPAddressVersion, decimal(uint64(s.AddressCount)), yesNo(s.KernelGate), strings.Join(s.WebACLs, ","))
	}
	return t.flush()
}

// maxAddressBytes is more than a set can have, so that a wrong file name does not
// fill the memory.
const maxAddressBytes = definition.MaxPrefixes * 64

func putIPSet(e *env, args []string) error {
	r := newRemote(e, wafIPSetPutCommand)
	version := r.String("version", "", "`IPV4|IPV6`, of a set that is empty yet")
	kernelGate := r.Bool("kernel-gate", false, "keep the addresses out of the whole host")
	description := r.String("description", "", "`TEXT` that says what it is for")
	operands, err := r.operands(args, 1, 2, "NAME")
	if err != nil {
		return err
	}
	in := control.IPSetInput{IPAddressVersion: strings.ToUpper(*version), KernelGate: given(r, "kernel-gate", kernelGate), Description: given(r, "description", description)}
	put := func(ctx context.Context, c *control.Client) (*control.IPSet, error) {
		return c.PutIPSet(ctx, operands[0], in)
	}
	if len(operands) == 2 {
		addresses, err := readInput(e, operands[1], maxAddressBytes)
		if err != nil {
			return err
		}
		put = func(ctx context.Context, c *control.Client) (*control.IPSet, error) {
			return c.PutIPSetText(ctx, operands[0], addresses, in)
		}
	}
	var set *control.IPSet
	err = r.call("storing an IP set", func(ctx context.Context, c *control.Client) error {
		set, err = put(ctx, c)
		return err
	})
	if err != nil && len(operands) == 2 {
		err = fmt.Errorf("%s: %w", operands[1], err)
	}
	if err != nil {
		return err
	}
	return printIPSet(r, set)
}

func changeIPSet(r *remote, args []string, do func(ctx context.Context, c *control.Client, name string, networks []string) (*control.IPSet, error)) error {
	operands, err := r.operands(args, 2, 1+maxNetworks, "NAME and NETWORK")
	if err != nil {
		return err
	}
	var set *control.IPSet
	err = r.call("changing an IP set", func(ctx context.Context, c *control.Client) error {
		set, err = do(ctx, c, operands[0], operands[1:])
		return err
	})
	if err != nil {
		return err
	}
	return printIPSet(r, set)
}

// maxNetworks is how many fit a command line; more come in a file.
const maxNetworks = 10_000

// printIPSet says what became of a set.
func printIPSet(r *remote, set *control.IPSet) error {
	for _, w := range set.Warnings {
		fmt.Fprintf(r.env.stderr, "warning: %s\n", w)
	}
	if *r.json {
		return printJSON(r.env.stdout, set)
	}
	kept := ""
	if set.KernelGate {
		kept = ", kept out of the whole host"
	}
	_, err := fmt.Fprintf(r.env.stdout, "IP set %s has %s, %d added and %d removed%s\n", set.Name, count(set.AddressCount, "network"), set.Added, set.Removed, kept)
	return err
}

func showIPSet(e *env, args []string) error {
	r := newRemote(e, wafIPSetShowCommand)
	operands, err := r.operands(args, 1, 1, "NAME")
	if err != nil {
		return err
	}
	var set *control.IPSet
	return r.call("reading an IP set", func(ctx context.Context, c *control.Client) error {
		if *r.json {
			if set, err = c.IPSet(ctx, operands[0]); err == nil {
				err = printJSON(e.stdout, set)
			}
			return err
		}
		return c.IPSetAddresses(ctx, operands[0], func(some []string) error {
			if len(some) == 0 {
				return nil
			}
			_, err := fmt.Fprintln(e.stdout, strings.Join(some, "\n"))
			return err
		})
	})
}

func deleteIPSet(e *env, args []string) error {
	r := newRemote(e, wafIPSetDeleteCommand)
	operands, err := r.operands(args, 1, 1, "NAME")
	if err != nil {
		return err
	}
	err = r.call("deleting an IP set", func(ctx context.Context, c *control.Client) error { return c.DeleteIPSet(ctx, operands[0]) })
	if err != nil {
		return err
	}
	return printDeleted(r, "IP set "+operands[0])
}
