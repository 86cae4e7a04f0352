package iam

import (
	"net/netip"
	"reflect"
	"testing"

	"github.com/tidegate/tidegate/dataplane/auth/policy"
	"github.com/tidegate/tidegate/dataplane/definition"
)

func TestSimulate(t *testing.T) {
	office := `{'Effect':'Deny','Action':'*','Resource':'*','Condition':{'NotIpAddress':{'aws:SourceIp':'10.0.0.0/8'}}}`
	body := func(policy string) *definition.Body { return &definition.Body{Policy: policy} }
	c := (&definition.Catalog{}).With(definition.Change{
		PutPolicies: []*definition.ManagedPolicy{managedPolicy("office", document(office)), managedPolicy("read", document(allow("/test/*"), allow("/prod/GET/*"), allow("/prod/GET/*")))},
		PutUsers:    []*definition.User{user("ann", attached("office", "read"), inline("own", document(allow("/prod/POST/${aws:username}")))), user("bob"), user("broken", inline("x", "{}")), user("lost", attached("none"))},
		PutStages:   []*definition.Stage{{APIID: "abc", Name: "prod", DeploymentID: "d1"}, {APIID: "abc", Name: "open", DeploymentID: "d2"}, {APIID: "abc", Name: "bad", DeploymentID: "d3"}},
		PutDeployments: []*definition.Deployment{
			{APIID: "abc", ID: "d1", Body: body("")},
			{APIID: "abc", ID: "d2", Body: body(document(`{'Effect':'Allow','Principal':{'AWS':'arn:aws:iam::123456789012:user/bob'},'Action':'execute-api:Invoke','Resource':'execute-api:/open/*'}`,
				`{'Effect':'Deny','Principal':'*','Action':'execute-api:Invoke','Resource':'execute-api:/open/DELETE/*'}`))},
			{APIID: "abc", ID: "d3", Body: body("{}")},
		},
	})
	inside, outside := netip.MustParseAddr("10.1.2.3"), netip.MustParseAddr("192.0.2.1")
	for _, row := range []struct {
		user, path string
		action     policy.Action
		from       netip.Addr
		want       Simulation
	}{
		{"ann", "/prod/GET/pets", policy.Invoke, inside, Simulation{policy.Allow, []Match{{KindManaged, "read", 1, policy.Allow}}}},
		{"ann", "/prod/POST/ann", policy.Invoke, inside, Simulation{policy.Allow, []Match{{KindInline, "own", 0, policy.Allow}}}},
		{"ann", "/prod/GET/pets", policy.Invoke, outside, Simulation{policy.ExplicitDeny, []Match{{KindManaged, "office", 0, policy.ExplicitDeny}, {KindManaged, "read", 1, policy.Allow}}}},
		{"ann", "/prod/PUT/pets", policy.Invoke, inside, Simulation{policy.ImplicitDeny, nil}},
		{"ann", "/prod/GET/pets", policy.InvalidateCache, inside, Simulation{policy.ImplicitDeny, nil}},
		{"bob", "/prod/GET/pets", policy.Invoke, inside, Simulation{policy.ImplicitDeny, nil}},
		{"bob", "/open/GET/pets", policy.Invoke, inside, Simulation{policy.Allow, []Match{{KindResource, "abc", 0, policy.Allow}}}},
		{"ann", "/open/GET/pets", policy.Invoke, inside, Simulation{policy.ImplicitDeny, nil}},
		{"bob", "/open/DELETE/pets", policy.Invoke, inside, Simulation{policy.ExplicitDeny, []Match{{KindResource, "abc", 1, policy.ExplicitDeny}}}},
		{"bob", "/none/GET/pets", policy.Invoke, inside, Simulation{policy.ImplicitDeny, nil}},
	} {
		got, err := Simulate(c, account, c.Users[row.user], row.action, api+row.path, policy.Context{SourceIP: row.from, Now: at.UnixNano()})
		if err != nil || !reflect.DeepEqual(*got, row.want) {
			t.Errorf("%s %v %s from %s: %+v, %v", row.user, row.action, row.path, row.from, got, err)
		}
	}
	for _, row := range [][3]string{
		{"ann", "pets", `resource "pets" is no method ARN: write arn:aws:execute-api:REGION:ACCOUNT:API/STAGE/METHOD/PATH`},
		{"ann", "arn:aws:execute-api:us-east-1:123456789012:abc", `resource "arn:aws:execute-api:us-east-1:123456789012:abc" is no method ARN: write arn:aws:execute-api:REGION:ACCOUNT:API/STAGE/METHOD/PATH`},
		{"ann", api + "/bad/GET/", "resource policy of API abc: policy has no Statement"},
		{"broken", api + "/prod/GET/", `user "broken": policy "x": policy has no Statement`},
		{"lost", api + "/prod/GET/", `user "lost": attached policy "none" does not exist`},
	} {
		if _, err := Simulate(c, account, c.Users[row[0]], policy.Invoke, row[1], policy.Context{}); err == nil || err.Error() != row[2] {
			t.Errorf("%s on %s: %v", row[0], row[1], err)
		}
	}
}

func TestParseAction(t *testing.T) {
	for text, want := range map[string]policy.Action{
		"execute-api:Invoke": policy.Invoke, "INVOKE": policy.Invoke, "InvalidateCache": policy.InvalidateCache, "execute-api:manageconnections": policy.ManageConnections,
		"": 0, "*": 0, "execute-api:*": 0, "s3:Invoke": 0, "execute-api:": 0,
	} {
		if got, err := ParseAction(text); got != want || (err == nil) != (want != 0) {
			t.Errorf("%q: %v, %v", text, got, err)
		}
	}
}
