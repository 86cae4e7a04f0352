package crs

import "sync"

// Engines keeps one Engine for each Config in use, across deployments. Any
// goroutine may use it.
type Engines struct {
	mu    sync.Mutex
	byKey map[string]*Engine
}

// Get returns the engine of a configuration, making it at the first call. Errors
// say what is wrong with the configuration.
func (s *Engines) Get(c Config) (*Engine, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	key := c.key()
	if e := s.byKey[key]; e != nil {
		return e, nil
	}
	e, err := newEngine(c)
	if err != nil {
		return nil, err
	}
	if s.byKey == nil {
		s.byKey = map[string]*Engine{}
	}
	s.byKey[key] = e
	return e, nil
}

// Retain forgets the engines that are not in use. Inspections that are under way
// end as they would have.
func (s *Engines) Retain(used map[*Engine]bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for key, e := range s.byKey {
		if !used[e] {
			e.close()
			delete(s.byKey, key)
		}
	}
}

// Len returns how many engines there are.
func (s *Engines) Len() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.byKey)
}
