package control

import (
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/tidegate/tidegate/dataplane/definition"
)

// importAPIKeys makes the keys of a CSV file: one change for all of them.
func (s *Server) importAPIKeys(r *request) (int, any, error) {
	failOnWarnings, err := parseKeyImportQuery(r.query)
	if err != nil {
		return 0, nil, err
	}
	rows, err := parseKeys(r.body)
	if err != nil {
		return 0, nil, err
	}
	var in *keyImport
	err = s.update(func(c *definition.Catalog) (definition.Change, error) {
		in = &keyImport{
			server: s, catalog: c, now: s.now().UTC(), byValue: map[string]*imported{}, ids: map[string]bool{},
			answer: APIKeyIDs{IDs: []string{}, Warnings: []string{}},
		}
		for _, row := range rows {
			if err := in.add(row); err != nil {
				return definition.Change{}, err
			}
		}
		if failOnWarnings && len(in.answer.Warnings) > 0 {
			return definition.Change{}, badRequest("Warnings found during import:\n\t%s", strings.Join(in.answer.Warnings, "\n\t"))
		}
		return in.change, nil
	})
	if err != nil {
		return 0, nil, err
	}
	r.made = fmt.Sprintf("%d keys", len(in.answer.IDs))
	return 201, in.answer, nil
}

// parseKeyImportQuery returns whether warnings refuse the whole import.
func parseKeyImportQuery(query url.Values) (failOnWarnings bool, err error) {
	for name := range query {
		if name := strings.ToLower(name); !slices.Contains([]string{"mode", "format", "failonwarnings"}, name) {
			return false, unsupported("import parameter " + name)
		}
	}
	switch v := query.Get("format"); v {
	case "csv":
	case "":
		return false, validation([]string{mustNotBeNull("importApiKeysInput.format")})
	default:
		return false, validation([]string{mustBeOneOf("importApiKeysInput.format", v, "csv")})
	}
	return queryFlag(query, "failonwarnings")
}

// keyImport gathers what the rows of a file change.
type keyImport struct {
	server  *Server
	catalog *definition.Catalog
	now     time.Time

	byValue map[string]*imported
	ids     map[string]bool // made by this import
	change  definition.Change
	answer  APIKeyIDs
}

// imported is a key of the file: where it was last, and the plans it is in.
type imported struct {
	key   *definition.APIKey
	line  int
	plans []string
}

// add takes a row. A key that exists, here or in the gateway, gets what the row
// says and keeps the rest.
func (in *keyImport) add(row keyRow) error {
	have, twice := in.byValue[row.value]
	if twice {
		in.warn(row.line, "the key of line %d is there again: this line counts", have.line)
	} else {
		var err error
		if have, err = in.find(row.value); err != nil {
			return err
		}
		in.byValue[row.value] = have
		in.change.PutKeys = append(in.change.PutKeys, have.key)
		in.answer.IDs = append(in.answer.IDs, have.key.ID)
	}
	have.line = row.line
	have.key.Name, have.key.LastUpdatedDate = row.name, in.now
	if row.description != nil {
		have.key.Description = *row.description
	}
	if row.enabled != nil {
		have.key.Enabled = *row.enabled
	}
	for _, id := range row.plans {
		if err := in.join(have, id); err != nil {
			return err
		}
	}
	return nil
}

// find returns a copy of the key with a value, or a new one.
func (in *keyImport) find(value string) (*imported, error) {
	keys := in.server.gateway.Keys()
	k, err := keys.KeyByValue(value)
	if err != nil {
		return nil, err
	}
	if k != nil {
		next := *k
		plans, err := keys.PlansOf(k.ID)
		return &imported{key: &next, plans: slices.Clone(plans)}, err
	}
	for {
		id, err := in.server.newKeyID()
		if err != nil {
			return nil, err
		}
		if !in.ids[id] {
			in.ids[id] = true
			return &imported{key: &definition.APIKey{ID: id, Value: value, Enabled: true, CreatedDate: in.now}}, nil
		}
	}
}

// join puts a key under a plan. What forbids it is no more than a warning: the
// key itself is good.
func (in *keyImport) join(k *imported, planID string) error {
	if slices.Contains(k.plans, planID) {
		return nil
	}
	p, err := in.server.plan(in.catalog, planID)
	if err == nil {
		err = mayJoin(in.catalog, p, k.key.ID, k.plans)
	}
	if err != nil {
		var refused *Error
		if !errors.As(err, &refused) {
			return err
		}
		in.warn(k.line, "usage plan %s: %s", planID, refused.Message)
		return nil
	}
	k.plans = append(k.plans, planID)
	in.change.PutPlanKeys = append(in.change.PutPlanKeys, definition.PlanKey{PlanID: planID, KeyID: k.key.ID})
	return nil
}

func (in *keyImport) warn(line int, format string, args ...any) {
	in.answer.Warnings = append(in.answer.Warnings, fmt.Sprintf("line %d: %s", line, fmt.Sprintf(format, args...)))
}
