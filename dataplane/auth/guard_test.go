package auth

import (
	"fmt"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/tidegate/tidegate/dataplane/auth/authorizer"
	"github.com/tidegate/tidegate/dataplane/auth/iam"
	"github.com/tidegate/tidegate/dataplane/auth/policy"
	"github.com/tidegate/tidegate/dataplane/auth/sigv4"
	"github.com/tidegate/tidegate/dataplane/definition"
)

var host = Host{Partition: "aws", Region: "us-east-1", AccountID: "123456789012"}

const arn = "arn:aws:execute-api:us-east-1:123456789012:api/prod/"

// statement is one of a policy.
func statement(effect, principal, resource string, more ...string) string {
	s := fmt.Sprintf(`{"Effect":%q,"Action":"execute-api:Invoke","Resource":%q`, effect, resource)
	if principal != "" {
		s += fmt.Sprintf(`,"Principal":%q`, principal)
	}
	return s + strings.Join(more, "") + "}"
}

func document(statements ...string) string {
	return `{"Version":"2012-10-17","Statement":[` + strings.Join(statements, ",") + "]}"
}

// guard compiles that of a method.
func guard(t testing.TB, endpoint, resourcePolicy, authorization string) *Guard {
	t.Helper()
	s, err := CompileStage(host, Stores{}, &authorizer.Scope{APIID: "api", Stage: "prod"}, &definition.Body{EndpointType: endpoint, Policy: resourcePolicy})
	if err != nil {
		t.Fatal(err)
	}
	g, err := s.Method(&definition.Method{AuthorizationType: authorization})
	if err != nil {
		t.Fatal(err)
	}
	return g
}

// user returns a principal with one policy; empty is none.
func user(t testing.TB, document string) *iam.Principal {
	t.Helper()
	u := &definition.User{Name: "ann", ID: "AIDAANN", Path: "/", CreatedDate: time.Unix(1, 0)}
	if document != "" {
		u.Policies = map[string]string{"p": document}
	}
	key := &definition.AccessKey{ID: "AKIAIOSFODNN7EXAMPLE", UserName: "ann", Secret: "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY", Active: true}
	store := iam.NewStore(host.AccountID)
	set, err := store.Compile((&definition.Catalog{}).With(definition.Change{PutUsers: []*definition.User{u}, PutAccessKeys: []*definition.AccessKey{key}}))
	if err != nil {
		t.Fatal(err)
	}
	store.Swap(set)
	var credential *sigv4.Credential
	if credential = store.Lookup([]byte(key.ID)); credential == nil {
		t.Fatal("no credential")
	}
	return credential.Principal.(*iam.Principal)
}

func request(path string) *Request {
	return &Request{Verb: "GET", Path: []byte(path), Context: &policy.Context{SourceIP: netip.MustParseAddr("192.0.2.1")}}
}

// The table of the developer guide, of one account, and what AWS says of private
// APIs.
func TestAuthorize(t *testing.T) {
	const (
		all   = arn + "*"
		other = arn + "GET/other"
	)
	public, private := definition.EndpointRegional, definition.EndpointPrivate
	allowAll, denyAll, silent := document(statement("Allow", "*", all)), document(statement("Deny", "*", all)), document(statement("Allow", "*", other))
	mayAll, mayNot, mayOther := document(statement("Allow", "", all)), document(statement("Deny", "", all)), document(statement("Allow", "", other))
	for _, tc := range []struct {
		name, endpoint, resource, kind, user string
		want                                 policy.Decision
	}{
		{"open, allowed", public, allowAll, "NONE", "", policy.Allow},
		{"open, silent", public, silent, "NONE", "", policy.ImplicitDeny},
		{"open, denied", public, denyAll, "NONE", "", policy.ExplicitDeny},
		{"open and private", private, "", "NONE", "", policy.ImplicitDeny},
		{"open and private, allowed", private, allowAll, "NONE", "", policy.Allow},
		{"signed: allow, none", public, "", "AWS_IAM", mayAll, policy.Allow},
		{"signed: allow, allow", public, allowAll, "AWS_IAM", mayAll, policy.Allow},
		{"signed: allow, silent", public, silent, "AWS_IAM", mayAll, policy.Allow},
		{"signed: allow, deny", public, denyAll, "AWS_IAM", mayAll, policy.ExplicitDeny},
		{"signed: silent, none", public, "", "AWS_IAM", mayOther, policy.ImplicitDeny},
		{"signed: silent, allow", public, allowAll, "AWS_IAM", mayOther, policy.Allow},
		{"signed: silent, silent", public, silent, "AWS_IAM", mayOther, policy.ImplicitDeny},
		{"signed: silent, deny", public, denyAll, "AWS_IAM", mayOther, policy.ExplicitDeny},
		{"signed: deny, none", public, "", "AWS_IAM", mayNot, policy.ExplicitDeny},
		{"signed: deny, allow", public, allowAll, "AWS_IAM", mayNot, policy.ExplicitDeny},
		{"signed: no policy at all", public, "", "AWS_IAM", "", policy.ImplicitDeny},
		{"signed and private: allow, none", private, "", "AWS_IAM", mayAll, policy.ImplicitDeny},
		{"signed and private: deny, none", private, "", "AWS_IAM", mayNot, policy.ExplicitDeny},
		{"signed and private: allow, silent", private, silent, "AWS_IAM", mayAll, policy.Allow},
	} {
		g := guard(t, tc.endpoint, tc.resource, tc.kind)
		var id Identity
		if tc.kind == definition.AuthIAM {
			id.User = user(t, tc.user)
		}
		if d := g.Authorize(new(Scratch), request("/pets"), &id, policy.Invoke); d.Decision != tc.want || d.ARN != arn+"GET/pets" {
			t.Errorf("%s: %v %s, want %v", tc.name, d.Decision, d.ARN, tc.want)
		}
	}
	if g := guard(t, public, "", "NONE"); g != nil {
		t.Error("a guard where there is nothing to guard")
	}
}

// However a path is written, it is the path that a policy names.
func TestPathsThatAreNotPlain(t *testing.T) {
	deny := guard(t, definition.EndpointRegional, document(statement("Allow", "*", arn+"*"), statement("Deny", "*", arn+"GET/pets/admin*")), "NONE")
	allow := guard(t, definition.EndpointRegional, document(statement("Allow", "*", arn+"GET/pets/admin")), "NONE")
	for path, admin := range map[string]bool{
		"/pets/admin": true, "/pets/%61dmin": true, "/pets//admin": true, "/pets/%61%64%6d%69%6E": true, "/pets%2fadmin": true, "/pets%2F/admin": true,
		"/pets/bob": false, "/pets/%62ob": false, "/pets/adm%69": false, "/pets/%2561dmin": false, "/pets/admi%6": false,
	} {
		want := policy.Allow
		if admin {
			want = policy.ExplicitDeny
		}
		if d := deny.Authorize(new(Scratch), request(path), &Identity{}, policy.Invoke); d.Decision != want {
			t.Errorf("deny: %s: %v (%s), want %v", path, d.Decision, d.ARN, want)
		}
		// What is allowed is allowed in both readings.
		d := allow.Authorize(new(Scratch), request(path), &Identity{}, policy.Invoke)
		if got := d.Decision == policy.Allow; got != (path == "/pets/admin") {
			t.Errorf("allow: %s: %v (%s)", path, d.Decision, d.ARN)
		}
	}
}

// The router reads several first slashes as one, and none at the end, so a policy
// that denies a resource by its whole path denies it by all of them.
func TestPathsAsTheRouterReadsThem(t *testing.T) {
	g := guard(t, definition.EndpointRegional, document(statement("Allow", "*", arn+"*"), statement("Deny", "*", arn+"GET/pets/admin"), statement("Deny", "*", arn+"GET/")), "NONE")
	for path, denied := range map[string]bool{
		"/pets/admin": true, "/pets/admin/": true, "//pets/admin": true, "///pets/admin/": true, "/pets//admin": true, "/pets/admin%2F": true,
		"": true, "/": true, "//": true, "///": true,
		"/pets/": false, "/pets/admins": false, "/pets/admin/1": false, "//pets": false,
	} {
		d := g.Authorize(new(Scratch), request(path), &Identity{}, policy.Invoke)
		if got := d.Decision == policy.ExplicitDeny; got != denied || !denied && d.Decision != policy.Allow {
			t.Errorf("%q: %v (%s)", path, d.Decision, d.ARN)
		}
	}
}

func TestMayInvalidate(t *testing.T) {
	const may = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":["execute-api:Invoke","execute-api:InvalidateCache"],"Resource":"*"}]}`
	mayAnybody := strings.Replace(may, `"Action"`, `"Principal":"*","Action"`, 1)
	invoke := document(statement("Allow", "*", "*"))
	for _, tc := range []struct {
		resource, kind, user string
		want                 bool
	}{
		{mayAnybody, "NONE", "", true}, {invoke, "NONE", "", false},
		{"", "AWS_IAM", may, true}, {"", "AWS_IAM", document(statement("Allow", "", "*")), false}, {mayAnybody, "AWS_IAM", "", true},
	} {
		var id Identity
		if tc.kind == definition.AuthIAM {
			id.User = user(t, tc.user)
		}
		if got := guard(t, definition.EndpointRegional, tc.resource, tc.kind).MayInvalidate(new(Scratch), request("/"), &id); got != tc.want {
			t.Errorf("%s %s %s: %v", tc.kind, tc.resource, tc.user, got)
		}
	}
}

func TestCompileRefuses(t *testing.T) {
	if _, err := CompileStage(host, Stores{}, &authorizer.Scope{}, &definition.Body{Policy: `{"Version":"2012-10-17","Statement":[{"Effect":"Maybe"}]}`}); err == nil || !strings.Contains(err.Error(), "resource policy: Statement[0]") {
		t.Errorf("error %v", err)
	}
}

func TestAuthorizeAllocatesNothing(t *testing.T) {
	g := guard(t, definition.EndpointRegional, document(statement("Allow", "*", arn+"*")), "AWS_IAM")
	id, s, r := Identity{User: user(t, "")}, new(Scratch), request("/pets/%61")
	g.Authorize(s, r, &id, policy.Invoke)
	if n := testing.AllocsPerRun(100, func() { g.Authorize(s, r, &id, policy.Invoke) }); n != 0 {
		t.Errorf("%v allocations", n)
	}
}
