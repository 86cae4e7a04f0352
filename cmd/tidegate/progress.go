package main

import (
	"fmt"
	"io"
	"time"
)

// progressAfter is how long an operation stays silent on a terminal.
const progressAfter = time.Second

// withProgress runs do. If it takes longer than progressAfter and stderr is a
// terminal, a line with the seconds passed shows that it is still at work; the
// line is gone when withProgress returns.
func withProgress(e *env, what string, do func() error) error {
	if !e.terminal {
		return do()
	}
	done, cleared := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(cleared)
		showProgress(e.stderr, what, progressAfter, done)
	}()
	err := do()
	close(done)
	<-cleared
	return err
}

func showProgress(w io.Writer, what string, every time.Duration, done <-chan struct{}) {
	start := time.Now()
	tick := time.NewTicker(every)
	defer tick.Stop()
	shown := false
	for {
		select {
		case <-tick.C:
			fmt.Fprintf(w, "\r\x1b[K%s… %ds", what, int(time.Since(start).Seconds()))
			shown = true
		case <-done:
			if shown {
				fmt.Fprint(w, "\r\x1b[K")
			}
			return
		}
	}
}
