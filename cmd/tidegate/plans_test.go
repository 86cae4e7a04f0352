package main

import (
	"strings"
	"testing"

	"github.com/tidegate/tidegate/dataplane/control"
)

// TestPlanJourney takes a usage plan from its making to its deletion.
func TestPlanJourney(t *testing.T) {
	f := newFixture(t)
	f.must(t, "deploy", "-", "--stage", "prod")
	f.must(t, "deploy", "-", "--stage", "test")

	out := f.must(t, "plans", "create", "gold", "--rate", "0.5", "--burst", "200", "--quota", "5000/Month", "--stage", "petstore:prod", "--description", "for shops")
	printed(t, out, "RATE  BURST  QUOTA       STAGES", "0.5   200    5000/month  petstore:prod")
	if got := f.must(t, "plans"); got != out {
		t.Errorf("plans printed\n%s, create\n%s", got, out)
	}
	out = f.must(t, "plans", "set", "gold", "--rate", "100", "--burst", "none", "--quota", "10/day",
		"--stage", "petstore:test", "--remove-stage", "petstore:prod", "--name", "platinum")
	printed(t, out, "platinum", "100   -      10/day", "petstore:test\n")

	f.must(t, "keys", "create", "shop")
	shop := only[keyRow](t, f.must(t, "keys", "--json"))
	printed(t, f.must(t, "plans", "add-key", "platinum", "shop"), "API key shop ("+shop.ID+") is in usage plan platinum (")
	f.must(t, "plans", "set", "platinum", "--method", "petstore:test:/pets/get=5,10", "--method", "petstore:test://GET=1,1")
	out = f.must(t, "plans", "show", "platinum")
	printed(t, out, "for each key: 100 requests/s, quota 10/day\nfor shops\n", "petstore:test  //GET      1     1\npetstore:test  /pets/GET  5     10\n", shop.ID+"  shop\n")

	f.must(t, "plans", "set", "platinum", "--method", "petstore:test:/pets/GET=none", "--quota", "none", "--description", "")
	detail := decoded[planDetail](t, f.must(t, "plans", "show", "platinum", "--json"))
	if detail.Quota != nil || detail.Description != "" || len(detail.APIStages[0].Throttle) != 1 || len(detail.Keys) != 1 {
		t.Errorf("plan %+v", detail)
	}
	if out := f.must(t, "plans", "show", "platinum", "--json"); strings.Contains(out, f.keyring.keys[shop.ID].Value) {
		t.Errorf("show tells a value:\n%s", out)
	}

	f.must(t, "plans", "remove-key", detail.ID, shop.ID)
	f.refused(t, exitRefused, "is not in Usage Plan", "plans", "remove-key", "platinum", "shop")
	f.refused(t, exitRefused, "there are API Stages associated with it", "plans", "delete", "platinum")
	printed(t, f.must(t, "plans", "delete", "platinum", "--force"), "deleted usage plan platinum ("+detail.ID+")")
	if plans := decoded[[]control.UsagePlan](t, f.must(t, "plans", "--json")); len(plans) != 0 {
		t.Errorf("plans at the end: %+v", plans)
	}
}

func TestPlanRefusals(t *testing.T) {
	f := newFixture(t)
	f.must(t, "plans", "create", "gold")
	f.must(t, "plans", "create", "twin")
	f.must(t, "plans", "create", "twin")
	f.must(t, "deploy", "-", "--stage", "prod")
	for _, c := range []struct {
		code int
		want string
		args []string
	}{
		{exitUsage, "missing NAME", []string{"create"}},
		{exitUsage, `quota "5/year": write N/day`, []string{"create", "a", "--quota", "5/year"}},
		{exitUsage, `rate "-1": write`, []string{"create", "a", "--rate", "-1"}},
		{exitUsage, `burst "0.5": write`, []string{"create", "a", "--burst", "0.5"}},
		{exitUsage, "write API:STAGE", []string{"create", "a", "--stage", "petstore"}},
		{exitUsage, "without a method", []string{"create", "a", "--stage", "petstore:prod:/pets/GET"}},
		{exitRefused, `no API has the name or id "orders"`, []string{"create", "a", "--stage", "orders:prod"}},
		{exitRefused, "Invalid API Stage", []string{"create", "a", "--stage", "petstore:none"}},
		{exitUsage, "nothing to change", []string{"set", "gold"}},
		{exitUsage, `rate "fast": write`, []string{"set", "gold", "--rate", "fast"}},
		{exitUsage, "name a method", []string{"set", "gold", "--method", "petstore:prod=1,2"}},
		{exitUsage, "RATE,BURST", []string{"set", "gold", "--method", "petstore:prod:/pets/GET=5"}},
		{exitUsage, "RATE,BURST", []string{"set", "gold", "--method", "petstore:prod:/pets/GET"}},
		{exitUsage, `burst "": write`, []string{"set", "gold", "--method", "petstore:prod:/pets/GET=5,"}},
		{exitRefused, "Invalid API Stage", []string{"set", "gold", "--method", "petstore:prod:/pets/GET=5,5"}},
		{exitRefused, `no usage plan has the name or id "none"`, []string{"show", "none"}},
		{exitRefused, `2 usage plans have the name "twin"; choose one by its id: `, []string{"show", "twin"}},
		{exitRefused, `2 usage plans have the name "twin"`, []string{"delete", "twin"}},
		{exitRefused, `no API key has the name or id "shop"`, []string{"add-key", "gold", "shop"}},
		{exitUsage, "missing PLAN and KEY", []string{"add-key", "gold"}},
		{exitUsage, "or: tidegate plans create NAME", []string{"creat", "gold"}},
	} {
		f.refused(t, c.code, c.want, append([]string{"plans"}, c.args...)...)
	}
}
