package dataplane

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"

	"github.com/tidegate/tidegate/configs"
	"github.com/tidegate/tidegate/dataplane/auth/iam"
	"github.com/tidegate/tidegate/dataplane/auth/policy"
	"github.com/tidegate/tidegate/dataplane/auth/sigv4"
	"github.com/tidegate/tidegate/dataplane/control"
	"github.com/tidegate/tidegate/dataplane/definition"
	"github.com/tidegate/tidegate/dataplane/http1"
)

// signed is a request that the SDK signed with an access key, as it is received.
func signed(t *testing.T, k *control.AccessKey, now time.Time) *http1.Request {
	t.Helper()
	r, err := http.NewRequest("GET", "http://abc.execute-api.localhost/prod/pets", nil)
	if err != nil {
		t.Fatal(err)
	}
	hash := sha256.Sum256(nil)
	c := aws.Credentials{AccessKeyID: k.AccessKeyID, SecretAccessKey: k.SecretAccessKey}
	if err := v4.NewSigner().SignHTTP(t.Context(), c, r, hex.EncodeToString(hash[:]), sigv4.ExecuteAPI, "us-east-1", now); err != nil {
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

// TestPrincipalsOfTheGateway goes from a user's making on the control socket to
// the verification of its signature, over refused changes and a restart.
func TestPrincipalsOfTheGateway(t *testing.T) {
	dir := t.TempDir()
	h := configs.Defaults()
	h.Workers, h.Listeners, h.Admin.Address, h.AccessLog.Path = 1, nil, "", ""
	h.AccountID, h.Region = "123456789012", "us-east-1"
	h.StateDir, h.Control = filepath.Join(dir, "state"), configs.Control{Socket: filepath.Join(dir, "c.sock"), Mode: 0o600}
	start := func() *Gateway {
		g, err := New(h, Options{Logger: slog.New(slog.DiscardHandler), Version: "test", Stderr: io.Discard})
		if err == nil {
			err = g.Start()
		}
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = g.Close() })
		return g
	}
	g := start()
	c := control.Dial(h.Control.Socket)
	t.Cleanup(c.Close)
	ctx, now := t.Context(), time.Now()
	_, err := c.CreateUser(ctx, control.UserInput{UserName: "ann", Tags: map[string]string{"team": "blue"}})
	first, err1 := c.CreateAccessKey(ctx, "ann")
	second, err2 := c.CreateAccessKey(ctx, "ann")
	const document = `{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"execute-api:Invoke","Resource":"arn:aws:execute-api:*:*:abc/prod/GET/${aws:PrincipalTag/team}"}}`
	_, err3 := c.PutPolicy(ctx, "team", document)
	_, err4 := c.AttachUserPolicy(ctx, "ann", "team")
	if err := errors.Join(err, err1, err2, err3, err4); err != nil {
		t.Fatal(err)
	}

	// verdict is how a signature is refused, or what its user may do.
	verdict := func(k *control.AccessKey) string {
		v := sigv4.New(sigv4.Config{Region: "us-east-1", Credentials: g.iam})
		id, failure := v.Verify(signed(t, k, now), "abc.execute-api.localhost", nil, now.UnixNano())
		if failure != nil {
			return failure.Kind.ErrorType()
		}
		context := policy.Context{Now: now.UnixNano()}
		p := id.Principal.(*iam.Principal)
		return p.ARN + " " + p.Evaluate(policy.Invoke, "arn:aws:execute-api:us-east-1:123456789012:abc/prod/GET/blue", &context).String()
	}
	const allowed, unknown = "arn:aws:iam::123456789012:user/ann allow", "UnrecognizedClientException"
	check := func(when, one, two string) {
		t.Helper()
		if a, b := verdict(first), verdict(second); a != one || b != two {
			t.Errorf("%s: %q and %q", when, a, b)
		}
	}
	check("made", allowed, allowed)
	if _, err := c.SetAccessKeyStatus(ctx, first.AccessKeyID, control.KeyInactive); err != nil {
		t.Fatal(err)
	}
	check("switched off", unknown, allowed)

	// What is refused by the compiler, or by the disk, changes nothing.
	catalog := g.Catalog()
	for name, ch := range map[string]definition.Change{
		"unknown tag": {PutPolicies: []*definition.ManagedPolicy{{Name: "team", Document: strings.Replace(document, "team", "cost", 1)}}},
		"no policy":   {PutUsers: []*definition.User{{Name: "bob", ID: "AIDABOB", Path: "/", Attached: []string{"none"}}}},
		"a deployment": {DeleteAccessKeys: []string{second.AccessKeyID},
			PutStages: []*definition.Stage{{APIID: "none", Name: "prod", DeploymentID: "none"}}},
	} {
		err := g.Update(context.Background(), func(*definition.Catalog) (definition.Change, error) { return ch, nil })
		if err == nil || g.Catalog() != catalog {
			t.Errorf("%s: %v", name, err)
		}
		check(name, unknown, allowed)
	}
	if _, err := c.AttachUserPolicy(ctx, "ann", "none"); err == nil {
		t.Error("attached a policy that is not there")
	}

	if err := g.Close(); err != nil {
		t.Fatal(err)
	}
	g = start()
	check("after a restart", unknown, allowed)
	if err := c.DeleteUser(ctx, "ann", true); err != nil {
		t.Fatal(err)
	}
	check("deleted", unknown, unknown)
}
