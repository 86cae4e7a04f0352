package cachestore

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/tidegate/tidegate/internal/crashdisk"
)

const savedVariable = "CACHESTORE_POWER_LOSS"

// TestR16SavedPowerLoss: a crash at any moment of saving or loading leaves what was
// saved as a whole or nothing, and what was loaded does not come again.
func TestR16SavedPowerLoss(t *testing.T) {
	const entries = 40
	filled := func(version int) *Store {
		s := New(Options{MaxBytes: 32 << 20, Savable: true})
		g := s.Group("group")
		for i := range entries {
			if err := s.Set(key(g, fmt.Sprint(i)), Entry{Value: fmt.Appendf(nil, "version %d of %d, %0500d", version, i, i), FreshUntil: testNow + 1e12, KeepUntil: testNow + 1e12}); err != nil {
				t.Fatal(err)
			}
		}
		return s
	}
	load := func(path string) (version int) {
		s := New(Options{MaxBytes: 32 << 20})
		defer s.Close()
		n, err := s.Load(t.Context(), path, secret, testNow, testWall)
		if err != nil || n != 0 && n != entries {
			t.Errorf("%d entries loaded: %v", n, err)
		}
		if n == 0 {
			return 0
		}
		g := s.Group("group")
		for i := range entries {
			_, e, _ := s.Get(nil, key(g, fmt.Sprint(i)), testNow)
			var of int
			was := version
			if _, err := fmt.Sscanf(string(e.Value), "version %d of %d,", &version, &of); err != nil || of != i || i > 0 && version != was {
				t.Errorf("entry %d: %.30q, %v", i, e.Value, err)
			}
		}
		return version
	}
	if dir := os.Getenv(savedVariable); dir != "" {
		path := filepath.Join(dir, "cache")
		for version := 1; version <= 2; version++ {
			if _, err := filled(version).Save(t.Context(), path, secret, testNow, testWall); err != nil {
				t.Fatal(err)
			}
			fmt.Println("saved", version)
		}
		fmt.Println("loading")
		if load(path) == 2 {
			fmt.Println("loaded")
		}
		return
	}
	dir := crashdisk.Scratch(t)
	cmd := exec.Command(os.Args[0], "-test.run=^TestR16SavedPowerLoss$")
	cmd.Env = append(os.Environ(), savedVariable+"="+dir)
	crashes, loaded := 0, false
	scratch := crashdisk.Scratch(t)
	for crash := range crashdisk.Record(t, dir, cmd).Crashes(18, 40) {
		crashes++
		left := filepath.Join(scratch, fmt.Sprint(crashes))
		if err := crash.WriteTo(left); err != nil {
			t.Fatal(err)
		}
		least, most := 0, 1
		for _, line := range crash.Said {
			switch line {
			case "saved 1", "saved 2":
				_, _ = fmt.Sscanf(line, "saved %d", &least)
				most = min(least+1, 2)
			case "loading":
				least = 0
			case "loaded":
				least, most, loaded = 0, 0, true
			}
		}
		if v := load(filepath.Join(left, "cache")); v != 0 && (v < least || v > most) || v == 0 && least > 0 {
			t.Errorf("%s, after it had said %v: version %d", crash.What, crash.Said, v)
		}
		if err := os.RemoveAll(left); err != nil {
			t.Fatal(err)
		}
	}
	if t.Logf("%d crashes", crashes); !loaded {
		t.Error("the program did not get to its end")
	}
}
