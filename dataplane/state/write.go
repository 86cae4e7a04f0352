package state

import (
	"bytes"
	"errors"
	"fmt"

	bolt "go.etcd.io/bbolt"

	"github.com/tidegate/tidegate/dataplane/definition"
)

// Write makes the change in one transaction. When it returns nil the change is
// on the disk; when it returns an error nothing was changed. It refuses a
// change that would leave a deployment without its API or a stage without its
// deployment.
func (s *Store) Write(ch definition.Change) error {
	err := s.guard(func() error {
		return s.db.Update(func(tx *bolt.Tx) error { return newWriting(tx).apply(ch) })
	})
	var damaged *DamagedError
	if err != nil && !errors.As(err, &damaged) {
		return fmt.Errorf("write state file %s: %w", s.path, err)
	}
	return err
}

// writing is one transaction, with its buckets at hand.
type writing struct {
	meta, apis, deployments, stages, bodies, references *bolt.Bucket

	touched map[string]bool // ids of the APIs to check at the end
}

func newWriting(tx *bolt.Tx) *writing {
	return &writing{
		meta:        tx.Bucket(bucketMeta),
		apis:        tx.Bucket(bucketAPIs),
		deployments: tx.Bucket(bucketDeployments),
		stages:      tx.Bucket(bucketStages),
		bodies:      tx.Bucket(bucketBodies),
		references:  tx.Bucket(bucketReferences),
		touched:     map[string]bool{},
	}
}

// apply follows the order of definition.Catalog.With: deletions first.
func (w *writing) apply(ch definition.Change) error {
	for _, id := range ch.DeleteAPIs {
		if err := w.deleteAPI(id); err != nil {
			return err
		}
	}
	for _, k := range ch.DeleteDeployments {
		w.touched[k.APIID] = true
		if err := w.deleteWithBody(w.deployments, deploymentKey(k)); err != nil {
			return err
		}
	}
	for _, k := range ch.DeleteStages {
		if err := w.stages.Delete(stageKey(k)); err != nil {
			return err
		}
	}
	for _, a := range ch.PutAPIs {
		if err := w.putAPI(a); err != nil {
			return err
		}
	}
	for _, d := range ch.PutDeployments {
		if err := w.putDeployment(d); err != nil {
			return err
		}
	}
	for _, st := range ch.PutStages {
		w.touched[st.APIID] = true
		if err := put(w.stages, stageKey(definition.StageKey{APIID: st.APIID, Stage: st.Name}), st); err != nil {
			return err
		}
	}
	if ch.PutAccount != nil {
		if err := put(w.meta, keyAccount, ch.PutAccount); err != nil {
			return err
		}
	}
	for id := range w.touched {
		if err := w.check(id); err != nil {
			return err
		}
	}
	return nil
}

func (w *writing) putAPI(a *definition.API) error {
	key := []byte(a.ID)
	if err := w.putBody(w.apis, key, a.Body); err != nil {
		return fmt.Errorf("API %s: %w", key, err)
	}
	return put(w.apis, key, apiRecord{a, a.Body.Revision})
}

func (w *writing) putDeployment(d *definition.Deployment) error {
	w.touched[d.APIID] = true
	key := deploymentKey(definition.DeploymentKey{APIID: d.APIID, ID: d.ID})
	if err := w.putBody(w.deployments, key, d.Body); err != nil {
		return fmt.Errorf("deployment %s: %w", key, err)
	}
	return put(w.deployments, key, deploymentRecord{d, d.Body.Revision})
}

func (w *writing) deleteAPI(id string) error {
	w.touched[id] = true
	prefix := []byte(id + "/")
	for _, key := range keysUnder(w.stages, prefix) {
		if err := w.stages.Delete(key); err != nil {
			return err
		}
	}
	for _, key := range keysUnder(w.deployments, prefix) {
		if err := w.deleteWithBody(w.deployments, key); err != nil {
			return err
		}
	}
	return w.deleteWithBody(w.apis, []byte(id))
}

// check looks at what belongs to one API. A file that fails it would not load.
func (w *writing) check(id string) error {
	prefix := []byte(id + "/")
	if w.apis.Get([]byte(id)) == nil {
		if keys := append(keysUnder(w.deployments, prefix), keysUnder(w.stages, prefix)...); len(keys) > 0 {
			return fmt.Errorf("%s belongs to no API", keys[0])
		}
		return nil
	}
	for _, key := range keysUnder(w.stages, prefix) {
		var st definition.Stage
		if err := decode(key, w.stages.Get(key), &st); err != nil {
			return err
		}
		if w.deployments.Get(deploymentKey(definition.DeploymentKey{APIID: id, ID: st.DeploymentID})) == nil {
			return fmt.Errorf("stage %s points at no deployment", key)
		}
	}
	return nil
}

func keysUnder(b *bolt.Bucket, prefix []byte) (keys [][]byte) {
	c := b.Cursor()
	for k, _ := c.Seek(prefix); bytes.HasPrefix(k, prefix); k, _ = c.Next() {
		keys = append(keys, bytes.Clone(k))
	}
	return keys
}
