package state

import (
	"bytes"
	"errors"

	bolt "go.etcd.io/bbolt"

	"github.com/tidegate/tidegate/dataplane/definition"
)

// A body lives as long as a record refers to it. The references bucket has a
// key "revision/owner" for each, so whether one is left is a single seek.

// referenceKey names the owner by its key: an API's has no slash in it and a
// deployment's has one, so they never meet.
func referenceKey(revision string, owner []byte) []byte {
	return append([]byte(revision+"/"), owner...)
}

// putBody makes the record that is about to be put under key refer to body,
// and stores body unless it is there.
func (w *writing) putBody(records *bolt.Bucket, key []byte, body *definition.Body) error {
	if body == nil || body.Revision == "" {
		return errors.New("it has no body with a revision")
	}
	before, err := currentRevision(records, key)
	if err != nil || before == body.Revision {
		return err
	}
	if w.bodies.Get([]byte(body.Revision)) == nil {
		if err := put(w.bodies, []byte(body.Revision), body); err != nil {
			return err
		}
	}
	if err := w.references.Put(referenceKey(body.Revision, key), nil); err != nil {
		return err
	}
	return w.dropBody(before, key)
}

// deleteWithBody deletes a record, and its body when it was the last to refer
// to it. A missing record is fine.
func (w *writing) deleteWithBody(records *bolt.Bucket, key []byte) error {
	revision, err := currentRevision(records, key)
	if err != nil {
		return err
	}
	if err := records.Delete(key); err != nil {
		return err
	}
	return w.dropBody(revision, key)
}

func (w *writing) dropBody(revision string, owner []byte) error {
	if revision == "" {
		return nil
	}
	if err := w.references.Delete(referenceKey(revision, owner)); err != nil {
		return err
	}
	prefix := []byte(revision + "/")
	if k, _ := w.references.Cursor().Seek(prefix); bytes.HasPrefix(k, prefix) {
		return nil
	}
	return w.bodies.Delete([]byte(revision))
}

// currentRevision is what the stored record refers to; empty if there is none.
func currentRevision(records *bolt.Bucket, key []byte) (string, error) {
	value := records.Get(key)
	if value == nil {
		return "", nil
	}
	var r revisionOf
	err := decode(key, value, &r)
	return r.Revision, err
}
