package state

import (
	"fmt"
	"strconv"

	bolt "go.etcd.io/bbolt"
)

// Buckets of the file. Keys of a bucket sort by API first, so that everything
// of one API is next to each other.
var (
	bucketMeta        = []byte("meta")        // "schema" -> number, "account" -> definition.Account
	bucketAPIs        = []byte("apis")        // API id -> apiRecord
	bucketDeployments = []byte("deployments") // API id / deployment id -> deploymentRecord
	bucketStages      = []byte("stages")      // API id / stage name -> definition.Stage
	bucketBodies      = []byte("bodies")      // revision -> definition.Body
	bucketReferences  = []byte("references")  // revision / owner -> nothing

	keySchema  = []byte("schema")
	keyAccount = []byte("account")
)

// migration rewrites the file from one schema version to the next.
type migration func(*bolt.Tx) error

// migrations lead from schema version 1 to the current one: the step at index
// i makes version i+2 of version i+1. Never change one that was released.
var migrations = []migration{}

func initialize(tx *bolt.Tx, steps []migration) error {
	for _, name := range [][]byte{bucketMeta, bucketAPIs, bucketDeployments, bucketStages, bucketBodies, bucketReferences} {
		if _, err := tx.CreateBucket(name); err != nil {
			return err
		}
	}
	return putVersion(tx, 1+len(steps))
}

// migrate brings an older file up to date, all steps in one transaction, and
// refuses a newer one.
func migrate(tx *bolt.Tx, path string, steps []migration) error {
	meta := tx.Bucket(bucketMeta)
	if meta == nil {
		return &DamagedError{path, fmt.Errorf("it is not a state file of tidegate")}
	}
	version, err := strconv.Atoi(string(meta.Get(keySchema)))
	if err != nil || version < 1 {
		return &DamagedError{path, fmt.Errorf("it has no schema version")}
	}
	current := 1 + len(steps)
	if version > current {
		return fmt.Errorf("state file %s has schema version %d and this tidegate knows versions up to %d: run the newer tidegate that wrote it", path, version, current)
	}
	if version == current {
		return nil
	}
	for v := version; v < current; v++ {
		if err := steps[v-1](tx); err != nil {
			return fmt.Errorf("migrate state file %s from schema version %d to %d: %w", path, v, v+1, err)
		}
	}
	return putVersion(tx, current)
}

func putVersion(tx *bolt.Tx, version int) error {
	return tx.Bucket(bucketMeta).Put(keySchema, []byte(strconv.Itoa(version)))
}
