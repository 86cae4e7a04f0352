package e2e

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/tidegate/tidegate/configs"
	"github.com/tidegate/tidegate/internal/gatetest"
)

// block is a fenced block of a document that begins with the name of its file.
var block = regexp.MustCompile("(?ms)^[ ]*```(yaml|go)\n[ ]*(?:#|//) ([a-z.-]+)\n(.*?)^[ ]*```$")

// examples are the files in docs/callers.md, by name; tidegate.yaml is there several
// times.
func examples(t *testing.T) map[string][]string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(root, "docs", "callers.md"))
	if err != nil {
		t.Fatal(err)
	}
	files := map[string][]string{}
	for _, m := range block.FindAllStringSubmatch(string(text), -1) {
		files[m[2]] = append(files[m[2]], m[3])
	}
	return files
}

// TestCallersDocument deploys the examples of docs/callers.md as they are, but for
// addresses, and calls them as it says.
func TestCallersDocument(t *testing.T) {
	files := examples(t)
	backend := startTold(t)
	key := gatetest.NewSigningKey(t, "k", "RS256")
	issuer := gatetest.NewIssuer(t, false, key)
	guard := freeAddr(t)
	here := strings.NewReplacer("https://id.example.com", issuer.URL, "127.0.0.1:8081", backend.addr, "127.0.0.1:9000", guard,
		"header.X-Customer", "header.X-Told-id", "header.X-Groups", "header.X-Told-groups", "header.X-Tenant", "header.X-Told-tenant")
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "guard.go"), []byte(here.Replace(files["guard.go"][0])), 0o644); err != nil {
		t.Fatal(err)
	}
	build := exec.Command("go", "build", "-o", filepath.Join(dir, "guard"), filepath.Join(dir, "guard.go"))
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	program := exec.Command(filepath.Join(dir, "guard"))
	if err := launch(program); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = program.Process.Kill(); _ = program.Wait() })

	d := start(t, host{domains: `[{name: "orders.example", mappings: [{api: orders}]}, {name: "internal.example", mappings: [{api: internal}]}]`,
		more: fmt.Sprintf("tokens: {allow_http: true, allow_private: true, user_pools: [{pool: us-east-1_a1B2c3D4e, issuer: %q}]}", issuer.URL)})
	token := func(c gatetest.Claims) string { return key.Token(issuer.Claims(c)) }
	id := token(gatetest.Claims{"aud": "web", "token_use": "id", "email": "ann@example.com", "cognito:groups": []string{"staff"}})
	access := token(gatetest.Claims{"client_id": "web", "token_use": "access", "scope": "orders/read", "email": "ann@example.com"})
	expect := func(what, name, target string, status int, body string, fields ...string) {
		t.Helper()
		a := d.ask("GET", target, "", append(fields, "Host: "+name)...)
		a.expect(t, what, status, body)
	}
	const unauthorized = `{"message":"Unauthorized"}`

	d.deploy("prod", here.Replace(files["orders-jwt.yaml"][0]), nil)
	bearer := "Authorization: Bearer " + token(gatetest.Claims{"aud": "orders", "scope": "orders/read"})
	expect("JWT", "orders.example", "/prod/orders", 200, "id=user-1", bearer)
	expect("JWT, nobody", "orders.example", "/prod/orders", 401, unauthorized)
	expect("JWT, no scope", "orders.example", "/prod/orders", 403, `{"message":"Forbidden"}`, "Authorization: Bearer "+token(gatetest.Claims{"aud": "orders"}))

	d.deploy("prod", here.Replace(files["orders-pool.yaml"][0]), nil)
	expect("user pool, ID", "orders.example", "/prod/profile", 200, "groups=staff id=ann@example.com", "Authorization: "+id)
	expect("user pool, access", "orders.example", "/prod/orders", 200, "id=ann@example.com", "Authorization: "+access)
	expect("user pool, the other", "orders.example", "/prod/orders", 401, unauthorized, "Authorization: "+id)

	d.deploy("prod", here.Replace(files["orders-custom.yaml"][0]), nil)
	eventually(t, 10*time.Second, func() error {
		c, err := dial(guard)
		if err == nil {
			c.conn.Close()
		}
		return err
	})
	expect("custom", "orders.example", "/prod/orders", 200, "id=ann tenant=blue", "Authorization: Bearer s3cret")
	expect("custom, unknown", "orders.example", "/prod/orders", 401, unauthorized, "Authorization: Bearer other")
	expect("custom, invalid", "orders.example", "/prod/orders", 401, unauthorized, "Authorization: other")
	expect("custom, request", "orders.example", "/prod/partners/orders?account=1", 200, "id=acme tenant=blue", "X-Partner: acme")
	expect("custom, half a request", "orders.example", "/prod/partners/orders", 401, unauthorized, "X-Partner: acme")

	d.deploy("prod", files["internal.yaml"][0], nil)
	expect("policy", "internal.example", "/prod/admin", 200, `{"admin": true}`)
	d.deploy("prod", strings.Replace(files["internal.yaml"][0], "127.0.0.0/8", "192.0.2.0/24", 1), nil)
	for _, path := range []string{"/prod/admin", "/prod/admin/", "/prod//admin", "/prod/%61dmin"} {
		if a := d.ask("GET", path, "", "Host: internal.example"); a.status != 403 {
			t.Errorf("%s from elsewhere: %d %s", path, a.status, a.body)
		}
	}
	expect("policy, another path", "internal.example", "/prod/status", 200, `{"admin": true}`)

	// The parts of host files are what a host file can have.
	if len(files["tidegate.yaml"]) != 4 {
		t.Errorf("%d host files", len(files["tidegate.yaml"]))
	}
	for _, text := range files["tidegate.yaml"] {
		path := filepath.Join(dir, "tidegate.yaml")
		text = "listeners: [{name: a, address: \":80\"}]\n" + strings.TrimLeft(text, " ")
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
		if _, err := configs.Load(path); err != nil {
			t.Errorf("%v\n%s", err, text)
		}
	}
}
