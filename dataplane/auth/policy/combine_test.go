package policy

import "testing"

// The tables of the developer guide's "authorization flow" page.
func TestCombine(t *testing.T) {
	for _, row := range []struct{ identity, resource, same, cross Decision }{
		{Allow, Allow, Allow, Allow},
		{Allow, ImplicitDeny, Allow, ImplicitDeny},
		{Allow, ExplicitDeny, ExplicitDeny, ExplicitDeny},
		{ImplicitDeny, Allow, Allow, ImplicitDeny},
		{ImplicitDeny, ImplicitDeny, ImplicitDeny, ImplicitDeny},
		{ImplicitDeny, ExplicitDeny, ExplicitDeny, ExplicitDeny},
		{ExplicitDeny, Allow, ExplicitDeny, ExplicitDeny},
		{ExplicitDeny, ImplicitDeny, ExplicitDeny, ExplicitDeny},
		{ExplicitDeny, ExplicitDeny, ExplicitDeny, ExplicitDeny},
	} {
		if got := Combine(row.identity, row.resource, SameAccount); got != row.same {
			t.Errorf("%v and %v, same account: %v", row.identity, row.resource, got)
		}
		if got := Combine(row.identity, row.resource, CrossAccount); got != row.cross {
			t.Errorf("%v and %v, cross account: %v", row.identity, row.resource, got)
		}
	}
}

// A method without authorization, or whose Cognito token is verified, needs the
// resource policy's word, if there is one.
func TestAlone(t *testing.T) {
	const pets = api + "/prod/GET/pets"
	endpoint := compile(t, Resource,
		`{'Effect':'Allow','Principal':'*','Action':'execute-api:Invoke','Resource':'execute-api:/*'}`,
		`{'Effect':'Deny','Principal':'*','Action':'execute-api:Invoke','Resource':'execute-api:/*','Condition':{'StringNotEquals':{'aws:SourceVpce':'vpce-1'}}}`)
	silent := compile(t, Resource, `{'Effect':'Allow','Principal':'*','Action':'execute-api:Invoke','Resource':'execute-api:/test/*'}`)
	for _, row := range []struct {
		name    string
		policy  *Policy
		private bool
		vpce    string
		want    Decision
	}{
		{"public without policy", nil, false, "", Allow},
		{"private without policy", nil, true, "vpce-1", ImplicitDeny},
		{"silent", silent, false, "", ImplicitDeny},
		{"through the endpoint", endpoint, true, "vpce-1", Allow},
		{"through another endpoint", endpoint, true, "vpce-2", ExplicitDeny},
		{"through none", endpoint, true, "", ExplicitDeny},
	} {
		if got := Alone(row.policy, row.private, Invoke, pets, &Context{SourceVPCE: row.vpce}); got != row.want {
			t.Errorf("%s: %v", row.name, got)
		}
	}
}

func TestAppendDenial(t *testing.T) {
	for _, row := range []struct {
		principal, resource string
		action              Action
		d                   Decision
		want                string
	}{
		{"", "arn:aws:execute-api:us-east-1:123456789012:abc/dev/GET/x", Invoke, ImplicitDeny,
			"User: anonymous is not authorized to perform: execute-api:Invoke on resource: arn:aws:execute-api:us-east-1:********9012:abc/dev/GET/x"},
		{"arn:aws:iam::123456789012:user/u", "arn:aws:execute-api:us-east-1:123456789012:api/stage/GET/a:b", InvalidateCache, ExplicitDeny,
			"User: arn:aws:iam::123456789012:user/u is not authorized to perform: execute-api:InvalidateCache on resource: arn:aws:execute-api:us-east-1:********9012:api/stage/GET/a:b with an explicit deny"},
		{"", "arn:aws:execute-api:us-east-1:12:x", ManageConnections, ImplicitDeny,
			"User: anonymous is not authorized to perform: execute-api:ManageConnections on resource: arn:aws:execute-api:us-east-1:12:x"},
		{"", "x", Invoke, ImplicitDeny, "User: anonymous is not authorized to perform: execute-api:Invoke on resource: x"},
	} {
		if got := string(AppendDenial([]byte("^"), row.principal, row.action, row.resource, row.d)); got != "^"+row.want {
			t.Errorf("got  %s\nwant %s", got, row.want)
		}
	}
}
