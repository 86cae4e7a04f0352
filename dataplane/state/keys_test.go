package state

import (
	"bytes"
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/dchest/siphash"

	"github.com/tidegate/tidegate/dataplane/definition"
)

func key(id string) *definition.APIKey {
	return &definition.APIKey{ID: id, Value: "value-of-" + id + "-0123456789", Name: "name of " + id, Enabled: true, CustomerID: "c", Tags: map[string]string{"a": "b"}, CreatedDate: day, LastUpdatedDate: day}
}

func plan(id string) *definition.UsagePlan {
	rate, burst := 2.5, 10
	return &definition.UsagePlan{
		ID: id, Name: "name of " + id, CreatedDate: day,
		APIStages: []definition.PlanStage{{APIID: "a", Stage: "s", Throttle: map[string]definition.Throttle{"//GET": {BurstLimit: &burst}}}},
		Throttle:  &definition.Throttle{RateLimit: &rate, BurstLimit: &burst},
		Quota:     &definition.Quota{Limit: 100, Offset: 3, Period: definition.PeriodMonth, Since: day},
	}
}

// twoPlans has keys k1 to k4 and plans p and pp: all keys under p, k1 under pp.
func twoPlans(t testing.TB, s *Store) {
	t.Helper()
	mustWrite(t, s, definition.Change{
		PutPlans:    []*definition.UsagePlan{plan("p"), plan("pp")},
		PutKeys:     []*definition.APIKey{key("k1"), key("k2"), key("k3"), key("k4")},
		PutPlanKeys: []definition.PlanKey{{PlanID: "p", KeyID: "k1"}, {PlanID: "p", KeyID: "k2"}, {PlanID: "p", KeyID: "k3"}, {PlanID: "p", KeyID: "k4"}, {PlanID: "pp", KeyID: "k1"}},
	})
}

func ids(keys []*definition.APIKey) string {
	var s []string
	for _, k := range keys {
		s = append(s, k.ID)
	}
	return strings.Join(s, " ")
}

// eachOf collects what EachKey and EachPlanKey say.
func eachOf(t testing.TB, s *Store) (values map[string][16]byte, enabled map[string]bool, pairs []string) {
	t.Helper()
	values, enabled = map[string][16]byte{}, map[string]bool{}
	err := errors.Join(
		s.EachKey(func(id string, hash [16]byte, on bool) error { values[id], enabled[id] = hash, on; return nil }),
		s.EachPlanKey(func(planID, keyID string) error { pairs = append(pairs, planID+"/"+keyID); return nil }),
	)
	if err != nil {
		t.Fatal(err)
	}
	return values, enabled, pairs
}

func TestKeysRoundTrip(t *testing.T) {
	dir := t.TempDir()
	s := mustOpen(t, dir)
	twoPlans(t, s)
	off := key("k2")
	off.Enabled, off.Value = false, "" // keeps its value
	mustWrite(t, s, definition.Change{PutKeys: []*definition.APIKey{off, key("k3")}})
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	s = mustOpen(t, dir)

	off = key("k2")
	off.Enabled = false
	for _, want := range []*definition.APIKey{key("k1"), off, key("k3"), key("k4")} {
		byID, err := s.Key(want.ID)
		byValue, err2 := s.KeyByValue(want.Value)
		if err := errors.Join(err, err2); err != nil {
			t.Fatal(err)
		}
		if !reflect.DeepEqual(byID, want) || !reflect.DeepEqual(byValue, want) {
			t.Errorf("%s: by id %+v, by value %+v", want.ID, byID, byValue)
		}
	}
	for name, read := range map[string]func() (*definition.APIKey, error){
		"id":    func() (*definition.APIKey, error) { return s.Key("k") },
		"value": func() (*definition.APIKey, error) { return s.KeyByValue("k1") },
	} {
		if k, err := read(); k != nil || err != nil {
			t.Errorf("unknown %s: %v, %v", name, k, err)
		}
	}
	if got := mustLoad(t, s).Plans; !reflect.DeepEqual(got, map[string]*definition.UsagePlan{"p": plan("p"), "pp": plan("pp")}) {
		t.Errorf("plans: %+v", got)
	}
	values, enabled, pairs := eachOf(t, s)
	if want := map[string]bool{"k1": true, "k2": false, "k3": true, "k4": true}; !reflect.DeepEqual(enabled, want) {
		t.Errorf("enabled: %v", enabled)
	}
	if got := strings.Join(pairs, " "); got != "p/k1 p/k2 p/k3 p/k4 pp/k1" {
		t.Errorf("plan keys: %s", got)
	}
	secret := s.Secret()
	hi, lo := siphash.Hash128(binary.LittleEndian.Uint64(secret[:8]), binary.LittleEndian.Uint64(secret[8:]), []byte(key("k4").Value))
	if h := values["k4"]; binary.BigEndian.Uint64(h[:8]) != hi || binary.BigEndian.Uint64(h[8:]) != lo {
		t.Errorf("hash %x, want %016x%016x", h, hi, lo)
	}
	for id, want := range map[string]string{"k1": "p pp", "k2": "p", "k": ""} {
		if got, err := s.PlansOf(id); err != nil || strings.Join(got, " ") != want {
			t.Errorf("plans of %s: %v, %v", id, got, err)
		}
	}
}

func TestPagesOfKeys(t *testing.T) {
	s := mustOpen(t, t.TempDir())
	twoPlans(t, s)
	odd := func(k *definition.APIKey) bool { return k.ID == "k1" || k.ID == "k3" }
	type read func(after string, limit int, match func(*definition.APIKey) bool) ([]*definition.APIKey, bool, error)
	under := func(plan string) read {
		return func(after string, limit int, match func(*definition.APIKey) bool) ([]*definition.APIKey, bool, error) {
			return s.PlanKeys(plan, after, limit, match)
		}
	}
	for _, c := range []struct {
		name  string
		read  read
		after string
		limit int
		match func(*definition.APIKey) bool
		want  string
		more  bool
	}{
		{"first page", s.Keys, "", 2, nil, "k1 k2", true},
		{"last page", s.Keys, "k2", 2, nil, "k3 k4", false},
		{"behind a deleted key", s.Keys, "k2a", 1, nil, "k3", true},
		{"behind the last", s.Keys, "k4", 2, nil, "", false},
		{"filter", s.Keys, "", 2, odd, "k1 k3", false},
		{"filter has more", s.Keys, "", 1, odd, "k1", true},
		{"none wanted", s.Keys, "", 0, nil, "", true},
		{"no limit", s.Keys, "", -1, nil, "k1 k2 k3 k4", false},
		{"of a plan", under("p"), "", 3, nil, "k1 k2 k3", true},
		{"of a plan, rest", under("p"), "k3", 3, nil, "k4", false},
		{"of a plan whose id another's begins with", under("p"), "k4", 3, nil, "", false},
		{"of a plan, filter", under("p"), "k1", 3, odd, "k3", false},
		{"of an unknown plan", under("q"), "", 3, nil, "", false},
	} {
		keys, more, err := c.read(c.after, c.limit, c.match)
		if err != nil || ids(keys) != c.want || more != c.more {
			t.Errorf("%s: %q, %v, %v", c.name, ids(keys), more, err)
		}
		for _, k := range keys {
			if k.Value != key(k.ID).Value {
				t.Errorf("%s: value %q", c.name, k.Value)
			}
		}
	}
}

func TestChangesOfKeysThatAreRefused(t *testing.T) {
	s := mustOpen(t, t.TempDir())
	twoPlans(t, s)
	with := func(id, value string) *definition.APIKey {
		k := key(id)
		k.Value = value
		return k
	}
	for want, ch := range map[string]definition.Change{
		"API key new: it has no value":                             {PutKeys: []*definition.APIKey{with("new", "")}},
		"API key k1: its value cannot be changed":                  {PutKeys: []*definition.APIKey{with("k1", "other")}},
		"API key new: its value is that of API key k1":             {PutKeys: []*definition.APIKey{with("new", key("k1").Value)}},
		"API key new2: its value is that of API key new1":          {PutKeys: []*definition.APIKey{with("new1", "x"), with("new2", "x")}},
		`API key a/b: "a/b" is no id`:                              {PutKeys: []*definition.APIKey{key("a/b")}},
		`usage plan: "" is no id`:                                  {PutPlans: []*definition.UsagePlan{plan("")}},
		"API key k1 cannot be put under usage plan q":              {PutPlanKeys: []definition.PlanKey{{PlanID: "q", KeyID: "k1"}}},
		"API key k9, which does not exist":                         {PutPlanKeys: []definition.PlanKey{{PlanID: "p", KeyID: "k9"}}},
		"API key k2, which does not exist":                         {DeleteKeys: []string{"k2"}, PutPlanKeys: []definition.PlanKey{{PlanID: "p", KeyID: "k2"}}},
		"API key k2 cannot be put under usage plan pp, which does": {DeletePlans: []string{"pp"}, PutPlanKeys: []definition.PlanKey{{PlanID: "pp", KeyID: "k2"}}},
	} {
		ch.PutPlans = append([]*definition.UsagePlan{plan("extra")}, ch.PutPlans...)
		ch.DeletePlanKeys = []definition.PlanKey{{PlanID: "p", KeyID: "k1"}}
		if err := s.Write(ch); err == nil || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), s.path) {
			t.Errorf("want %q: %v", want, err)
		}
		if _, _, pairs := eachOf(t, s); len(pairs) != 5 || len(mustLoad(t, s).Plans) != 2 {
			t.Errorf("want %q: the state changed", want)
		}
	}
	// What looks alike and is fine: the value is free once its key is deleted.
	mustWrite(t, s, definition.Change{DeleteKeys: []string{"k1"}, PutKeys: []*definition.APIKey{with("new", key("k1").Value), with("k1", "another")}})
	if k, err := s.KeyByValue(key("k1").Value); err != nil || k == nil || k.ID != "new" {
		t.Errorf("reused value: %v, %v", k, err)
	}
}

func TestDeletesCascade(t *testing.T) {
	for name, c := range map[string]struct {
		ch                            definition.Change
		pairs                         string
		keys, plans, usage, histories int
	}{
		"plan":     {definition.Change{DeletePlans: []string{"p"}}, "pp/k1", 4, 1, 1, 2},
		"key":      {definition.Change{DeleteKeys: []string{"k1"}}, "p/k2 p/k3 p/k4", 3, 2, 1, 2},
		"plan key": {definition.Change{DeletePlanKeys: []definition.PlanKey{{PlanID: "p", KeyID: "k1"}}}, "p/k2 p/k3 p/k4 pp/k1", 4, 2, 3, 6},
		"key that is in the plan no longer": {definition.Change{DeletePlanKeys: []definition.PlanKey{{PlanID: "p", KeyID: "k1"}}, DeleteKeys: []string{"k1"}},
			"p/k2 p/k3 p/k4", 3, 2, 1, 2},
		"unknown": {definition.Change{DeletePlans: []string{"q"}, DeleteKeys: []string{"k"}, DeletePlanKeys: []definition.PlanKey{{PlanID: "p", KeyID: "k"}}},
			"p/k1 p/k2 p/k3 p/k4 pp/k1", 4, 2, 3, 6},
		"all": {definition.Change{DeletePlans: []string{"p", "pp"}, DeleteKeys: []string{"k1", "k2", "k3", "k4"}}, "", 0, 0, 0, 0},
	} {
		s := mustOpen(t, t.TempDir())
		twoPlans(t, s)
		for d := range int64(2) {
			writeUsage(t, s, definition.Usage{PlanID: "p", KeyID: "k1", Day: d, Used: 1}, definition.Usage{PlanID: "p", KeyID: "k2", Day: d, Used: 1}, definition.Usage{PlanID: "pp", KeyID: "k1", Day: d, Used: 1})
		}
		mustWrite(t, s, c.ch)
		values, _, pairs := eachOf(t, s)
		if got := strings.Join(pairs, " "); got != c.pairs || count(t, s, bucketKeyPlans) != len(pairs) {
			t.Errorf("%s: %s left, and %d by key", name, got, count(t, s, bucketKeyPlans))
		}
		if len(values) != c.keys || count(t, s, bucketKeys) != c.keys || len(mustLoad(t, s).Plans) != c.plans {
			t.Errorf("%s: %d values of %d keys, %d plans", name, len(values), count(t, s, bucketKeys), len(mustLoad(t, s).Plans))
		}
		if u, h := count(t, s, bucketUsage), count(t, s, bucketUsageHistory); u != c.usage || h != c.histories {
			t.Errorf("%s: %d newest, %d of history, want %d, %d", name, u, h, c.usage, c.histories)
		}
		if err := readAll(s); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestValuesAreNeverInClear(t *testing.T) {
	dir := t.TempDir()
	s := mustOpen(t, dir)
	twoPlans(t, s)
	mustWrite(t, s, definition.Change{DeleteKeys: []string{"k2"}, PutKeys: []*definition.APIKey{key("k1")}})
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	files, err := os.ReadDir(dir)
	if err != nil || len(files) != 2 {
		t.Fatalf("%v in the state directory, error %v", files, err)
	}
	for _, f := range files {
		text, err := os.ReadFile(filepath.Join(dir, f.Name()))
		if err != nil {
			t.Fatal(err)
		}
		for _, id := range []string{"k1", "k2", "k3", "k4"} {
			value := []byte(key(id).Value)
			for _, form := range []string{string(value), base64.StdEncoding.EncodeToString(value)[:24], hex.EncodeToString(value)} {
				if bytes.Contains(text, []byte(form)) {
					t.Errorf("%s has %s", f.Name(), form)
				}
			}
		}
	}
}

func TestErrorsOfTheCallerAreHisOwn(t *testing.T) {
	s := mustOpen(t, t.TempDir())
	twoPlans(t, s)
	writeUsage(t, s, definition.Usage{PlanID: "p", KeyID: "k1", Day: 1, Used: 1})
	stop := errors.New("stop")
	for name, err := range map[string]error{
		"EachKey":     s.EachKey(func(string, [16]byte, bool) error { return stop }),
		"EachPlanKey": s.EachPlanKey(func(string, string) error { return stop }),
		"EachUsage":   s.EachUsage(func(definition.Usage) error { return stop }),
	} {
		if err != stop {
			t.Errorf("%s: %v", name, err)
		}
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	var damaged *DamagedError
	if _, err := s.Key("k1"); err == nil || errors.As(err, &damaged) {
		t.Errorf("read of a closed store: %v", err)
	}
}

func TestReadsDuringWrites(t *testing.T) {
	s := mustOpen(t, t.TempDir())
	twoPlans(t, s)
	done := make(chan error, 1)
	go func() {
		for n := range 20 {
			err := s.Write(definition.Change{DeleteKeys: []string{"k2"}, PutKeys: []*definition.APIKey{key("k2")}, PutPlanKeys: []definition.PlanKey{{PlanID: "p", KeyID: "k2"}}})
			if err = errors.Join(err, s.WriteUsage([]definition.Usage{usage(40, int64(n), int64(n))})); err != nil {
				done <- err
				return
			}
		}
		done <- nil
	}()
	for {
		select {
		case err := <-done:
			if err != nil {
				t.Fatal(err)
			}
			return
		default:
		}
		if keys, _, err := s.PlanKeys("p", "", -1, nil); err != nil || ids(keys) != "k1 k2 k3 k4" {
			t.Fatalf("keys %s, %v", ids(keys), err)
		}
		if err := readAll(s); err != nil {
			t.Fatal(err)
		}
	}
}
