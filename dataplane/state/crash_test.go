package state

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/tidegate/tidegate/dataplane/definition"
)

const (
	childDir  = "TIDEGATE_TEST_STATE_DIR"
	childSize = "TIDEGATE_TEST_STATE_FILE_LIMIT"
)

func TestMain(m *testing.M) {
	if dir := os.Getenv(childDir); dir != "" {
		writeForever(dir)
	}
	os.Exit(m.Run())
}

// nth is the change that brings the API, deployment and stage number n.
func nth(n int) definition.Change {
	id := fmt.Sprintf("api%07d", n)
	b := body(id, fmt.Sprintf("/path-%d", n))
	ch := definition.Change{
		PutAPIs:        []*definition.API{api(id, b)},
		PutDeployments: []*definition.Deployment{deployment(id, "first", 1, b)},
		PutStages:      []*definition.Stage{stage(id, "prod", "first")},
	}
	if n%3 == 0 && n > 0 { // also reuse freed pages
		ch.DeleteAPIs = []string{fmt.Sprintf("api%07d", n-1)}
	}
	return ch
}

// writeForever is the child: it prints each number once its write returned.
func writeForever(dir string) {
	if os.Getenv(childSize) != "" {
		signal.Ignore(syscall.SIGXFSZ)
		limit := &syscall.Rlimit{Cur: 1 << 20, Max: 1 << 20}
		if err := syscall.Setrlimit(syscall.RLIMIT_FSIZE, limit); err != nil {
			fmt.Println(err)
			os.Exit(1)
		}
	}
	s, err := Open(dir)
	if err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
	c, err := s.Load()
	if err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
	n := 0
	for id := range c.APIs {
		var i int
		_, _ = fmt.Sscanf(id, "api%d", &i)
		n = max(n, i+1)
	}
	for ; ; n++ {
		if err := s.Write(nth(n)); err != nil {
			fmt.Println("failed", n, err)
			os.Exit(0)
		}
		fmt.Println("ack", n)
	}
}

func child(dir string, env ...string) (*exec.Cmd, io.Reader, error) {
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(append(os.Environ(), childDir+"="+dir), env...)
	out, err := cmd.StdoutPipe()
	if err != nil {
		return nil, nil, err
	}
	return cmd, out, cmd.Start()
}

// present says whether number n is there as nth wrote it.
func present(c *definition.Catalog, n int) error {
	ch := nth(n)
	a := c.APIs[ch.PutAPIs[0].ID]
	if a == nil {
		return errors.New("API is missing")
	}
	d := c.Deployments[definition.DeploymentKey{APIID: a.ID, ID: "first"}]
	st := c.Stages[definition.StageKey{APIID: a.ID, Stage: "prod"}]
	if d == nil || st == nil || a.Body.Revision != ch.PutAPIs[0].Body.Revision || a.Body != d.Body {
		return errors.New("record is incomplete")
	}
	return nil
}

func TestKillLosesNothingAcknowledged(t *testing.T) {
	dir := t.TempDir()
	deleted := func(n int, last int) bool { return n%3 == 2 && n+1 <= last }
	last, total := -1, 0
	for round := range 10 {
		cmd, out, err := child(dir)
		if err != nil {
			t.Fatal(err)
		}
		go func() {
			time.Sleep(time.Duration(40+rand.IntN(120)) * time.Millisecond)
			_ = cmd.Process.Kill()
		}()
		for lines := bufio.NewScanner(out); lines.Scan(); {
			var n int
			if _, err := fmt.Sscanf(lines.Text(), "ack %d", &n); err != nil {
				t.Fatalf("round %d: child said %q", round, lines.Text())
			}
			last = n
			total++
		}
		_ = cmd.Wait()

		s, err := Open(dir)
		if err != nil {
			t.Fatalf("round %d: %v", round, err)
		}
		c := mustLoad(t, s)
		unacknowledged := 0
		for n := range last + 2 {
			err := present(c, n)
			switch {
			case n == last+1 && err == nil:
				unacknowledged++ // made durable, killed before it could say so
			case n <= last && !deleted(n, last) && err != nil && !(n == last && n%3 == 2): // n may be deleted by last+1
				t.Fatalf("round %d: write %d of %d acknowledged: %v", round, n, last, err)
			}
		}
		last += unacknowledged
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
	}
	if total < 10 {
		t.Errorf("only %d writes in 10 rounds prove little", total)
	}
	t.Logf("%d writes acknowledged over 10 kills", total)
}

func TestWriteErrorOfTheDiskChangesNothing(t *testing.T) {
	dir := t.TempDir()
	cmd, out, err := child(dir, childSize+"=1")
	if err != nil {
		t.Fatal(err)
	}
	text, _ := io.ReadAll(out)
	_ = cmd.Wait()
	lines := strings.Split(strings.TrimSpace(string(text)), "\n")
	final := lines[len(lines)-1]
	var failed int
	if _, err := fmt.Sscanf(final, "failed %d", &failed); err != nil {
		t.Fatalf("child said %q", final)
	}
	if !strings.Contains(final, filepath.Join(dir, fileName)) {
		t.Errorf("error does not name the file: %s", final)
	}
	c := mustLoad(t, mustOpen(t, dir))
	if err := present(c, failed-1); err != nil {
		t.Errorf("last acknowledged write %d: %v", failed-1, err)
	}
	if err := present(c, failed); err == nil {
		t.Errorf("failed write %d is there", failed)
	}
}

func TestDamagedFile(t *testing.T) {
	whole := filepath.Join(t.TempDir(), "whole")
	s := mustOpen(t, whole)
	for n := range 40 {
		mustWrite(t, s, nth(n))
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	good, err := os.ReadFile(filepath.Join(whole, fileName))
	if err != nil {
		t.Fatal(err)
	}
	for name, spoil := range map[string]func([]byte) []byte{
		"empty":          func([]byte) []byte { return nil },
		"not a database": func(b []byte) []byte { return []byte(strings.Repeat("tidegate ", 4000)) },
		"cut in half":    func(b []byte) []byte { return b[:len(b)/2/4096*4096] },
		"cut to a page":  func(b []byte) []byte { return b[:8192] },
		"zeroed pages":   func(b []byte) []byte { clear(b[8192:]); return b },
		"one letter": func(b []byte) []byte {
			return bytes.ReplaceAll(b, []byte("pets api0000030"), []byte("pots api0000030"))
		},
		"noise": func(b []byte) []byte {
			for i := 8192; i < len(b); i += 7 {
				b[i] ^= 0x5a
			}
			return b
		},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			path := filepath.Join(dir, fileName)
			if err := os.WriteFile(path, spoil(bytes.Clone(good)), 0o600); err != nil {
				t.Fatal(err)
			}
			s, err := Open(dir)
			if err == nil {
				_, err = s.Load()
				_ = s.Close()
			}
			var damaged *DamagedError
			if !errors.As(err, &damaged) || !strings.Contains(err.Error(), path) || !strings.Contains(err.Error(), "restore it from a backup") {
				t.Errorf("error: %v", err)
			}
		})
	}
}
