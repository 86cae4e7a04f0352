package iam

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"

	"github.com/tidegate/tidegate/dataplane/auth/policy"
	"github.com/tidegate/tidegate/dataplane/auth/sigv4"
	"github.com/tidegate/tidegate/dataplane/definition"
	"github.com/tidegate/tidegate/dataplane/http1"
)

const (
	account = "123456789012"
	region  = "us-east-1"
	host    = "abc.execute-api.localhost"
	api     = "arn:aws:execute-api:us-east-1:123456789012:abc"
	secret  = "wJalrXUtnFEMIK7MDENGbPxRfiCYEXAMPLEKEY00"
	other   = "another0secret0of0forty0characters0long0"
)

var at = time.Date(2026, 11, 22, 10, 20, 11, 0, time.UTC)

// gate is a Store with the catalog that it serves.
type gate struct {
	*Store
	catalog *definition.Catalog
}

func newGate(t testing.TB, changes ...definition.Change) *gate {
	t.Helper()
	g := &gate{NewStore(account), (&definition.Catalog{}).With(definition.Change{})}
	for _, ch := range changes {
		g.apply(t, ch)
	}
	return g
}

func (g *gate) try(ch definition.Change) error {
	next := g.catalog.With(ch)
	set, err := g.Compile(next)
	if err == nil {
		g.Swap(set)
		g.catalog = next
	}
	return err
}

func (g *gate) apply(t testing.TB, ch definition.Change) {
	t.Helper()
	if err := g.try(ch); err != nil {
		t.Fatal(err)
	}
}

// evaluate decides for the user of a key whether it may invoke a path of the API.
func (g *gate) evaluate(key, path string) policy.Decision {
	c := &policy.Context{Now: at.UnixNano()}
	return g.Lookup([]byte(key)).Principal.(*Principal).Evaluate(policy.Invoke, api+path, c)
}

func user(name string, edit ...func(*definition.User)) *definition.User {
	u := &definition.User{Name: name, ID: "AIDA" + strings.ToUpper(name), Path: "/", CreatedDate: at}
	for _, f := range edit {
		f(u)
	}
	return u
}

func tagged(name, value string) func(*definition.User) {
	return func(u *definition.User) { u.Tags = map[string]string{name: value} }
}

func attached(names ...string) func(*definition.User) {
	return func(u *definition.User) { u.Attached = names }
}

func inline(name, document string) func(*definition.User) {
	return func(u *definition.User) { u.Policies = map[string]string{name: document} }
}

func key(id, user, secret string) *definition.AccessKey {
	return &definition.AccessKey{ID: id, UserName: user, Secret: secret, Active: true, CreatedDate: at}
}

func managedPolicy(name, document string) *definition.ManagedPolicy {
	return &definition.ManagedPolicy{Name: name, Document: document, CreatedDate: at, UpdatedDate: at}
}

// document is a policy of statements that are written with single quotes. Those
// of a variable's default stay.
func document(statements ...string) string {
	text := `{'Version':'2012-10-17','Statement':[` + strings.Join(statements, ",") + `]}`
	return strings.NewReplacer(`, 'none'}`, `, 'none'}`, `'`, `"`).Replace(text)
}

func allow(resource string) string {
	return `{'Effect':'Allow','Action':'execute-api:Invoke','Resource':'` + api + resource + `'}`
}

func deny(resource string) string { return strings.Replace(allow(resource), "Allow", "Deny", 1) }

// signed is a request that the SDK signed, as it is received.
func signed(t testing.TB, keyID, secret string) *http1.Request {
	t.Helper()
	r, err := http.NewRequest("GET", "http://"+host+"/prod/pets?limit=2", nil)
	if err != nil {
		t.Fatal(err)
	}
	hash := sha256.Sum256(nil)
	credentials := aws.Credentials{AccessKeyID: keyID, SecretAccessKey: secret}
	if err := v4.NewSigner().SignHTTP(context.Background(), credentials, r, hex.EncodeToString(hash[:]), sigv4.ExecuteAPI, region, at); err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	if err := r.Write(&b); err != nil {
		t.Fatal(err)
	}
	var head http1.Request
	if status := head.Parse(b.Bytes(), http1.Limits{Target: 16384, Header: 32768, Count: 100}); status != 0 {
		t.Fatal(status)
	}
	return &head
}

// verify returns the error type of a request's refusal; empty if there is none.
func verify(v *sigv4.Verifier, r *http1.Request) (sigv4.Identity, string) {
	id, failure := v.Verify(r, host, nil, at.UnixNano())
	if failure != nil {
		return id, failure.Kind.ErrorType()
	}
	return id, ""
}
