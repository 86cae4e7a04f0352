package control

import (
	"strings"

	"github.com/tidegate/tidegate/dataplane/definition"
)

func (s *Server) updateAPIKey(r *request) (int, any, error) {
	ops, err := decodePatch(r.body, "updateApiKeyInput")
	if err != nil {
		return 0, nil, err
	}
	var next definition.APIKey
	err = s.update(func(*definition.Catalog) (definition.Change, error) {
		k, err := s.key(r.params["key"])
		if err != nil {
			return definition.Change{}, err
		}
		next = *k
		for _, op := range ops {
			if err := patchAPIKey(&next, op); err != nil {
				return definition.Change{}, err
			}
		}
		next.LastUpdatedDate = s.now().UTC()
		return definition.Change{PutKeys: []*definition.APIKey{&next}}, nil
	})
	if err != nil {
		return 0, nil, err
	}
	return 200, wireAPIKey(&next, printEmptyTags), nil
}

func patchAPIKey(k *definition.APIKey, op PatchOperation) (err error) {
	switch root, _, _ := strings.Cut(strings.TrimPrefix(op.Path, "/"), "/"); root {
	case "labels", "stages": // from before usage plans
		return unsupported(op.Path + " of UpdateApiKey")
	}
	set := func(to *string) error {
		*to = op.Value
		return only(op, "replace")
	}
	switch op.Path {
	case "/name":
		if err = set(&k.Name); err == nil {
			err = checkKeyName(k.Name)
		}
	case "/description":
		err = set(&k.Description)
	case "/customerId":
		err = set(&k.CustomerID)
	case "/enabled":
		if err = only(op, "replace"); err == nil {
			k.Enabled, err = patchFlag(op)
		}
	default:
		err = unknownPath(op, "/name", "/description", "/enabled", "/customerId", "/labels", "/stages")
	}
	return err
}

func (s *Server) deleteAPIKey(r *request) (int, any, error) {
	err := s.update(func(*definition.Catalog) (definition.Change, error) {
		if _, err := s.key(r.params["key"]); err != nil {
			return definition.Change{}, err
		}
		return definition.Change{DeleteKeys: []string{r.params["key"]}}, nil
	})
	return 202, nil, err
}
