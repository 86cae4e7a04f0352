package main

import (
	"context"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/tidegate/tidegate/configs"
)

// newProgram is a program file that speaks as a successor does, by the lines of a
// shell script; descriptor 3 leads to the predecessor.
func newProgram(t *testing.T, lines ...string) program {
	t.Helper()
	path := filepath.Join(t.TempDir(), "tidegate")
	if err := os.WriteFile(path, []byte("#!/bin/sh\n"+strings.Join(lines, "\n")+"\n"), 0o755); err != nil {
		t.Fatal(err)
	}
	return program{path: path}
}

const (
	wantsState = `echo '{"want": "state"}' >&3; read released <&3`
	wantsDebts = `echo '{"want": "debts"}' >&3; read debts <&3`
	serves     = `echo '{"ready": {"pid": 4711, "version": "v2"}}' >&3`
)

func TestDaemonIsReplaced(t *testing.T) {
	m, n := newManager(t)
	g := &fakeGateway{}
	upgrades := make(chan *upgradeRequest)
	_, result := startDaemon(t, g, &daemon{notify: n, upgrades: upgrades, watchdog: 60 * time.Millisecond,
		program: newProgram(t, wantsState, "sleep 0.3", wantsDebts, serves, "cat <&3")})
	m.expect(t, "READY=1")
	s, err := askForUpgrade(context.Background(), upgrades)
	if err != nil || s.PID != 4711 || s.Version != "v2" {
		t.Errorf("%+v, %v", s, err)
	}
	if err := <-result; err != nil {
		t.Error(err)
	}
	if want := []string{"start", "sockets", "release", "debts", "retire", "close"}; !slices.Equal(g.seen(), want) {
		t.Errorf("calls %v, want %v", g.seen(), want)
	}
	alive, told := 0, false
	for !told {
		buf := make([]byte, 256)
		k, err := m.Read(buf)
		if err != nil {
			t.Fatal(err)
		}
		told = string(buf[:k]) == "MAINPID=4711"
		if string(buf[:k]) == "WATCHDOG=1" {
			alive++
		}
	}
	if alive < 2 {
		t.Errorf("%d signs of life while the successor started", alive)
	}
}

func TestDaemonIsNotReplaced(t *testing.T) {
	for _, c := range []struct {
		lines []string
		want  string
		calls []string
	}{
		{[]string{`echo '{"failed": "line 3: no such key"}' >&3`}, "line 3: no such key", nil},
		{[]string{wantsState, "exit 1"}, "ended before it served", []string{"release"}},
		{[]string{wantsState, wantsDebts, "echo nonsense >&3"}, "ended before it served", []string{"release", "debts"}},
	} {
		m, n := newManager(t)
		g := &fakeGateway{}
		upgrades := make(chan *upgradeRequest)
		signals, result := startDaemon(t, g, &daemon{notify: n, upgrades: upgrades, program: newProgram(t, c.lines...)})
		m.expect(t, "READY=1")
		if _, err := askForUpgrade(context.Background(), upgrades); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("error %v, want one with %q", err, c.want)
		}
		m.expect(t, "STATUS=handing over")
		m.expect(t, "STATUS=serving")
		signals <- syscall.SIGTERM
		if err := <-result; err != nil {
			t.Error(err)
		}
		if want := append(append([]string{"start", "sockets"}, c.calls...), "reclaim", "drain", "close"); !slices.Equal(g.seen(), want) {
			t.Errorf("calls %v, want %v", g.seen(), want)
		}
	}
}

// TestReloadReplaces: a reload takes over what is installed now, and is a reload
// when nothing is.
func TestReloadReplaces(t *testing.T) {
	m, n := newManager(t)
	g := &fakeGateway{}
	p := newProgram(t, wantsState, wantsDebts, serves, "cat <&3")
	p.was, _ = os.Stat(p.path)
	signals, result := startDaemon(t, g, &daemon{notify: n, program: p, load: func() (*configs.Host, error) { return configs.Defaults(), nil }})
	m.expect(t, "READY=1")
	signals <- syscall.SIGHUP
	m.expect(t, "RELOADING=1")
	m.expect(t, "READY=1")
	text, err := os.ReadFile(p.path)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(p.path+".new", text, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(p.path+".new", p.path); err != nil {
		t.Fatal(err)
	}
	signals <- syscall.SIGHUP
	if err := <-result; err != nil {
		t.Error(err)
	}
	if want := []string{"start", "reload", "sockets", "release", "debts", "retire", "close"}; !slices.Equal(g.seen(), want) {
		t.Errorf("calls %v, want %v", g.seen(), want)
	}
}
