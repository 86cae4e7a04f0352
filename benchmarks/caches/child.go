package caches

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"syscall"
	"time"
)

// Command is the subcommand of the bench binary that holds a cache: it takes an
// [Order] as JSON, fills the cache, and then answers tasks, one a line, until
// its standard input is closed.
const Command = "hold-cache"

// Order says what a child is to hold.
type Order struct {
	Name string // of the cache
	Contents
	Cores int // that it may use
}

// task is what a child is asked to measure: one of the two.
type task struct {
	Gets        time.Duration `json:"gets,omitempty"`
	Chained     bool          `json:"chained,omitempty"`
	Collections int           `json:"collections,omitempty"`
}

// answer is that of a child to a task, or to the order when nothing else is in it.
type answer struct {
	Gets        *Gets        `json:"gets,omitempty"`
	Collections *Collections `json:"collections,omitempty"`
	Error       string       `json:"error,omitempty"`
}

// Child is a process that holds a cache. One goroutine uses it.
type Child struct {
	cmd   *exec.Cmd
	stdin io.WriteCloser
	tasks *json.Encoder
	reads *json.Decoder
	log   bytes.Buffer
}

// Start returns when the cache is filled. Stop the child in the end.
func (o Order) Start(ctx context.Context) (*Child, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	arg, err := json.Marshal(o)
	if err != nil {
		return nil, err
	}
	c := &Child{cmd: exec.CommandContext(ctx, self, Command, string(arg))}
	c.cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	c.cmd.Stderr = &c.log
	if c.stdin, err = c.cmd.StdinPipe(); err != nil {
		return nil, err
	}
	out, err := c.cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := c.cmd.Start(); err != nil {
		return nil, fmt.Errorf("caches: start: %w", err)
	}
	c.tasks, c.reads = json.NewEncoder(c.stdin), json.NewDecoder(out)
	if _, err := c.answer(); err != nil {
		c.Stop()
		return nil, fmt.Errorf("caches: hold %s: %w", o.Name, err)
	}
	return c, nil
}

// PID is the process.
func (c *Child) PID() int { return c.cmd.Process.Pid }

// MeasureGets is [Filled.MeasureGets] in the child, on all of its cores.
func (c *Child) MeasureGets(d time.Duration, chained bool) (Gets, error) {
	a, err := c.ask(task{Gets: d, Chained: chained})
	if err == nil && a.Gets == nil {
		err = errors.New("caches: no gets in the answer")
	}
	if err != nil {
		return Gets{}, err
	}
	return *a.Gets, nil
}

// MeasureCollections is [Filled.MeasureCollections] in the child.
func (c *Child) MeasureCollections(n int) (Collections, error) {
	a, err := c.ask(task{Collections: n})
	if err == nil && a.Collections == nil {
		err = errors.New("caches: no collections in the answer")
	}
	if err != nil {
		return Collections{}, err
	}
	return *a.Collections, nil
}

// Stop ends the child and waits for it. It may be called more than once.
func (c *Child) Stop() {
	_ = c.stdin.Close()
	_ = c.cmd.Wait()
}

func (c *Child) ask(t task) (answer, error) {
	if err := c.tasks.Encode(t); err != nil {
		return answer{}, fmt.Errorf("caches: task: %w%s", err, c.said())
	}
	return c.answer()
}

func (c *Child) answer() (a answer, err error) {
	if err := c.reads.Decode(&a); err != nil {
		c.Stop() // it has ended, or is of no use
		return a, fmt.Errorf("caches: no answer: %w%s", err, c.said())
	}
	if a.Error != "" {
		return a, errors.New(a.Error)
	}
	return a, nil
}

// said is what the child wrote to stderr. It is complete once the child was stopped.
func (c *Child) said() string {
	if c.cmd.ProcessState == nil || c.log.Len() == 0 {
		return ""
	}
	return ": " + strings.TrimSpace(c.log.String())
}

// ServeCommand is the work of a child.
func ServeCommand(parameters string, stdin io.Reader, stdout io.Writer) error {
	var o Order
	if err := json.Unmarshal([]byte(parameters), &o); err != nil {
		return fmt.Errorf("caches: parameters: %w", err)
	}
	runtime.GOMAXPROCS(o.Cores)
	filled, err := Fill(o.Name, o.Contents)
	tasks, answers := json.NewDecoder(stdin), json.NewEncoder(stdout)
	if err != nil {
		return answers.Encode(answer{Error: err.Error()})
	}
	if err := answers.Encode(answer{}); err != nil {
		return err
	}
	for {
		var t task
		if err := tasks.Decode(&t); errors.Is(err, io.EOF) {
			return nil
		} else if err != nil {
			return fmt.Errorf("caches: task: %w", err)
		}
		if err := answers.Encode(filled.do(t, o.Cores)); err != nil {
			return err
		}
	}
}

func (f *Filled) do(t task, cores int) (a answer) {
	var err error
	if t.Collections > 0 {
		var c Collections
		c, err = f.MeasureCollections(t.Collections)
		a.Collections = &c
	} else {
		var g Gets
		g, err = f.MeasureGets(cores, t.Gets, t.Chained)
		a.Gets = &g
	}
	if err != nil {
		a.Error = err.Error()
	}
	return a
}
