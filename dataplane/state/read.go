package state

import (
	"bytes"
	"fmt"

	bolt "go.etcd.io/bbolt"

	"github.com/tidegate/tidegate/dataplane/definition"
)

// Key returns the API key with the id, its Value unsealed; nil when there is
// none. Like every read of a Store it sees one moment of the file, may be called
// from any goroutine, and fails with a *DamagedError.
func (s *Store) Key(id string) (key *definition.APIKey, err error) {
	err = s.read(func(tx *bolt.Tx) error {
		key, err = s.key(tx, id)
		return err
	})
	return key, err
}

// KeyByValue returns the API key with the value; nil when there is none.
func (s *Store) KeyByValue(value string) (key *definition.APIKey, err error) {
	hash := s.vault.sum(value)
	err = s.read(func(tx *bolt.Tx) error {
		record := tx.Bucket(bucketKeyValues).Get(hash[:])
		if record == nil {
			return nil
		}
		id, _, err := readValueRecord(hash[:], record)
		if err != nil {
			return err
		}
		key, err = s.existingKey(tx, id)
		return err
	})
	return key, err
}

// Keys returns API keys in the order of their ids, beginning behind after, but
// only those that match (nil: all). It stops at limit keys, never when limit is
// negative, and says whether there are more. match must not call the Store.
func (s *Store) Keys(after string, limit int, match func(*definition.APIKey) bool) (keys []*definition.APIKey, more bool, err error) {
	err = s.read(func(tx *bolt.Tx) error {
		page := page{limit: limit, match: match}
		c := tx.Bucket(bucketKeys).Cursor()
		for id, value := behind(c, []byte(after)); id != nil && !page.more; id, value = c.Next() {
			r, err := s.vault.readKey(id, value)
			if err != nil {
				return err
			}
			page.add(r.APIKey)
		}
		keys, more = page.keys, page.more
		return nil
	})
	return keys, more, err
}

// PlanKeys is like Keys, of the API keys under one usage plan. A plan that does
// not exist has none.
func (s *Store) PlanKeys(planID, after string, limit int, match func(*definition.APIKey) bool) (keys []*definition.APIKey, more bool, err error) {
	err = s.read(func(tx *bolt.Tx) error {
		page := page{limit: limit, match: match}
		prefix := pairKey(planID, "")
		c := tx.Bucket(bucketPlanKeys).Cursor()
		for k, v := behind(c, pairKey(planID, after)); bytes.HasPrefix(k, prefix) && !page.more; k, v = c.Next() {
			_, id, err := readPair(k, v)
			if err != nil {
				return err
			}
			key, err := s.existingKey(tx, id)
			if err != nil {
				return err
			}
			page.add(key)
		}
		keys, more = page.keys, page.more
		return nil
	})
	return keys, more, err
}

// PlansOf returns the ids of the usage plans that the API key is under, sorted.
func (s *Store) PlansOf(keyID string) (plans []string, err error) {
	err = s.read(func(tx *bolt.Tx) error {
		plans, err = pairsUnder(tx.Bucket(bucketKeyPlans), keyID)
		return err
	})
	return plans, err
}

func (s *Store) key(tx *bolt.Tx, id string) (*definition.APIKey, error) {
	value := tx.Bucket(bucketKeys).Get([]byte(id))
	if value == nil {
		return nil, nil
	}
	r, err := s.vault.readKey([]byte(id), value)
	return r.APIKey, err
}

// existingKey reads a key that a record refers to.
func (s *Store) existingKey(tx *bolt.Tx, id string) (*definition.APIKey, error) {
	key, err := s.key(tx, id)
	if err == nil && key == nil {
		err = fmt.Errorf("API key %s is missing", id)
	}
	return key, err
}

// page collects the keys of one page.
type page struct {
	limit int
	match func(*definition.APIKey) bool
	keys  []*definition.APIKey
	more  bool
}

func (p *page) add(k *definition.APIKey) {
	switch {
	case p.match != nil && !p.match(k):
	case len(p.keys) == p.limit:
		p.more = true
	default:
		p.keys = append(p.keys, k)
	}
}

// behind moves the cursor to the first key that is greater.
func behind(c *bolt.Cursor, key []byte) (k, v []byte) {
	k, v = c.Seek(key)
	if k != nil && bytes.Equal(k, key) {
		return c.Next()
	}
	return k, v
}
