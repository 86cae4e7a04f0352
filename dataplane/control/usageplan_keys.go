package control

import (
	"slices"
	"strings"

	"github.com/tidegate/tidegate/dataplane/definition"
)

// keyType is the only type of a usage plan's keys.
const keyType = "API_KEY"

// wireUsagePlanKey has the value only for who may change keys.
func (s *Server) wireUsagePlanKey(r *request, k *definition.APIKey) UsagePlanKey {
	out := UsagePlanKey{ID: k.ID, Type: keyType, Name: k.Name}
	if s.access.mayWrite(r.peer) {
		out.Value = k.Value
	}
	return out
}

// planKey returns a key that is in a plan.
func (s *Server) planKey(c *definition.Catalog, planID, keyID string) (*definition.APIKey, error) {
	if _, err := s.plan(c, planID); err != nil {
		return nil, err
	}
	k, err := s.key(keyID)
	if err != nil {
		return nil, err
	}
	plans, err := s.gateway.Keys().PlansOf(keyID)
	if err != nil {
		return nil, err
	}
	if !slices.Contains(plans, planID) {
		return nil, notFound("API Key %s is not in Usage Plan %s", keyID, planID)
	}
	return k, nil
}

func (s *Server) createUsagePlanKey(r *request) (int, any, error) {
	var in struct {
		KeyID   *string `json:"keyId"`
		KeyType *string `json:"keyType"`
	}
	if err := decode(r.body, &in); err != nil {
		return 0, nil, err
	}
	var missing []string
	if in.KeyID == nil {
		missing = append(missing, mustNotBeNull("createUsagePlanKeyInput.keyId"))
	}
	if in.KeyType == nil {
		missing = append(missing, mustNotBeNull("createUsagePlanKeyInput.keyType"))
	}
	if err := validation(missing); err != nil {
		return 0, nil, err
	}
	if *in.KeyType != keyType {
		return 0, nil, badRequest("Invalid key type: %s. It must be %s", *in.KeyType, keyType)
	}
	var k *definition.APIKey
	err := s.update(func(c *definition.Catalog) (definition.Change, error) {
		p, err := s.plan(c, r.params["plan"])
		if err != nil {
			return definition.Change{}, err
		}
		if k, err = s.key(*in.KeyID); err != nil {
			return definition.Change{}, err
		}
		plans, err := s.gateway.Keys().PlansOf(k.ID)
		if err != nil {
			return definition.Change{}, err
		}
		return definition.Change{PutPlanKeys: []definition.PlanKey{{PlanID: p.ID, KeyID: k.ID}}}, mayJoin(c, p, k.ID, plans)
	})
	if err != nil {
		return 0, nil, err
	}
	r.made = k.ID
	return 201, s.wireUsagePlanKey(r, k), nil
}

func (s *Server) getUsagePlanKey(r *request) (int, any, error) {
	k, err := s.planKey(s.gateway.Catalog(), r.params["plan"], r.params["key"])
	if err != nil {
		return 0, nil, err
	}
	return 200, s.wireUsagePlanKey(r, k), nil
}

func (s *Server) getUsagePlanKeys(r *request) (int, any, error) {
	p, err := s.plan(s.gateway.Catalog(), r.params["plan"])
	if err != nil {
		return 0, nil, err
	}
	after, limit, err := pageBounds(r.query)
	if err != nil {
		return 0, nil, err
	}
	var match func(*definition.APIKey) bool
	if name := r.query.Get("name"); name != "" {
		match = func(k *definition.APIKey) bool { return strings.HasPrefix(k.Name, name) }
	}
	keys, more, err := s.gateway.Keys().PlanKeys(p.ID, after, limit, match)
	if err != nil {
		return 0, nil, err
	}
	return 200, listKeys(keys, more, func(k *definition.APIKey) UsagePlanKey { return s.wireUsagePlanKey(r, k) }), nil
}

// deleteUsagePlanKey takes a key out of a plan; what it has used stays counted.
func (s *Server) deleteUsagePlanKey(r *request) (int, any, error) {
	of := definition.PlanKey{PlanID: r.params["plan"], KeyID: r.params["key"]}
	err := s.update(func(c *definition.Catalog) (definition.Change, error) {
		if _, err := s.planKey(c, of.PlanID, of.KeyID); err != nil {
			return definition.Change{}, err
		}
		return definition.Change{DeletePlanKeys: []definition.PlanKey{of}}, nil
	})
	return 202, nil, err
}
