package state

import (
	"bytes"
	"fmt"
	"maps"
	"slices"

	bolt "go.etcd.io/bbolt"

	"github.com/tidegate/tidegate/dataplane/definition"
)

// Write makes the change in one transaction. When it returns nil the change is
// on the disk; when it returns an error nothing was changed, unless that is an
// *UnsettledError. It refuses a
// change that would leave a deployment without its API or a stage without its
// deployment or its web ACL, an API key without a value, with another value than it had or with
// that of another key, and a place in a plan for which there is no key or no
// plan. It refuses an access key without its user, with another user or secret
// than it had, and a user without a policy that is attached to it. That the stages
// of a plan exist it does not check.
func (s *Store) Write(ch definition.Change) error {
	err := s.update(func(tx *bolt.Tx) error { return newWriting(tx, s.vault).apply(ch) })
	s.noteChange()
	return err
}

// writing is one transaction, with its buckets at hand.
type writing struct {
	meta, apis, deployments, stages, bodies, references *bolt.Bucket

	plans, keys, keyValues, planKeys, keyPlans, usage, usageHistory *bolt.Bucket

	users, accessKeys, policies                       *bolt.Bucket
	webACLs, ipSets, ipSetAddresses, regexPatternSets *bolt.Bucket

	vault   *vault
	touched map[string]bool // ids of the APIs to check at the end
}

func newWriting(tx *bolt.Tx, v *vault) *writing {
	return &writing{
		meta:         tx.Bucket(bucketMeta),
		apis:         tx.Bucket(bucketAPIs),
		deployments:  tx.Bucket(bucketDeployments),
		stages:       tx.Bucket(bucketStages),
		bodies:       tx.Bucket(bucketBodies),
		references:   tx.Bucket(bucketReferences),
		plans:        tx.Bucket(bucketPlans),
		keys:         tx.Bucket(bucketKeys),
		keyValues:    tx.Bucket(bucketKeyValues),
		planKeys:     tx.Bucket(bucketPlanKeys),
		keyPlans:     tx.Bucket(bucketKeyPlans),
		usage:        tx.Bucket(bucketUsage),
		usageHistory: tx.Bucket(bucketUsageHistory),
		users:        tx.Bucket(bucketUsers),
		accessKeys:   tx.Bucket(bucketAccessKeys),
		policies:     tx.Bucket(bucketPolicies),

		webACLs:          tx.Bucket(bucketWebACLs),
		ipSets:           tx.Bucket(bucketIPSets),
		ipSetAddresses:   tx.Bucket(bucketIPSetAddresses),
		regexPatternSets: tx.Bucket(bucketRegexPatternSets),

		vault:   v,
		touched: map[string]bool{},
	}
}

// apply follows the order of definition.Catalog.With, deletions first, and puts
// owners before what belongs to them.
func (w *writing) apply(ch definition.Change) error {
	err := forEach(nil, ch.DeleteAPIs, w.deleteAPI)
	err = forEach(err, ch.DeleteDeployments, w.deleteDeployment)
	err = forEach(err, ch.DeleteStages, w.deleteStage)
	err = forEach(err, ch.DeletePlanKeys, w.deletePlanKey)
	err = forEach(err, ch.DeletePlans, w.deletePlan)
	err = forEach(err, ch.DeleteKeys, w.deleteKey)
	err = forEach(err, ch.DeleteAccessKeys, deleteNamed(w.accessKeys))
	err = forEach(err, ch.DeleteUsers, deleteNamed(w.users))
	err = forEach(err, ch.DeletePolicies, deleteNamed(w.policies))
	err = forEach(err, ch.DeleteWebACLs, w.deleteWebACL)
	err = forEach(err, ch.DeleteIPSets, w.deleteIPSet)
	err = forEach(err, ch.DeleteRegexPatternSets, w.deleteRegexPatternSet)

	err = forEach(err, ch.PutAPIs, w.putAPI)
	err = forEach(err, ch.PutDeployments, w.putDeployment)
	err = forEach(err, ch.PutStages, w.putStage)
	err = forEach(err, ch.PutPlans, w.putPlan)
	err = forEach(err, ch.PutKeys, w.putKey)
	err = forEach(err, ch.PutPlanKeys, w.putPlanKey)
	err = forEach(err, ch.PutPolicies, w.putPolicy)
	err = forEach(err, ch.PutUsers, w.putUser)
	err = forEach(err, ch.PutAccessKeys, w.putAccessKey)
	err = forEach(err, ch.PutWebACLs, w.putWebACL)
	err = forEach(err, ch.PutIPSets, w.putIPSet)
	err = forEach(err, ch.PutRegexPatternSets, w.putRegexPatternSet)
	if err == nil && ch.PutAccount != nil {
		err = put(w.meta, keyAccount, ch.PutAccount)
	}
	if err == nil && len(ch.DeleteUsers)+len(ch.DeletePolicies) > 0 {
		err = w.checkPrincipals()
	}
	return forEach(err, slices.Collect(maps.Keys(w.touched)), w.check)
}

// forEach does f with one item after the other as long as there is no error.
func forEach[T any](err error, items []T, f func(T) error) error {
	for _, item := range items {
		if err != nil {
			return err
		}
		err = f(item)
	}
	return err
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

func (w *writing) putStage(st *definition.Stage) error {
	w.touched[st.APIID] = true
	return put(w.stages, stageKey(definition.StageKey{APIID: st.APIID, Stage: st.Name}), st)
}

func (w *writing) deleteDeployment(k definition.DeploymentKey) error {
	w.touched[k.APIID] = true
	return w.deleteWithBody(w.deployments, deploymentKey(k))
}

func (w *writing) deleteStage(k definition.StageKey) error { return w.stages.Delete(stageKey(k)) }

func (w *writing) deleteAPI(id string) error {
	w.touched[id] = true
	prefix := []byte(id + "/")
	if err := deleteUnder(w.stages, prefix); err != nil {
		return err
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
		if st.WebACLID != "" && w.webACLs.Get([]byte(st.WebACLID)) == nil {
			return fmt.Errorf("stage %s has the web ACL %s, which does not exist", key, st.WebACLID)
		}
	}
	return nil
}

func deleteUnder(b *bolt.Bucket, prefix []byte) error {
	return forEach(nil, keysUnder(b, prefix), b.Delete)
}

func keysUnder(b *bolt.Bucket, prefix []byte) (keys [][]byte) {
	c := b.Cursor()
	for k, _ := c.Seek(prefix); bytes.HasPrefix(k, prefix); k, _ = c.Next() {
		keys = append(keys, bytes.Clone(k))
	}
	return keys
}
