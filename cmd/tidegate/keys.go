package main

import (
	"context"
	"strings"
	"time"

	"github.com/tidegate/tidegate/dataplane/control"
)

var keysCommand = &command{
	name:    "keys",
	args:    "[--values] [--json]",
	summary: "list, make, import, rotate, switch off and delete API keys",
	help: `
Lists the API keys and the usage plans that each is in. A key identifies a
client; what it may use, its plans say (tidegate plans). KEY in the subcommands
is an id, or a name that only one key has.

Examples:
  tidegate keys
  tidegate keys create shop --plan gold
  tidegate keys rotate shop`,
	verbs: []*command{
		createKeyCommand, importKeysCommand, rotateKeyCommand,
		disableKeyCommand, enableKeyCommand, deleteKeyCommand,
	},
}

func init() { keysCommand.run = listKeys }

// keyRow is a key with the usage plans that it is in.
type keyRow struct {
	control.APIKey
	Plans []planName `json:"plans"`
}

// planName is enough of a usage plan to call it by.
type planName struct {
	ID   string `json:"id"`
	Name string `json:"name"`
}

func listKeys(e *env, args []string) error {
	r := newRemote(e, keysCommand)
	values := r.Bool("values", false, "show the values too: they are secrets")
	if _, err := r.operands(args, 0, 0, ""); err != nil {
		return err
	}
	rows := []keyRow{}
	err := r.call("reading API keys", func(ctx context.Context, c *control.Client) error {
		keys, err := c.APIKeys(ctx, *values)
		if err != nil {
			return err
		}
		plans, err := plansByKey(ctx, c)
		if err != nil {
			return err
		}
		for _, k := range keys {
			rows = append(rows, keyRow{k, append([]planName{}, plans[k.ID]...)})
		}
		return nil
	})
	if err != nil {
		return err
	}
	if *r.json {
		return printJSON(e.stdout, rows)
	}
	return printKeys(e, rows, *values)
}

// plansByKey lists the usage plans of each key by the key's id.
func plansByKey(ctx context.Context, c *control.Client) (map[string][]planName, error) {
	plans, err := c.UsagePlans(ctx, "")
	if err != nil {
		return nil, err
	}
	byKey := map[string][]planName{}
	for _, p := range plans {
		keys, err := c.UsagePlanKeys(ctx, p.ID)
		if err != nil {
			return nil, err
		}
		for _, k := range keys {
			byKey[k.ID] = append(byKey[k.ID], planName{p.ID, p.Name})
		}
	}
	return byKey, nil
}

func printKeys(e *env, rows []keyRow, values bool) error {
	headings := []string{"id", "name", "enabled", "plans", "created"}
	if values {
		headings = append(headings, "value")
	}
	t := newTable(e.stdout, headings...)
	for _, k := range rows {
		names := make([]string, len(k.Plans))
		for i, p := range k.Plans {
			names[i] = p.Name
		}
		cells := []string{k.ID, cell(k.Name), yesNo(k.Enabled), cell(strings.Join(names, ",")), stamp(time.Unix(k.CreatedDate, 0))}
		if values {
			t.uncut, cells = true, append(cells, k.Value)
		}
		t.row(cells...)
	}
	return t.flush()
}
