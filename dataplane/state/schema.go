package state

import (
	"fmt"
	"strconv"

	bolt "go.etcd.io/bbolt"
)

// Buckets of the file. Keys of a bucket sort by API first, so that everything
// of one API is next to each other.
var (
	bucketMeta        = []byte("meta")        // "schema" -> number, "account" -> definition.Account, "secret" -> vault.check
	bucketAPIs        = []byte("apis")        // API id -> apiRecord
	bucketDeployments = []byte("deployments") // API id / deployment id -> deploymentRecord
	bucketStages      = []byte("stages")      // API id / stage name -> definition.Stage
	bucketBodies      = []byte("bodies")      // revision -> definition.Body
	bucketReferences  = []byte("references")  // revision / owner -> nothing

	// Since version 2.
	bucketPlans        = []byte("plans")        // plan id -> definition.UsagePlan
	bucketKeys         = []byte("keys")         // key id -> keyRecord
	bucketKeyValues    = []byte("keyValues")    // keyed hash of a key's value -> valueRecord
	bucketPlanKeys     = []byte("planKeys")     // plan id / key id -> checksum alone
	bucketKeyPlans     = []byte("keyPlans")     // key id / plan id -> checksum alone
	bucketUsage        = []byte("usage")        // plan id / key id -> newest
	bucketUsageHistory = []byte("usageHistory") // day, plan id / key id -> definition.Usage

	// Since version 3.
	bucketUsers      = []byte("users")      // name -> definition.User
	bucketAccessKeys = []byte("accessKeys") // id -> accessKeyRecord
	bucketPolicies   = []byte("policies")   // name -> definition.ManagedPolicy

	// Since version 4.
	bucketWebACLs          = []byte("webACLs")          // web ACL id -> definition.WebACL
	bucketIPSets           = []byte("ipSets")           // IP set id -> definition.IPSet
	bucketIPSetAddresses   = []byte("ipSetAddresses")   // IP set id -> definition.Prefixes, packed
	bucketRegexPatternSets = []byte("regexPatternSets") // set id -> definition.RegexPatternSet

	keySchema  = []byte("schema")
	keyAccount = []byte("account")
	keySecret  = []byte("secret")
)

// migration rewrites the file from one schema version to the next.
type migration func(*bolt.Tx) error

// migrations lead from schema version 1 to the current one: the step at index
// i makes version i+2 of version i+1. Never change one that was released.
var migrations = []migration{addPlansAndKeys, addPrincipals, addWebACLs}

func addPlansAndKeys(tx *bolt.Tx) error {
	return createBuckets(tx, bucketPlans, bucketKeys, bucketKeyValues, bucketPlanKeys, bucketKeyPlans, bucketUsage, bucketUsageHistory)
}

func addPrincipals(tx *bolt.Tx) error {
	return createBuckets(tx, bucketUsers, bucketAccessKeys, bucketPolicies)
}

// initialize lays out a file of schema version 1. The migrations do the rest,
// so that a new file is no different from one that was brought up to date.
func initialize(tx *bolt.Tx) error {
	if err := createBuckets(tx, bucketMeta, bucketAPIs, bucketDeployments, bucketStages, bucketBodies, bucketReferences); err != nil {
		return err
	}
	return putVersion(tx, 1)
}

func createBuckets(tx *bolt.Tx, names ...[]byte) error {
	for _, name := range names {
		if _, err := tx.CreateBucket(name); err != nil {
			return err
		}
	}
	return nil
}

// migrate brings an older file up to date, all steps in one transaction, and
// refuses a newer one.
func migrate(tx *bolt.Tx, path string, steps []migration) error {
	version, err := schemaVersion(tx, path)
	if err != nil {
		return err
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

func schemaVersion(tx *bolt.Tx, path string) (int, error) {
	meta := tx.Bucket(bucketMeta)
	if meta == nil {
		return 0, &DamagedError{path, fmt.Errorf("it is not a state file of tidegate")}
	}
	version, err := strconv.Atoi(string(meta.Get(keySchema)))
	if err != nil || version < 1 {
		return 0, &DamagedError{path, fmt.Errorf("it has no schema version")}
	}
	return version, nil
}

func putVersion(tx *bolt.Tx, version int) error {
	return tx.Bucket(bucketMeta).Put(keySchema, []byte(strconv.Itoa(version)))
}
