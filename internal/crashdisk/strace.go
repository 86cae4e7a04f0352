package crashdisk

import (
	"encoding/hex"
	"fmt"
	"strconv"
	"strings"
)

// call is a system call that succeeded, or had not returned when the program was
// killed, or a sync that failed. Its begin and end are line numbers of the recording,
// so that calls of several threads have an order.
type call struct {
	name       string
	args       []string
	result     int64
	failed     bool
	begin, end int // end is never when it did not return
}

const never = int(^uint(0) >> 1)

// parseCalls reads what "strace -f -xx" wrote. Calls that failed are left out, but
// for syncs.
func parseCalls(text string) ([]*call, error) {
	var calls []*call
	open := map[string]*unfinished{} // by thread
	for i, line := range strings.Split(text, "\n") {
		thread, rest, ok := strings.Cut(strings.TrimSpace(line), " ")
		rest = strings.TrimSpace(rest)
		if !ok || strings.HasPrefix(rest, "+++") || strings.HasPrefix(rest, "---") {
			continue
		}
		begin := i
		if strings.HasPrefix(rest, "<... ") {
			first := open[thread]
			_, tail, ok := strings.Cut(rest, " resumed>")
			if first == nil || !ok {
				return nil, fmt.Errorf("line %d: nothing to resume: %.100s", i+1, rest)
			}
			delete(open, thread)
			begin, rest = first.begin, first.text+tail
		}
		head, cut := strings.CutSuffix(rest, " <unfinished ...>")
		if !cut {
			head, cut = strings.CutSuffix(rest, " <detached ...>") // the thread ended in the call
		}
		if cut {
			if !strings.HasPrefix(head, "???") { // before it was known which
				open[thread] = &unfinished{head, begin}
			}
			continue
		}
		c, err := parseCall(rest)
		if err != nil {
			return nil, fmt.Errorf("line %d: %w", i+1, err)
		}
		if c != nil {
			c.begin, c.end = begin, i
			calls = append(calls, c)
		}
	}
	for _, u := range open { // killed in the middle
		c, err := parseCall(u.text + ") = 0")
		if err != nil {
			return nil, err
		}
		c.result, c.begin, c.end = -1, u.begin, never
		calls = append(calls, c)
	}
	return calls, nil
}

type unfinished struct {
	text  string
	begin int
}

// parseCall reads "name(args) = result". It returns nil for a call that failed,
// unless that is a sync.
func parseCall(text string) (*call, error) {
	head, result, hasResult := strings.Cut(text, " = ") // strings are in hexadecimal
	name, args, ok := strings.Cut(head, "(")
	if !ok {
		return nil, fmt.Errorf("not a call: %.100s", text)
	}
	args, ok = strings.CutSuffix(strings.TrimSpace(args), ")")
	if !hasResult || !ok {
		return nil, fmt.Errorf("a call without a result: %.100s", text)
	}
	if result[0] == '-' || result[0] == '?' {
		if name == "fsync" || name == "fdatasync" {
			return &call{name: name, args: strings.Split(args, ", "), failed: true}, nil
		}
		return nil, nil
	}
	result, _, _ = strings.Cut(result, " ")
	n, err := strconv.ParseInt(result, 0, 64)
	return &call{name: name, args: strings.Split(args, ", "), result: n}, err
}

// str is an argument that is a string: all of it in hexadecimal escapes.
func (c *call) str(i int) ([]byte, error) {
	text, ok := strings.CutPrefix(c.args[i], `"`)
	text, ok2 := strings.CutSuffix(text, `"`)
	if !ok || !ok2 {
		return nil, fmt.Errorf("%s: argument %d is no whole string: %.100s", c.name, i, c.args[i])
	}
	return hex.DecodeString(strings.ReplaceAll(text, `\x`, ""))
}

func (c *call) num(i int) (int64, error) { return strconv.ParseInt(c.args[i], 0, 64) }

// fd is an argument that is a descriptor; AT_FDCWD is none.
func (c *call) fd(i int) int {
	n, err := strconv.Atoi(c.args[i])
	if err != nil {
		return -1
	}
	return n
}
