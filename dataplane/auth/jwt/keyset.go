package jwt

import (
	"errors"
	"fmt"
)

// Bounds of a JWKS. AWS allows 150,000 bytes.
const (
	maxKeySet = 256 << 10 // bytes
	maxKeys   = 100
)

// keySet is the keys that an issuer publishes. It never changes.
type keySet struct {
	keys   map[string]*key // by kid
	unfit  []string        // why the others cannot be used, for people
	listed int
}

// readKeySet reads a JWKS (RFC 7517 section 5). Keys that cannot be used are left
// out, as it says; a set without any is a set all the same, for an issuer may
// withdraw them all.
func readKeySet(text string) (*keySet, error) {
	if len(text) > maxKeySet {
		return nil, fmt.Errorf("the key set has more than %d bytes", maxKeySet)
	}
	top, _, ok := readObject(text, nil, nil)
	if !ok {
		return nil, errors.New("the key set is not a JSON object without repeated names")
	}
	list := members(top).get("keys")
	if list.kind != isArray {
		return nil, errors.New(`the key set has no array "keys"`)
	}
	items := readItems(list.text, nil)
	if len(items) > maxKeys {
		return nil, fmt.Errorf("the key set has %d keys, more than %d", len(items), maxKeys)
	}
	s := &keySet{keys: make(map[string]*key, len(items)), listed: len(items)}
	for i, item := range items {
		if err := s.add(item); err != nil {
			s.unfit = append(s.unfit, fmt.Sprintf("key %d: %v", i, err))
		}
	}
	return s, nil
}

func (s *keySet) add(item value) error {
	if item.kind != isObject {
		return errors.New("it is not an object")
	}
	m, _, ok := readObject(item.text, nil, nil)
	if !ok {
		return errors.New("it is not an object")
	}
	k, err := readKey(m)
	if err != nil {
		if k != nil {
			return fmt.Errorf("%q: %w", k.id, err)
		}
		return err
	}
	if s.keys[k.id] != nil {
		return fmt.Errorf("%q: another key has the same kid", k.id)
	}
	s.keys[k.id] = k
	return nil
}

// replace takes over from the set before: a key that is still published remains
// the same *key, and the others are revoked.
func (s *keySet) replace(before *keySet) {
	if before == nil {
		return
	}
	for id, old := range before.keys {
		if now := s.keys[id]; now != nil && now.material == old.material {
			s.keys[id] = old
		} else {
			old.revoked.Store(true)
		}
	}
}
