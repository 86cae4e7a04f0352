package caches

import (
	"bytes"
	"errors"

	"github.com/dgraph-io/ristretto/v2"
	"github.com/maypok86/otter/v2"
)

// What these hand out is the value itself and no copy.

func openOtter(c Contents) (*cache, error) {
	o, err := otter.New(&otter.Options[string, []byte]{MaximumSize: 2 * c.Entries, InitialCapacity: c.Entries})
	if err != nil {
		return nil, err
	}
	return &cache{
		set:    func(key, value []byte) error { o.Set(string(key), bytes.Clone(value)); return nil },
		settle: o.CleanUp,
		reader: func() func([]byte) []byte {
			return func(key []byte) []byte {
				value, _ := o.GetIfPresent(asString(key))
				return value
			}
		},
	}, nil
}

// openRistretto counts ten times the entries, as its documentation advises. Of
// keys it keeps and compares two hashes.
func openRistretto(c Contents) (*cache, error) {
	r, err := ristretto.NewCache(&ristretto.Config[[]byte, []byte]{
		NumCounters: 10 * int64(c.Entries), MaxCost: 2 * int64(c.Entries), BufferItems: 64, IgnoreInternalCost: true,
	})
	if err != nil {
		return nil, err
	}
	return &cache{
		set: func(key, value []byte) error {
			if !r.Set(key, bytes.Clone(value), 1) {
				return errors.New("ristretto dropped it")
			}
			return nil
		},
		settle: r.Wait,
		reader: func() func([]byte) []byte {
			return func(key []byte) []byte {
				value, _ := r.Get(key)
				return value
			}
		},
	}, nil
}

func openGoMap(c Contents) (*cache, error) {
	m := make(map[string][]byte, c.Entries)
	return &cache{
		set: func(key, value []byte) error { m[string(key)] = bytes.Clone(value); return nil },
		reader: func() func([]byte) []byte {
			return func(key []byte) []byte { return m[string(key)] }
		},
	}, nil
}
