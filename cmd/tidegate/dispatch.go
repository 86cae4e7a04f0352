package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"strings"
)

// command is one subcommand.
type command struct {
	name    string
	args    string     // "FILE --stage STAGE"
	summary string     // one line for the list
	help    string     // what it does, with examples
	verbs   []*command // "keys create" of keys; what has no verb lists
	run     func(e *env, args []string) error
}

// choose returns the verb that args begin with, or that verb's own, or c itself, and
// the rest.
func (c *command) choose(args []string) (*command, []string) {
	for _, v := range c.verbs {
		if len(args) > 0 && v.name == c.name+" "+args[0] {
			return v.choose(args[1:])
		}
	}
	return c, args
}

// commands is the table of all subcommands, in the order that help lists them.
func commands() []*command {
	return []*command{
		runCommand, validateCommand, deployCommand, apisCommand, stagesCommand,
		deploymentsCommand, rollbackCommand, deleteCommand, keysCommand, plansCommand,
		usageCommand, throttleCommand, cacheCommand, iamCommand, wafCommand, connectionsCommand, targetsCommand, offendersCommand, gateCommand, stateCommand, statusCommand, upgradeCommand, versionCommand,
	}
}

const helpTail = `
Run "tidegate COMMAND --help" for the flags and examples of a command.

Commands other than run, validate and version talk to the daemon over its
control socket: --socket PATH, or TIDEGATE_SOCKET, or ` + defaultSocket + `.

Exit codes: 0 done, 1 failed, 2 wrong command line, 3 daemon not reachable,
4 refused (a file is not valid, or the daemon said no).
`

// dispatch runs the subcommand that e.args names and returns the exit code.
func dispatch(e *env) int {
	if len(e.args) == 0 {
		printHelp(e.stderr)
		return exitUsage
	}
	name, rest := e.args[0], e.args[1:]
	switch name {
	case "help", "-h", "-help", "--help":
		if len(rest) > 0 {
			name, rest = rest[0], append(rest[1:], "--help")
			break
		}
		printHelp(e.stdout)
		return exitOK
	case "-version", "--version":
		name = "version"
	}
	for _, c := range commands() {
		if c.name == name {
			c, rest = c.choose(rest)
			return finish(e, c, c.run(e, rest))
		}
	}
	fmt.Fprintf(e.stderr, "tidegate: unknown command %q\n\n", name)
	printHelp(e.stderr)
	return exitUsage
}

// finish tells the user what went wrong and chooses the exit code.
func finish(e *env, c *command, err error) int {
	code := exitCode(err)
	switch {
	case err == nil, errors.Is(err, errReported):
	case errors.Is(err, flag.ErrHelp):
		return exitOK
	case code == exitUsage:
		fmt.Fprintf(e.stderr, "tidegate %s: %v\nusage: tidegate %s %s\n", c.name, err, c.name, c.args)
		for _, v := range c.verbs {
			fmt.Fprintf(e.stderr, "   or: tidegate %s %s\n", v.name, v.args)
		}
	default:
		fmt.Fprintf(e.stderr, "tidegate %s: %v\n", c.name, err)
	}
	return code
}

func printHelp(w io.Writer) {
	fmt.Fprint(w, "Tidegate is an API gateway for one Linux host with the semantics of AWS API Gateway.\n\nCommands:\n")
	for _, c := range commands() {
		fmt.Fprintf(w, "  %-12s %s\n", c.name, c.summary)
	}
	fmt.Fprint(w, helpTail)
}

// flags is a flag set whose --help prints the command's help.
type flags struct {
	*flag.FlagSet
	command *command
}

func newFlags(e *env, c *command) *flags {
	fs := flag.NewFlagSet(c.name, flag.ContinueOnError)
	fs.SetOutput(io.Discard) // errors are printed by finish
	f := &flags{fs, c}
	fs.Usage = func() { f.help(e.stdout) }
	return f
}

func (f *flags) help(w io.Writer) {
	fmt.Fprintf(w, "usage: tidegate %s %s\n\n%s\n", f.command.name, f.command.args, strings.TrimSpace(f.command.help))
	first := true
	f.VisitAll(func(fl *flag.Flag) {
		if first {
			fmt.Fprint(w, "\nFlags:\n")
			first = false
		}
		value, usage := flag.UnquoteUsage(fl)
		dashes := "--"
		if len(fl.Name) == 1 {
			dashes = "-"
		}
		fmt.Fprintf(w, "  %-22s %s\n", strings.TrimSpace(dashes+fl.Name+" "+value), usage)
	})
	if len(f.command.verbs) > 0 {
		fmt.Fprint(w, "\nSubcommands, each with --help:\n")
	}
	for _, v := range f.command.verbs {
		fmt.Fprintf(w, "  %-22s %s\n", v.name, v.summary)
	}
}

// parse reads args, in which flags and operands may be mixed, and returns the
// operands. What follows "--" is operands only.
func (f *flags) parse(args []string) ([]string, error) {
	var operands []string
	for {
		if err := f.Parse(args); errors.Is(err, flag.ErrHelp) {
			return nil, err
		} else if err != nil {
			return nil, usagef("%v", err)
		}
		rest := f.Args()
		if len(rest) == 0 {
			return operands, nil
		}
		if at := len(args) - len(rest); at > 0 && args[at-1] == "--" {
			return append(operands, rest...), nil
		}
		operands = append(operands, rest[0])
		args = rest[1:]
	}
}
