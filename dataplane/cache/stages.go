package cache

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"sync"

	"github.com/tidegate/tidegate/cachestore"
	"github.com/tidegate/tidegate/dataplane/definition"
)

// Stages keeps the caches of stages, which outlive deployments. Its methods are
// for the control path; any goroutine may call them.
type Stages struct {
	stageBytes int    // most memory of one stage's cache
	saveDir    string // "" for none
	secret     []byte // of saved caches
	now        func() int64
	wall       func() int64

	mu  sync.Mutex
	all map[place]*Stage
}

// place is where a cache belongs. Another size is another cache, as on AWS.
type place struct {
	definition.StageKey
	size string
}

// Stage is the cache of one stage.
type Stage struct {
	Store *cachestore.Store
	Key   definition.StageKey
	Size  string // AWS's, in gigabytes
	Mode  string // written by compile, under Stages.mu

	group *cachestore.Group
}

// Options of a Stages. Now is the clock of entries, Wall the Unix nanoseconds.
type Options struct {
	StageBytes int
	SaveDir    string
	Secret     []byte // 32 bytes
	Now, Wall  func() int64
}

// NewStages returns the caches of no stage.
func NewStages(o Options) *Stages {
	return &Stages{stageBytes: o.StageBytes, saveDir: o.SaveDir, secret: o.Secret, now: o.Now, wall: o.Wall, all: map[place]*Stage{}}
}

// stage returns the cache of a stage, making it at the first call.
func (s *Stages) stage(st *definition.Stage) (*Stage, error) {
	size := st.CacheClusterSize
	if size == "" {
		size = definition.CacheSizes[0]
	}
	gigabytes, err := strconv.ParseFloat(size, 64)
	if err != nil {
		return nil, fmt.Errorf("cache size %q: write gigabytes, one of %v", size, definition.CacheSizes)
	}
	mode := st.CacheMode
	if mode == "" {
		mode = definition.CacheModeAWS
	}
	at := place{definition.StageKey{APIID: st.APIID, Stage: st.Name}, size}
	s.mu.Lock()
	defer s.mu.Unlock()
	c := s.all[at]
	if c == nil {
		c = &Stage{Key: at.StageKey, Size: size, Store: cachestore.New(cachestore.Options{
			MaxBytes: int(min(gigabytes*(1<<30), float64(s.stageBytes))), MaxValueBytes: MaxEntry, Savable: s.saveDir != "",
		})}
		c.group = c.Store.Group("")
		s.load(c)
		s.all[at] = c
	}
	c.Mode = mode
	return c, nil
}

// MaxEntry bounds a cached body, in bytes.
//
// Source: https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-caching.html
const MaxEntry = 1 << 20

// Retain closes the caches that keep does not name: of stages that are gone or
// that have their cache switched off.
func (s *Stages) Retain(keep map[*Stage]bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for at, c := range s.all {
		if !keep[c] {
			c.Store.Close()
			delete(s.all, at)
		}
	}
}

// Flush makes everything in the cache of a stage unreachable. It is false when
// the stage has no cache.
func (s *Stages) Flush(key definition.StageKey) (flushed bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for at, c := range s.all {
		if at.StageKey == key {
			c.Store.Flush()
			flushed = true
		}
	}
	return flushed
}

// Each calls f with every cache.
func (s *Stages) Each(f func(c *Stage, mode string)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, c := range s.all {
		f(c, c.Mode)
	}
}

// Save saves the caches if they are to be kept.
func (s *Stages) Save(ctx context.Context) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.saveDir == "" {
		return nil
	}
	var errs []error
	for at, c := range s.all {
		if _, err := c.Store.Save(ctx, s.file(at), s.secret, s.now(), s.wall()); err != nil {
			errs = append(errs, fmt.Errorf("save the cache of stage %s of API %s: %w", at.Stage, at.APIID, err))
		}
	}
	return errors.Join(errs...)
}

// Close closes the caches.
func (s *Stages) Close() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for at, c := range s.all {
		c.Store.Close()
		delete(s.all, at)
	}
}

// load brings back what Close has saved. A file that cannot be used is a cold
// start.
func (s *Stages) load(c *Stage) {
	if s.saveDir != "" {
		_, _ = c.Store.Load(context.Background(), s.file(place{c.Key, c.Size}), s.secret, s.now(), s.wall())
	}
}

func (s *Stages) file(at place) string {
	return filepath.Join(s.saveDir, at.APIID+"-"+at.Stage+"-"+at.size+".cache")
}

// Prepare makes the folder of saved caches.
func (s *Stages) Prepare() error {
	if s.saveDir == "" {
		return nil
	}
	if err := os.MkdirAll(s.saveDir, 0o700); err != nil {
		return fmt.Errorf("cache.save_dir: %w", err)
	}
	return nil
}
