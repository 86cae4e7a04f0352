package state

import (
	bolt "go.etcd.io/bbolt"

	"github.com/tidegate/tidegate/dataplane/definition"
)

// The reads of a start. Their functions get one record after the other in a
// single read transaction, so that they must not call the Store; an error of
// theirs ends the read and is returned as it is.

// EachKey calls f with every API key: the keyed hash of its value, the two words
// of SipHash-2-4-128 under Secret big endian, and whether it is enabled. It
// unseals nothing: a million keys take well under a second.
func (s *Store) EachKey(f func(id string, hash [16]byte, enabled bool) error) error {
	return s.each(bucketKeyValues, func(hash, value []byte, call caller) error {
		id, enabled, err := readValueRecord(hash, value)
		if err != nil {
			return err
		}
		return call(f(id, [16]byte(hash), enabled))
	})
}

// EachPlanKey calls f with every API key under every usage plan, sorted by plan.
func (s *Store) EachPlanKey(f func(planID, keyID string) error) error {
	return s.each(bucketPlanKeys, func(key, value []byte, call caller) error {
		plan, id, err := readPair(key, value)
		if err != nil {
			return err
		}
		return call(f(plan, id))
	})
}

// EachUsage calls f with the newest usage of every API key in every usage plan:
// all that was written of the newest two days and of the newest two windows, the
// oldest day first. Of one day, and of one window, they say the same.
func (s *Store) EachUsage(f func(definition.Usage) error) error {
	return s.each(bucketUsage, func(key, value []byte, call caller) error {
		plan, id, err := splitPair(key)
		if err != nil {
			return err
		}
		n, err := readNewest(key, value)
		if err != nil {
			return err
		}
		for _, u := range n {
			u.PlanID, u.KeyID = plan, id
			if err := call(f(u)); err != nil {
				return err
			}
		}
		return nil
	})
}

// caller notes an error that is not the file's.
type caller func(error) error

func (s *Store) each(bucket []byte, f func(key, value []byte, call caller) error) error {
	var theirs error
	err := s.read(func(tx *bolt.Tx) error {
		return tx.Bucket(bucket).ForEach(func(key, value []byte) error {
			return f(key, value, func(err error) error { theirs = err; return err })
		})
	})
	if theirs != nil {
		return theirs
	}
	return err
}
