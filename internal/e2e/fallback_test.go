package e2e

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/tidegate/tidegate/dataplane/control"
)

// copied waits for a copy of the state file that is newer than since.
func (d *daemon) copied(since time.Time) {
	d.t.Helper()
	eventually(d.t, 10*time.Second, func() error {
		s, err := d.client.Status(context.Background())
		if err != nil {
			return err
		}
		if s.Kept.CopiedAt == nil || !s.Kept.CopiedAt.After(since) {
			return fmt.Errorf("%+v", s.Kept)
		}
		return nil
	})
}

// TestR16DamagedState: a state file that is damaged at start is moved aside, what
// was there at the last copy serves, and the alarm lasts until it is acknowledged.
// Without a good copy there is no start, and never an empty one.
func TestR16DamagedState(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	for name, spoil := range map[string]func(path string) error{
		"overwritten": func(path string) error { return os.WriteFile(path, bytes.Repeat([]byte("x"), 1<<16), 0o600) },
		"cut off":     func(path string) error { return os.Truncate(path, 3*4096) },
		"missing":     os.Remove,
	} {
		t.Run(name, func(t *testing.T) {
			d := start(t, host{})
			began := time.Now()
			backend := echoPath(t)
			d.deploy("prod", revision(1), map[string]string{"backend": backend, "revision": "1"})
			d.copied(began)
			d.kill()
			d.client.Close()
			path := filepath.Join(d.dir, "state", "tidegate.db")
			if err := spoil(path); err != nil {
				t.Fatal(err)
			}

			d.run()
			d.waitReady()
			d.ask("GET", "/prod/mock", "").expect(t, "from the copy", 200, "1")
			alarmed := func(want bool) *control.StateFallback {
				t.Helper()
				s, err := d.client.Status(ctx)
				if err != nil {
					t.Fatal(err)
				}
				if gauge := d.metric("tidegate_state_fallback"); (gauge == 1) != want || (s.Kept.Fallback != nil) != want {
					t.Fatalf("alarm: status %+v, metric %g, want %v", s.Kept.Fallback, gauge, want)
				}
				return s.Kept.Fallback
			}
			if f := alarmed(true); f.CopiedAt.Before(began.Truncate(time.Second)) || f.Cause == "" || (f.Damaged == "") != (name == "missing") {
				t.Errorf("%+v", f)
			} else if f.Damaged != "" {
				if _, err := os.Stat(f.Damaged); err != nil {
					t.Error(err)
				}
			}
			d.deploy("prod", revision(2), map[string]string{"backend": backend, "revision": "2"})
			d.terminate(10 * time.Second)
			d.client.Close()
			d.run()
			d.waitReady()
			d.ask("GET", "/prod/mock", "").expect(t, "after a restart", 200, "2")
			alarmed(true)
			if err := d.client.AcknowledgeFallback(ctx); err != nil {
				t.Fatal(err)
			}
			alarmed(false)
			d.kill()
			d.client.Close()

			for _, file := range []string{path, path + ".good"} {
				if err := os.WriteFile(file, []byte("no state file"), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			d.run()
			select {
			case <-d.exited:
			case <-time.After(10 * time.Second):
				t.Fatal("it starts with a damaged copy")
			}
			if d.err == nil || !bytes.Contains([]byte(d.stderr.String()), []byte(path+" is damaged")) {
				t.Errorf("%v: %s", d.err, d.stderr)
			}
		})
	}
}
