package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"slices"
	"strings"
	"time"

	"github.com/tidegate/tidegate/dataplane"
)

// A daemon and its successor speak over a pair of sockets, one JSON object after
// the other:
//
//	successor                      predecessor
//	{"want": "state"}        ->
//	                         <-    {"released": true}     what only one can have
//	{"want": "debts"}        ->
//	                         <-    {"debts": [...],       spent of limits,
//	                                "clients": [...],     by usage plans' clients,
//	                                "rates": [...]}       and counted by web ACLs
//	{"ready": {...}}         ->                           it serves
//	                         <-    {"debts": [...],       until all is served to its end:
//	                                "clients": [...],     spent since,
//	                                "rates": [...],
//	                                "late": [...]}        and counted of quotas
//	{"failed": "..."}        ->                           in place of any of the above
type handover struct {
	Want     string `json:"want,omitempty"`
	Released bool   `json:"released,omitempty"`
	dataplane.Debts
	Ready  *successor       `json:"ready,omitempty"`
	Late   []dataplane.Late `json:"late,omitempty"`
	Failed string           `json:"failed,omitempty"`
}

// successor is who serves now.
type successor struct {
	PID     int    `json:"pid"`
	Version string `json:"version"`
}

// takeoverTimeout bounds how long a successor takes until it serves.
const takeoverTimeout = 10 * time.Second

// lateEvery is how often a predecessor tells what it counted.
const lateEvery = 200 * time.Millisecond

// handoverVariable tells a process that it is a successor, and of what: a JSON list
// of the sockets. Their descriptors follow that of the pair, which is the first.
const handoverVariable = "TIDEGATE_HANDOVER"

// pair is one end of the sockets.
type pair struct {
	net.Conn
	in  *json.Decoder
	out *json.Encoder
}

func newPair(file *os.File) (*pair, error) {
	defer file.Close()
	conn, err := net.FileConn(file)
	if err != nil {
		return nil, err
	}
	return &pair{conn, json.NewDecoder(conn), json.NewEncoder(conn)}, nil
}

func (p *pair) receive() (h handover, err error) {
	err = p.in.Decode(&h)
	return h, err
}

// launchSuccessor starts the program file with the sockets.
func launchSuccessor(program, config string, sockets []dataplane.Socket) (*exec.Cmd, *pair, error) {
	ours, theirs, err := socketPair()
	if err != nil {
		return nil, nil, err
	}
	defer theirs.Close()
	cmd := exec.Command(program, "run", "--config", config)
	cmd.Stdout, cmd.Stderr = os.Stdout, os.Stderr
	cmd.SysProcAttr = dataplane.SuccessorAttributes()
	cmd.ExtraFiles = []*os.File{theirs}
	for _, s := range sockets {
		cmd.ExtraFiles = append(cmd.ExtraFiles, s.File)
	}
	list, err := json.Marshal(sockets)
	if err != nil {
		return nil, nil, err
	}
	// What systemd says is of this process: the pid of the other is not known yet.
	cmd.Env = slices.DeleteFunc(os.Environ(), func(v string) bool {
		return strings.HasPrefix(v, "LISTEN_") || strings.HasPrefix(v, "WATCHDOG_PID=") || strings.HasPrefix(v, handoverVariable+"=")
	})
	cmd.Env = append(cmd.Env, handoverVariable+"="+string(list))
	if err := cmd.Start(); err != nil {
		_ = ours.Close()
		return nil, nil, fmt.Errorf("start %s: %w", program, err)
	}
	p, err := newPair(ours)
	if err != nil {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	}
	return cmd, p, err
}

// releaser is what a predecessor does with its gateway.
type releaser interface {
	Sockets() ([]dataplane.Socket, error)
	Release() error
	Reclaim() error
	Debts() dataplane.Debts
	LateDebts() dataplane.Debts
	TakeLate() []dataplane.Late
}

// handOver starts the successor and returns when it serves. Until then an error
// leaves everything as it was. The pair is for tellLate.
func handOver(g releaser, program, config string) (s *successor, p *pair, err error) {
	sockets, err := g.Sockets()
	defer func() {
		for _, s := range sockets {
			_ = s.File.Close()
		}
	}()
	if err != nil {
		return nil, nil, err
	}
	cmd, p, err := launchSuccessor(program, config, sockets)
	if err != nil {
		return nil, nil, err
	}
	_ = p.SetDeadline(time.Now().Add(takeoverTimeout))
	s, err = p.attend(g)
	if err == nil {
		_ = p.SetDeadline(time.Time{})
		_ = cmd.Process.Release()
		return s, p, nil
	}
	_ = cmd.Process.Kill()
	_ = cmd.Wait()
	_ = p.Close()
	return nil, nil, errors.Join(err, g.Reclaim())
}

// attend answers the successor until it serves.
func (p *pair) attend(g releaser) (*successor, error) {
	for {
		h, err := p.receive()
		if errors.Is(err, os.ErrDeadlineExceeded) {
			return nil, fmt.Errorf("the new process did not serve within %s", takeoverTimeout)
		}
		if err != nil {
			return nil, errors.New("the new process ended before it served; the log says why")
		}
		switch {
		case h.Failed != "":
			return nil, errors.New("the new process: " + h.Failed)
		case h.Ready != nil:
			return h.Ready, nil
		case h.Want == "state":
			if err = g.Release(); err == nil {
				err = p.out.Encode(handover{Released: true})
			}
		case h.Want == "debts":
			err = p.out.Encode(handover{Debts: g.Debts()})
		}
		if err != nil {
			return nil, err
		}
	}
}

// tellLate tells the successor what is counted here, until done, and then the rest.
func (p *pair) tellLate(g releaser, done <-chan struct{}) {
	tick := time.NewTicker(lateEvery)
	defer tick.Stop()
	defer p.Close()
	for last := false; ; {
		select {
		case <-tick.C:
		case <-done:
			last = true
		}
		h := handover{Debts: g.LateDebts(), Late: g.TakeLate()}
		if nothing := h.Debts.None() && len(h.Late) == 0; nothing && last || !nothing && p.out.Encode(h) != nil {
			return
		}
	}
}

// heir is what a successor does with its gateway.
type heir interface {
	Owe(dataplane.Debts)
	AddLate([]dataplane.Late)
}

// takeover is a successor's side. Nil is that of a process that is none.
type takeover struct {
	*pair
	sockets []dataplane.Socket
	told    chan struct{} // closed when the predecessor has told all
}

// takingOver reads what this process is the successor of.
func takingOver(getenv func(string) string) (*takeover, error) {
	list := getenv(handoverVariable)
	if list == "" {
		return nil, nil
	}
	t := &takeover{told: make(chan struct{})}
	if err := json.Unmarshal([]byte(list), &t.sockets); err != nil {
		return nil, fmt.Errorf("%s is not for you to set: %w", handoverVariable, err)
	}
	for i := range t.sockets {
		t.sockets[i].File = inheritedFile(firstInherited+1+i, t.sockets[i].Listener)
	}
	var err error
	t.pair, err = newPair(inheritedFile(firstInherited, "handover"))
	return t, err
}

// wait asks the predecessor for something.
func (t *takeover) wait(want string) (handover, error) {
	if err := t.out.Encode(handover{Want: want}); err != nil {
		return handover{}, fmt.Errorf("the predecessor is gone: %w", err)
	}
	h, err := t.receive()
	if err != nil {
		err = fmt.Errorf("the predecessor is gone: %w", err)
	}
	return h, err
}

// fail tells the predecessor why this process does not serve.
func (t *takeover) fail(err error) error {
	if t != nil && err != nil {
		_ = t.out.Encode(handover{Failed: err.Error()})
	}
	return err
}

// serve says that this process serves, and takes what the predecessor counts.
func (t *takeover) serve(g heir, version string) error {
	if err := t.out.Encode(handover{Ready: &successor{os.Getpid(), version}}); err != nil {
		return fmt.Errorf("the predecessor is gone: %w", err)
	}
	go func() {
		defer close(t.told)
		defer t.Close()
		for {
			h, err := t.receive()
			if err != nil {
				return // all is told
			}
			g.Owe(h.Debts)
			g.AddLate(h.Late)
		}
	}()
	return nil
}
