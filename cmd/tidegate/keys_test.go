package main

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/tidegate/tidegate/dataplane/control"
)

// decoded reads what a command printed as JSON.
func decoded[T any](t *testing.T, text string) T {
	t.Helper()
	var v T
	if err := json.Unmarshal([]byte(text), &v); err != nil {
		t.Fatalf("%v:\n%s", err, text)
	}
	return v
}

// printed holds that text has each of want.
func printed(t *testing.T, text string, want ...string) {
	t.Helper()
	for _, w := range want {
		if !strings.Contains(text, w) {
			t.Errorf("without %q:\n%s", w, text)
		}
	}
}

// TestKeyJourney takes an API key from its making to its deletion.
func TestKeyJourney(t *testing.T) {
	f := newFixture(t)
	f.must(t, "plans", "create", "gold")

	out := f.must(t, "keys", "create", "shop", "--plan", "gold", "--description", "the shop", "--customer", "c1")
	lines := strings.Split(strings.TrimSpace(out), "\n")
	value := lines[len(lines)-1]
	if len(lines) != 4 || lines[2] != "" || len(value) != 40 {
		t.Errorf("create printed\n%s", out)
	}
	shop := only[keyRow](t, f.must(t, "keys", "--json"))
	if shop.Name != "shop" || !shop.Enabled || shop.Value != "" || len(shop.Plans) != 1 || shop.Plans[0].Name != "gold" {
		t.Errorf("key %+v", shop)
	}
	if out := f.must(t, "keys"); strings.Contains(out, value) || !strings.Contains(out, "gold") {
		t.Errorf("keys printed\n%s", out)
	}
	printed(t, f.must(t, "keys", "--values"), value)

	if out, want := f.must(t, "keys", "disable", "shop"), "disabled API key shop ("+shop.ID+")\n"; out != want {
		t.Errorf("disable printed %q, want %q", out, want)
	}
	f.refused(t, exitRefused, "enable it first", "keys", "rotate", "shop")
	f.must(t, "keys", "enable", shop.ID)

	// Both keys work until the old one is disabled.
	next := strings.TrimSpace(f.must(t, "keys", "rotate", "shop", "-q"))
	rows := decoded[[]keyRow](t, f.must(t, "keys", "--values", "--json"))
	if len(rows) != 2 {
		t.Fatalf("after rotate: %+v", rows)
	}
	for _, row := range rows {
		if row.Name != "shop" || row.Description != "the shop" || row.CustomerID != "c1" || !row.Enabled || len(row.Plans) != 1 {
			t.Errorf("after rotate: %+v", row)
		}
		if row.Value != value && row.Value != next {
			t.Errorf("after rotate: value %q", row.Value)
		}
	}
	f.refused(t, exitRefused, `2 API keys have the name "shop"; choose one by its id: `, "keys", "disable", "shop")

	out = f.must(t, "keys", "rotate", shop.ID, "--disable-old")
	printed(t, out, "the old key "+shop.ID+" is disabled\n")
	if old := f.keyring.keys[shop.ID]; old.Enabled {
		t.Error("the old key is enabled")
	}
	for _, row := range decoded[[]keyRow](t, f.must(t, "keys", "--json")) {
		f.must(t, "keys", "delete", row.ID)
	}
	if out := f.must(t, "keys", "--json"); strings.TrimSpace(out) != "[]" {
		t.Errorf("keys at the end: %s", out)
	}
}

func TestRotateSaysThatBothKeysWork(t *testing.T) {
	f := newFixture(t)
	old := decoded[keyRow](t, f.must(t, "keys", "create", "shop", "--json"))
	printed(t, f.must(t, "keys", "rotate", "shop"), "the old key "+old.ID+" is still enabled", "tidegate keys disable "+old.ID+"\n")
}

func TestCreateKey(t *testing.T) {
	f := newFixture(t)
	f.stdin = "12345678901234567890\n"
	if out := f.must(t, "keys", "create", "a", "--value", "-", "-q", "--disabled"); out != f.stdin {
		t.Errorf("-q printed %q", out)
	}
	if key := only[keyRow](t, f.must(t, "keys", "--json")); key.Enabled {
		t.Errorf("key %+v", key)
	}
	f.refused(t, exitRefused, "at least 20 characters", "keys", "create", "b", "--value", "short")
	f.refused(t, exitRefused, `no usage plan has the name or id "gold"`, "keys", "create", "b", "--plan", "gold")
	f.refused(t, exitUsage, "exclude each other", "keys", "create", "b", "-q", "--json")
	f.refused(t, exitUsage, "exclude each other", "keys", "rotate", "a", "-q", "--json")
	f.stdin = "\n"
	f.refused(t, exitRefused, "holds no value", "keys", "create", "b", "--value", "-")
}

// TestKeyWithoutItsPlansIsNotLeft: two plans of one stage take no key together.
func TestKeyWithoutItsPlansIsNotLeft(t *testing.T) {
	f := newFixture(t)
	f.must(t, "deploy", "-", "--stage", "prod")
	f.must(t, "plans", "create", "gold", "--stage", "petstore:prod")
	f.must(t, "plans", "create", "silver", "--stage", "petstore:prod")
	f.refused(t, exitRefused, "add the key to the usage plan silver: ", "keys", "create", "a", "--plan", "gold", "--plan", "silver")
	if out := f.must(t, "keys", "--json"); strings.TrimSpace(out) != "[]" {
		t.Errorf("left behind: %s", out)
	}
}

func TestImportKeys(t *testing.T) {
	f := newFixture(t)
	const csv = "name,key\na,12345678901234567890\nb,12345678901234567890\n"
	file := write(t, "keys.csv", csv)
	f.refused(t, exitRefused, "Warnings found during import", "keys", "import", file, "--fail-on-warnings")
	if len(f.keyring.keys) != 0 {
		t.Errorf("imported %v", f.keyring.keys)
	}
	code, stdout, stderr := f.run("keys", "import", file)
	if code != exitOK || stdout != "imported 1 API key\n" || !strings.Contains(stderr, "warning: "+file+": line 3: ") {
		t.Errorf("exit code %d, printed %q and %q", code, stdout, stderr)
	}
	f.stdin = csv
	if ids := decoded[control.APIKeyIDs](t, f.must(t, "keys", "import", "-", "--json")); len(ids.IDs) != 1 || len(ids.Warnings) != 1 {
		t.Errorf("%+v", ids)
	}
	f.refused(t, exitFailure, "no such file", "keys", "import", "none.csv")
}

func TestNoSuchKey(t *testing.T) {
	f := newFixture(t)
	for _, verb := range []string{"enable", "disable", "rotate", "delete"} {
		f.refused(t, exitRefused, `no API key has the name or id "shop"; tidegate keys lists them`, "keys", verb, "shop")
		f.refused(t, exitUsage, "missing KEY", "keys", verb)
	}
}
