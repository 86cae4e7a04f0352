package cachestore

import (
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"
)

const saveForever = "CACHESTORE_SAVE_TO"

// A process that is killed while it saves leaves a whole file or none.
func TestKillWhileSaving(t *testing.T) {
	if path := os.Getenv(saveForever); path != "" {
		s, _ := full(t)
		fmt.Println("saving")
		for {
			if _, err := s.Save(t.Context(), path, secret, testNow, testWall); err != nil {
				t.Fatal(err)
			}
		}
	}
	_, want := full(t)
	path := filepath.Join(t.TempDir(), "cache")
	whole := 0
	for range 8 {
		saver := exec.Command(os.Args[0], "-test.run=^TestKillWhileSaving$")
		saver.Env = append(os.Environ(), saveForever+"="+path)
		out, err := saver.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := saver.Start(); err != nil {
			t.Fatal(err)
		}
		_, _ = out.Read(make([]byte, 1))
		time.Sleep(time.Duration(rand.IntN(100)) * time.Millisecond)
		_ = saver.Process.Kill()
		_ = saver.Wait()

		s := New(Options{MaxBytes: 256 << 20})
		n, err := s.Load(t.Context(), path, secret, testNow, testWall)
		if err != nil || n != 0 && n != len(want) {
			t.Fatalf("%d loaded: %v", n, err)
		}
		if n != 0 {
			whole++
			check(t, s, want, testNow, 0, true)
		}
		s.Close()
	}
	t.Logf("%d of 8 had saved", whole)
}
