package caches

import (
	"context"
	"math"
	"time"
	"unsafe"

	"github.com/VictoriaMetrics/fastcache"
	"github.com/allegro/bigcache/v3"
	"github.com/coocood/freecache"

	"github.com/tidegate/tidegate/cachestore"
)

func openTidegate(c Contents) (*cache, error) {
	s := cachestore.New(cachestore.Options{MaxBytes: c.room()})
	opened := &cache{
		set: func(key, value []byte) error {
			return s.Set(key, cachestore.Entry{FreshUntil: math.MaxInt64, Value: value})
		},
		reader: func() func([]byte) []byte {
			var buf []byte
			return func(key []byte) []byte {
				b, e, state := s.Get(buf[:0], key, 1)
				if buf = b; state != cachestore.Fresh {
					return nil
				}
				return e.Value
			}
		},
	}
	copy(opened.prefix[:], s.Group("benchmarks").Key(nil))
	return opened, nil
}

func openFastcache(c Contents) (*cache, error) {
	f := fastcache.New(c.room())
	return &cache{
		set: func(key, value []byte) error { f.Set(key, value); return nil },
		reader: func() func([]byte) []byte {
			var buf []byte
			return func(key []byte) []byte {
				buf = f.Get(buf[:0], key)
				return buf
			}
		},
	}, nil
}

// openBigcache gives bigcache what its documentation advises for a known load:
// shards that need not grow. Its keys are strings, so bytes are looked up as one
// without a copy.
func openBigcache(c Contents) (*cache, error) {
	config := bigcache.DefaultConfig(time.Hour)
	config.CleanWindow, config.Verbose = 0, false
	config.MaxEntriesInWindow, config.MaxEntrySize = c.Entries, c.ValueBytes+KeyBytes+24
	b, err := bigcache.New(context.Background(), config)
	if err != nil {
		return nil, err
	}
	return &cache{
		set: func(key, value []byte) error { return b.Set(string(key), value) },
		reader: func() func([]byte) []byte {
			return func(key []byte) []byte {
				value, err := b.Get(asString(key))
				if err != nil {
					return nil
				}
				return value
			}
		},
	}, nil
}

// openFreecache gets into a buffer, which saves freecache an allocation.
func openFreecache(c Contents) (*cache, error) {
	f := freecache.NewCache(c.room())
	return &cache{
		set: func(key, value []byte) error { return f.Set(key, value, 0) },
		reader: func() func([]byte) []byte {
			buf := make([]byte, c.ValueBytes)
			return func(key []byte) []byte {
				value, err := f.GetWithBuf(key, buf)
				if err != nil {
					return nil
				}
				return value
			}
		},
	}, nil
}

// asString is valid as long as key stays as it is.
func asString(key []byte) string { return unsafe.String(unsafe.SliceData(key), len(key)) }
