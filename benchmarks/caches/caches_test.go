package caches

import (
	"context"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"
)

// The test binary is its own child, as the bench binary is.
func TestMain(m *testing.M) {
	if len(os.Args) == 3 && os.Args[1] == Command {
		if err := ServeCommand(os.Args[2], os.Stdin, os.Stdout); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	os.Exit(m.Run())
}

var few = Contents{Entries: 5_000, ValueBytes: 256}

func TestGets(t *testing.T) {
	for name := range open {
		f, err := Fill(name, few)
		if err != nil {
			t.Error(err)
			continue
		}
		for _, chained := range []bool{false, true} {
			g, err := f.MeasureGets(2, 5*time.Millisecond, chained)
			if err != nil || g.Nanos <= 0 {
				t.Errorf("%s: %+v, %v", name, g, err)
			}
			if name == Tidegate && g.Allocs != 0 {
				t.Errorf("a get of %s allocates %v times", name, g.Allocs)
			}
		}
		if v := f.cache.reader()(f.keys().of(uint64(few.Entries))); len(v) != 0 {
			t.Errorf("%s has an entry that was never stored: %q", name, v)
		}
	}
}

// What a cache loses or mistakes is not measured.
func TestWrongValues(t *testing.T) {
	f, err := Fill(GoMap, few)
	if err != nil {
		t.Fatal(err)
	}
	for name, get := range map[string]func([]byte) []byte{
		"nothing":         func([]byte) []byte { return nil },
		"another's value": func() func([]byte) []byte { v := make([]byte, 256); v[7] = 1; return func([]byte) []byte { return v } }(),
	} {
		f.cache.reader = func() func([]byte) []byte { return get }
		if _, err := f.MeasureGets(1, time.Millisecond, false); err == nil {
			t.Errorf("%s counts as a get", name)
		}
		if err := f.fill(); err == nil || !strings.Contains(err.Error(), "entry 0 of 5000 is not there") {
			t.Errorf("%s after a fill: %v", name, err)
		}
	}
	if _, err := Fill("nothing", few); err == nil || !strings.Contains(err.Error(), `"nothing"`) {
		t.Errorf("an unknown cache: %v", err)
	}
}

func TestKeysDiffer(t *testing.T) {
	f, err := Fill(GoMap, few)
	if err != nil {
		t.Fatal(err)
	}
	k, seen := f.keys(), map[string]bool{}
	for i := range uint64(few.Entries) {
		seen[string(k.of(i))] = true
	}
	if len(seen) != few.Entries {
		t.Errorf("%d different keys of %d", len(seen), few.Entries)
	}
	for range 1000 {
		if n := k.next(0); n >= uint64(few.Entries) {
			t.Fatalf("entry %d of %d", n, few.Entries)
		}
	}
}

func TestCollections(t *testing.T) {
	for _, name := range []string{Tidegate, GoMap} {
		f, err := Fill(name, few)
		if err != nil {
			t.Fatal(err)
		}
		c, err := f.MeasureCollections(3)
		if err != nil || c.MaxPause <= 0 || c.MaxStall <= 0 || c.CPU <= 0 {
			t.Errorf("%s: %+v, %v", name, c, err)
		}
		if held := uint64(few.Entries * few.ValueBytes); name == GoMap && c.Heap < held {
			t.Errorf("a heap of %d bytes holds %d bytes", c.Heap, held)
		}
	}
}

func TestChild(t *testing.T) {
	c, err := Order{Name: Tidegate, Contents: few, Cores: 2}.Start(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	defer c.Stop()
	for range 2 {
		if g, err := c.MeasureGets(time.Millisecond, true); err != nil || g.Nanos <= 0 {
			t.Errorf("%+v, %v", g, err)
		}
		if g, err := c.MeasureCollections(1); err != nil || g.MaxPause <= 0 {
			t.Errorf("%+v, %v", g, err)
		}
	}
	c.Stop()
	if _, err := c.MeasureGets(time.Millisecond, true); err == nil {
		t.Error("a stopped child answers")
	}
}

func TestChildFails(t *testing.T) {
	if _, err := (Order{Name: "nothing", Contents: few, Cores: 1}).Start(context.Background()); err == nil || !strings.Contains(err.Error(), `"nothing"`) {
		t.Errorf("an unknown cache: %v", err)
	}
	if err := ServeCommand("{", nil, nil); err == nil || !strings.Contains(err.Error(), "parameters") {
		t.Errorf("no parameters: %v", err)
	}
	stdin := strings.NewReader("nonsense")
	if err := ServeCommand(`{"Name":"go-map","Entries":1,"ValueBytes":9,"Cores":2}`, stdin, new(strings.Builder)); err == nil || !strings.Contains(err.Error(), "task") {
		t.Errorf("a task that is none: %v", err)
	}
}
