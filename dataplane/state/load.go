package state

import (
	"fmt"

	bolt "go.etcd.io/bbolt"

	"github.com/tidegate/tidegate/dataplane/definition"
)

// Load reads everything but API keys and usage into a Catalog, with the secrets of
// access keys unsealed. An API and the deployments made of it share a Body wherever
// they had the same one. Any defect of the file is a
// *DamagedError that names the record.
func (s *Store) Load() (*definition.Catalog, error) {
	l := &loading{
		vault:  s.vault,
		bodies: map[string]*definition.Body{},
		catalog: &definition.Catalog{
			APIs:        map[string]*definition.API{},
			Deployments: map[definition.DeploymentKey]*definition.Deployment{},
			Stages:      map[definition.StageKey]*definition.Stage{},
			Plans:       map[string]*definition.UsagePlan{},
			Users:       map[string]*definition.User{},
			AccessKeys:  map[string]*definition.AccessKey{},
			Policies:    map[string]*definition.ManagedPolicy{},

			WebACLs:          map[string]*definition.WebACL{},
			IPSets:           map[string]*definition.IPSet{},
			RegexPatternSets: map[string]*definition.RegexPatternSet{},
		},
	}
	err := s.read(func(tx *bolt.Tx) error {
		l.tx = tx
		return l.everything()
	})
	if err != nil {
		return nil, err
	}
	return l.catalog, nil
}

type loading struct {
	tx      *bolt.Tx
	vault   *vault
	bodies  map[string]*definition.Body // by revision
	catalog *definition.Catalog
}

func (l *loading) everything() error {
	if value := l.tx.Bucket(bucketMeta).Get(keyAccount); value != nil {
		if err := decode(keyAccount, value, &l.catalog.Account); err != nil {
			return err
		}
	}
	for _, part := range []struct {
		bucket []byte
		load   func(key, value []byte) error
	}{
		{bucketWebACLs, l.webACL},
		{bucketIPSets, l.ipSet},
		{bucketRegexPatternSets, l.regexPatternSet},
		{bucketAPIs, l.api},
		{bucketDeployments, l.deployment},
		{bucketStages, l.stage},
		{bucketPlans, l.plan},
	} {
		if err := l.tx.Bucket(part.bucket).ForEach(part.load); err != nil {
			return err
		}
	}
	return l.principals()
}

func (l *loading) api(key, value []byte) error {
	var r apiRecord
	if err := decode(key, value, &r); err != nil {
		return err
	}
	body, err := l.body(r.Revision)
	if err != nil {
		return fmt.Errorf("API %s: %w", key, err)
	}
	r.API.Body = body
	l.catalog.APIs[r.API.ID] = r.API
	return nil
}

func (l *loading) deployment(key, value []byte) error {
	var r deploymentRecord
	if err := decode(key, value, &r); err != nil {
		return err
	}
	d := r.Deployment
	if l.catalog.APIs[d.APIID] == nil {
		return fmt.Errorf("deployment %s belongs to no API", key)
	}
	body, err := l.body(r.Revision)
	if err != nil {
		return fmt.Errorf("deployment %s: %w", key, err)
	}
	d.Body = body
	l.catalog.Deployments[definition.DeploymentKey{APIID: d.APIID, ID: d.ID}] = d
	return nil
}

func (l *loading) stage(key, value []byte) error {
	st := new(definition.Stage)
	if err := decode(key, value, st); err != nil {
		return err
	}
	if l.catalog.Deployments[definition.DeploymentKey{APIID: st.APIID, ID: st.DeploymentID}] == nil {
		return fmt.Errorf("stage %s points at no deployment", key)
	}
	if st.WebACLID != "" && l.catalog.WebACLs[st.WebACLID] == nil {
		return fmt.Errorf("stage %s has the web ACL %s, which is missing", key, st.WebACLID)
	}
	l.catalog.Stages[definition.StageKey{APIID: st.APIID, Stage: st.Name}] = st
	return nil
}

func (l *loading) plan(key, value []byte) error {
	p := new(definition.UsagePlan)
	if err := decode(key, value, p); err != nil {
		return err
	}
	l.catalog.Plans[p.ID] = p
	return nil
}

func (l *loading) body(revision string) (*definition.Body, error) {
	if b := l.bodies[revision]; b != nil {
		return b, nil
	}
	value := l.tx.Bucket(bucketBodies).Get([]byte(revision))
	if value == nil {
		return nil, fmt.Errorf("body %s is missing", revision)
	}
	b := new(definition.Body)
	if err := decode([]byte(revision), value, b); err != nil {
		return nil, err
	}
	l.bodies[revision] = b
	return b, nil
}
