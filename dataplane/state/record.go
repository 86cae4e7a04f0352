package state

import (
	"encoding/binary"
	"encoding/json"
	"fmt"
	"hash/crc32"

	bolt "go.etcd.io/bbolt"

	"github.com/tidegate/tidegate/dataplane/definition"
)

type apiRecord struct {
	*definition.API
	Revision string `json:"bodyRevision"`
}

type deploymentRecord struct {
	*definition.Deployment
	Revision string `json:"bodyRevision"`
}

// revisionOf reads only the reference out of an API or deployment record.
type revisionOf struct {
	Revision string `json:"bodyRevision"`
}

func deploymentKey(k definition.DeploymentKey) []byte { return []byte(k.APIID + "/" + k.ID) }
func stageKey(k definition.StageKey) []byte           { return []byte(k.APIID + "/" + k.Stage) }

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

const sumSize = 4

// checksum covers the key too: a record found under another key is damage.
func checksum(key, text []byte) uint32 {
	return crc32.Update(crc32.Checksum(key, castagnoli), castagnoli, text)
}

// put stores v as JSON behind a checksum: bbolt itself has one on its first
// two pages only.
func put(b *bolt.Bucket, key []byte, v any) error {
	text, err := json.Marshal(v)
	if err != nil {
		return fmt.Errorf("encode %s: %w", key, err)
	}
	value := make([]byte, sumSize, sumSize+len(text))
	binary.BigEndian.PutUint32(value, checksum(key, text))
	return b.Put(key, append(value, text...))
}

// decode reads a value that put has stored under key.
func decode(key, value []byte, v any) error {
	if len(value) < sumSize {
		return fmt.Errorf("record %s is cut short", key)
	}
	text := value[sumSize:]
	if binary.BigEndian.Uint32(value) != checksum(key, text) {
		return fmt.Errorf("record %s does not match its checksum", key)
	}
	if err := json.Unmarshal(text, v); err != nil {
		return fmt.Errorf("record %s: %w", key, err)
	}
	return nil
}
