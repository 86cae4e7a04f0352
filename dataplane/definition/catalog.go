package definition

import "maps"

// StageKey names a stage.
type StageKey struct{ APIID, Stage string }

// DeploymentKey names a deployment.
type DeploymentKey struct{ APIID, ID string }

// Catalog is everything defined on a host at one moment, but for API keys. It is
// immutable: With makes the next one. Any number of goroutines may read it. It
// has the secrets of access keys in clear, which no answer and no log may show.
type Catalog struct {
	APIs        map[string]*API // by id
	Deployments map[DeploymentKey]*Deployment
	Stages      map[StageKey]*Stage
	Plans       map[string]*UsagePlan // by id
	Account     Account

	Users      map[string]*User          // by name
	AccessKeys map[string]*AccessKey     // by id
	Policies   map[string]*ManagedPolicy // by name

	WebACLs          map[string]*WebACL // by id, as the following
	IPSets           map[string]*IPSet
	RegexPatternSets map[string]*RegexPatternSet
}

// Change is what one control operation alters. It is applied whole or not at
// all. A put replaces the object with the same key. What it says about API keys
// changes the state store and not the Catalog.
type Change struct {
	PutAPIs        []*API
	PutDeployments []*Deployment
	PutStages      []*Stage
	PutPlans       []*UsagePlan
	PutKeys        []*APIKey // a key that exists keeps its Value
	PutPlanKeys    []PlanKey
	PutAccount     *Account
	PutUsers       []*User
	PutAccessKeys  []*AccessKey // with the user and the secret that a key had before
	PutPolicies    []*ManagedPolicy

	PutWebACLs          []*WebACL
	PutIPSets           []*IPSet
	PutRegexPatternSets []*RegexPatternSet

	DeleteAPIs        []string // with their deployments and stages
	DeleteDeployments []DeploymentKey
	DeleteStages      []StageKey
	DeletePlans       []string  // with their keys' places in them, and their usage
	DeleteKeys        []string  // from all plans too
	DeletePlanKeys    []PlanKey // the usage stays
	DeleteUsers       []string  // whose access keys must go too
	DeleteAccessKeys  []string
	DeletePolicies    []string // which must be attached to nobody

	DeleteWebACLs          []string
	DeleteIPSets           []string
	DeleteRegexPatternSets []string
}

// With returns a Catalog with the change made; c stays as it was.
func (c *Catalog) With(ch Change) *Catalog {
	next := &Catalog{
		APIs:        cloneMap(c.APIs),
		Deployments: cloneMap(c.Deployments),
		Stages:      cloneMap(c.Stages),
		Plans:       cloneMap(c.Plans),
		Account:     c.Account,
		Users:       cloneMap(c.Users),
		AccessKeys:  cloneMap(c.AccessKeys),
		Policies:    cloneMap(c.Policies),

		WebACLs:          cloneMap(c.WebACLs),
		IPSets:           cloneMap(c.IPSets),
		RegexPatternSets: cloneMap(c.RegexPatternSets),
	}
	for _, id := range ch.DeleteAPIs {
		delete(next.APIs, id)
		maps.DeleteFunc(next.Deployments, func(k DeploymentKey, _ *Deployment) bool { return k.APIID == id })
		maps.DeleteFunc(next.Stages, func(k StageKey, _ *Stage) bool { return k.APIID == id })
	}
	for _, k := range ch.DeleteDeployments {
		delete(next.Deployments, k)
	}
	for _, k := range ch.DeleteStages {
		delete(next.Stages, k)
	}
	next.deletePrincipals(ch)
	deleteAll(next.Plans, ch.DeletePlans)
	deleteAll(next.WebACLs, ch.DeleteWebACLs)
	deleteAll(next.IPSets, ch.DeleteIPSets)
	deleteAll(next.RegexPatternSets, ch.DeleteRegexPatternSets)
	for _, a := range ch.PutAPIs {
		next.APIs[a.ID] = a
	}
	for _, d := range ch.PutDeployments {
		next.Deployments[DeploymentKey{d.APIID, d.ID}] = d
	}
	for _, s := range ch.PutStages {
		next.Stages[StageKey{s.APIID, s.Name}] = s
	}
	for _, p := range ch.PutPlans {
		next.Plans[p.ID] = p
	}
	for _, a := range ch.PutWebACLs {
		next.WebACLs[a.ID] = a
	}
	for _, set := range ch.PutIPSets {
		next.IPSets[set.ID] = set
	}
	for _, set := range ch.PutRegexPatternSets {
		next.RegexPatternSets[set.ID] = set
	}
	if ch.PutAccount != nil {
		next.Account = *ch.PutAccount
	}
	next.putPrincipals(ch)
	return next
}

func deleteAll[V any](m map[string]V, ids []string) {
	for _, id := range ids {
		delete(m, id)
	}
}

func cloneMap[K comparable, V any](m map[K]V) map[K]V {
	if m == nil {
		return map[K]V{}
	}
	return maps.Clone(m)
}
