package main

import (
	"fmt"
	"strings"
	"time"

	"github.com/tidegate/tidegate/dataplane/control"
)

// showBytes is a number of bytes in the unit that suits it.
func showBytes(n int64) string {
	if n >= 10<<30 {
		return fmt.Sprintf("%d GiB", n>>30)
	}
	return fmt.Sprintf("%d MiB", n>>20)
}

// printOverload shows how near the host is to what it can bear.
func printOverload(e *env, o *control.OverloadStatus) {
	if o == nil {
		return
	}
	var signals []string
	for _, s := range o.Signals {
		text := strings.ReplaceAll(s.Name, "_", " ")
		switch s.Name {
		case "memory":
			text += fmt.Sprintf(" %.0f %% of %s (%s)", 100*s.Value, showBytes(o.MemoryLimit), o.MemoryLimitOf)
		case "delay":
			text += " " + time.Duration(s.Value*float64(time.Second)).Round(10*time.Microsecond).String()
		default:
			text += fmt.Sprintf(" %.0f %%", 100*s.Value)
		}
		if s.Level > 0 {
			text += fmt.Sprintf(" [level %.2f]", s.Level)
		}
		signals = append(signals, text)
	}
	fmt.Fprintf(e.stdout, "overload  %s: %s\n", o.Step, strings.Join(signals, ", "))
	if n := o.Shed["low"] + o.Shed["normal"] + o.Shed["high"]; n > 0 {
		fmt.Fprintf(e.stdout, "shed      %s: %d of low, %d of normal, %d of high priority\n", count(int(n), "request"), o.Shed["low"], o.Shed["normal"], o.Shed["high"])
	}
}
