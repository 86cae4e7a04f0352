package state

import (
	"bytes"
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

// frame returns text behind a checksum: bbolt itself has one on its first two
// pages only.
func frame(key, text []byte) []byte {
	value := make([]byte, sumSize, sumSize+len(text))
	binary.BigEndian.PutUint32(value, checksum(key, text))
	return append(value, text...)
}

// unframe returns the text of a value that is stored under key. It is valid as
// long as the transaction.
func unframe(key, value []byte) ([]byte, error) {
	if len(value) < sumSize {
		return nil, fmt.Errorf("record %q is cut short", key)
	}
	text := value[sumSize:]
	if binary.BigEndian.Uint32(value) != checksum(key, text) {
		return nil, fmt.Errorf("record %q does not match its checksum", key)
	}
	return text, nil
}

// replace puts a record unless it is there already, which spares its page.
func replace(b *bolt.Bucket, key, text []byte) error {
	value := frame(key, text)
	if bytes.Equal(b.Get(key), value) {
		return nil
	}
	return b.Put(key, value)
}

// put stores v as JSON.
func put(b *bolt.Bucket, key []byte, v any) error {
	text, err := json.Marshal(v)
	if err != nil {
		return fmt.Errorf("encode %q: %w", key, err)
	}
	return b.Put(key, frame(key, text))
}

// decode reads a value that put has stored under key.
func decode(key, value []byte, v any) error {
	text, err := unframe(key, value)
	if err != nil {
		return err
	}
	if err := json.Unmarshal(text, v); err != nil {
		return fmt.Errorf("record %q: %w", key, err)
	}
	return nil
}
