package cachestore

import "testing"

func TestHotPathsDoNotAllocate(t *testing.T) {
	s := New(Options{})
	defer s.Close()
	g := s.Group("g")
	small, large := key(g, "small"), key(g, "large")
	mustSet(t, s, small, Entry{10, 20, []byte("meta"), []byte("value")})
	mustSet(t, s, large, Entry{10, 20, nil, noise(1, 1<<20)})
	ticket, _ := s.Begin(key(g, "led"), 0, 100, nil)
	defer ticket.Pass()
	var w Wait
	buf := make([]byte, 0, 2<<20)
	for name, f := range map[string]func(){
		"small hit": func() { s.Get(buf, append(g.Key(buf), "small"...), 5) },
		"stale":     func() { s.Get(buf, small, 15) },
		"large hit": func() { s.Get(buf, large, 5) },
		"miss":      func() { s.Get(buf, append(g.Key(buf), "other"...), 5) },
		"wait": func() {
			s.Begin(append(g.Key(buf), "led"...), 0, 100, &w)
			w.GiveUp(0)
		},
	} {
		if n := testing.AllocsPerRun(100, f); n != 0 {
			t.Errorf("%s: %.1f allocations", name, n)
		}
	}
}
