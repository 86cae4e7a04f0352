package control

import (
	"encoding/json"
	"net/url"
	"strings"
	"unicode/utf8"

	"github.com/tidegate/tidegate/dataplane/definition"
)

const (
	minKeyValue = 20
	maxKeyValue = 128
	maxKeyName  = 1024

	// newKeyValue characters of these make a value, as AWS's do: 238 bits.
	newKeyValue    = 40
	keyValueLetter = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
)

// wireAPIKey leaves the value out: an answer that shows it adds it.
func wireAPIKey(k *definition.APIKey, emptyTags bool) APIKey {
	return APIKey{
		ID: k.ID, Name: k.Name, CustomerID: k.CustomerID, Description: k.Description, Enabled: k.Enabled,
		CreatedDate: k.CreatedDate.Unix(), LastUpdatedDate: k.LastUpdatedDate.Unix(), StageKeys: []string{},
		Tags: wireTags(k.Tags, emptyTags),
	}
}

func checkKeyName(name string) error {
	if utf8.RuneCountInString(name) > maxKeyName {
		return badRequest("Invalid API Key name, can be at most %d characters.", maxKeyName)
	}
	return nil
}

// checkKeyValue holds a value to AWS's lengths and to what the field of a
// request can hold. Its errors do not tell the value.
func checkKeyValue(value string) error {
	switch n := utf8.RuneCountInString(value); {
	case n < minKeyValue:
		return badRequest("API Key value should be at least %d characters", minKeyValue)
	case n > maxKeyValue:
		return badRequest("API Key value exceeds maximum size of %d characters", maxKeyValue)
	}
	if strings.ContainsFunc(value, func(c rune) bool { return c < ' ' || c > '~' }) || strings.TrimSpace(value) != value {
		return badRequest("API Key value can have printable ASCII characters only, and no space at its beginning or end")
	}
	return nil
}

func (s *Server) createAPIKey(r *request) (int, any, error) {
	var in struct {
		Name               *string           `json:"name"`
		Description        *string           `json:"description"`
		Enabled            bool              `json:"enabled"`
		GenerateDistinctID bool              `json:"generateDistinctId"` // ids are always distinct from values
		Value              *string           `json:"value"`
		StageKeys          json.RawMessage   `json:"stageKeys"`
		CustomerID         *string           `json:"customerId"`
		Tags               map[string]string `json:"tags"`
	}
	if err := decode(r.body, &in); err != nil {
		return 0, nil, err
	}
	now := s.now().UTC()
	k := &definition.APIKey{
		Name: optional(in.Name), Description: optional(in.Description), Enabled: in.Enabled, CustomerID: optional(in.CustomerID),
		Value: optional(in.Value), Tags: in.Tags, CreatedDate: now, LastUpdatedDate: now,
	}
	if k.Value == "" {
		k.Value = randomText(newKeyValue, keyValueLetter)
	}
	for _, err := range []error{
		checkKeyName(k.Name), checkKeyValue(k.Value), checkTags(k.Tags), refusals{"stageKeys": in.StageKeys}.check("CreateApiKey"),
	} {
		if err != nil {
			return 0, nil, err
		}
	}
	err := s.update(func(*definition.Catalog) (definition.Change, error) {
		switch taken, err := s.gateway.Keys().KeyByValue(k.Value); {
		case err != nil:
			return definition.Change{}, err
		case taken != nil:
			return definition.Change{}, conflict("API Key already exists")
		}
		var err error
		if k.ID, err = s.newKeyID(); err != nil {
			return definition.Change{}, err
		}
		return definition.Change{PutKeys: []*definition.APIKey{k}}, nil
	})
	if err != nil {
		return 0, nil, err
	}
	r.made = k.ID
	answer := wireAPIKey(k, omitEmptyTags)
	answer.Value = k.Value
	return 201, answer, nil
}

// newKeyID must be called in an update.
func (s *Server) newKeyID() (string, error) {
	var failed error
	id := newID(10, func(id string) bool {
		var k *definition.APIKey
		k, failed = s.gateway.Keys().Key(id)
		return k != nil && failed == nil
	})
	return id, failed
}

func (s *Server) getAPIKey(r *request) (int, any, error) {
	show, err := s.showValues(r, "includeValue")
	if err != nil {
		return 0, nil, err
	}
	k, err := s.key(r.params["key"])
	if err != nil {
		return 0, nil, err
	}
	answer := wireAPIKey(k, printEmptyTags)
	if show {
		answer.Value = k.Value
	}
	return 200, answer, nil
}

// getAPIKeys lists keys by their ids: by time would take all of a million.
func (s *Server) getAPIKeys(r *request) (int, any, error) {
	show, err := s.showValues(r, "includeValues")
	if err != nil {
		return 0, nil, err
	}
	after, limit, err := pageBounds(r.query)
	if err != nil {
		return 0, nil, err
	}
	var match func(*definition.APIKey) bool
	if name, customer := r.query.Get("name"), r.query.Get("customerId"); name != "" || customer != "" {
		match = func(k *definition.APIKey) bool {
			return strings.HasPrefix(k.Name, name) && (customer == "" || k.CustomerID == customer)
		}
	}
	keys, more, err := s.gateway.Keys().Keys(after, limit, match)
	if err != nil {
		return 0, nil, err
	}
	return 200, listKeys(keys, more, func(k *definition.APIKey) APIKey {
		out := wireAPIKey(k, omitEmptyTags)
		if show {
			out.Value = k.Value
		}
		return out
	}), nil
}

// listKeys is a page of keys; wire prints one.
func listKeys[T any](keys []*definition.APIKey, more bool, wire func(*definition.APIKey) T) List[T] {
	list := List[T]{Items: make([]T, len(keys))}
	for i, k := range keys {
		list.Items[i] = wire(k)
	}
	if more && len(keys) > 0 {
		list.Position = position(keys[len(keys)-1].ID)
	}
	return list
}

// queryFlag reads a query parameter that is true or false; absent is false.
// showValues reads the flag that asks for the values of keys. They are secrets:
// who may look but not change does not see them.
func (s *Server) showValues(r *request, flag string) (bool, error) {
	show, err := queryFlag(r.query, flag)
	if show && !s.access.mayWrite(r.peer) {
		return false, denied("User %d is not authorized to see the values of API keys: leave out %s", r.peer.UID, flag)
	}
	return show, err
}

func queryFlag(query url.Values, name string) (bool, error) {
	switch v := strings.ToLower(query.Get(name)); v {
	case "", "false":
		return false, nil
	case "true":
		return true, nil
	default:
		return false, badRequest("Invalid %s: %s. Must be one of: [true, false]", name, v)
	}
}
