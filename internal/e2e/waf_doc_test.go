package e2e

import (
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/fasthttp/websocket"

	"github.com/tidegate/tidegate/internal/gatetest"
)

// jsonBlock is a fenced block of JSON in a document.
var jsonBlock = regexp.MustCompile("(?ms)^```json\n(.*?)^```$")

// TestWAFDocument does with the binary what docs/waf.md does: a network is blocked,
// a rate too, and the Core Rule Set first counts and then blocks.
func TestWAFDocument(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile(filepath.Join(root, "docs", "waf.md"))
	if err != nil {
		t.Fatal(err)
	}
	found := jsonBlock.FindSubmatch(text)
	if found == nil {
		t.Fatal("docs/waf.md has no web ACL")
	}
	d := start(t, host{})
	d.deploy("prod", gatetest.ProxyAll("127.0.0.1:1024", 29000), nil)
	dir := t.TempDir()
	write := func(name, text string) string {
		t.Helper()
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
		return path
	}
	stage := d.cli("stages", "--json")
	api := regexp.MustCompile(`"apiId": *"([a-z0-9]+)"`).FindStringSubmatch(stage)
	if api == nil {
		t.Fatalf("no API in %s", stage)
	}
	d.cli("waf", "ipset", "put", "bad-networks", write("bad.txt", "192.0.2.0/24\n198.51.100.7           # comments may follow\n"))
	d.cli("waf", "ipset", "add", "bad-networks", "127.0.0.2")
	d.cli("waf", "put", "shop", write("shop.json", strings.Replace(string(found[1]), `"Limit": 600`, `"Limit": 10`, 1)))
	d.cli("waf", "attach", api[1]+":prod", "shop")

	const attack = "/prod/health?id=1%27%20UNION%20SELECT%20password%20FROM%20users--"
	browser := []string{"Host: " + d.addr, "User-Agent: Mozilla/5.0 (X11; Linux x86_64; rv:133.0) Gecko/20100101 Firefox/133.0", "Accept: */*"}
	d.from("127.0.0.2", "GET", "/prod/health", "").expectError(t, "a bad network", 403, "Forbidden", "ForbiddenException")
	d.from("127.0.0.3", "GET", attack, "", browser...).expect(t, "detection", 200, `{"status":"ok"}`)
	if s := d.ruleStats("attacks"); s.Counted != 1 || s.Blocked != 0 {
		t.Errorf("detected %+v", s)
	}
	for range 10 {
		d.from("127.0.0.4", "GET", "/prod/health", "").expect(t, "within the rate", 200, `{"status":"ok"}`)
	}
	d.from("127.0.0.4", "GET", "/prod/health", "").expect(t, "over it", 429, `{"message":"Too many requests: wait a few minutes"}`)

	shown := d.cli("waf", "show", "shop")
	blocking := strings.Replace(shown, `"OverrideAction": {"Count": {}}`, `"OverrideAction": {"None": {}}`, 1)
	if blocking == shown {
		t.Fatalf("shown as\n%s", shown)
	}
	d.cli("waf", "put", "shop", write("shop.json", blocking))
	d.from("127.0.0.3", "GET", attack, "", browser...).expectError(t, "blocking", 403, "Forbidden", "ForbiddenException")
	if got := d.cli("waf", "stats", "shop"); !regexp.MustCompile(`(?m)^shop +attacks +0 +1 +1\s*$`).MatchString(got) {
		t.Errorf("stats\n%s", got)
	}
	if got := d.cli("waf", "samples", "shop"); !strings.Contains(got, "bad-networks") || !strings.Contains(got, "127.0.0.2") {
		t.Errorf("samples\n%s", got)
	}
}

// TestWAFWebSocket: a WebSocket that a REST API passes on is inspected when it
// begins, and not afterwards.
func TestWAFWebSocket(t *testing.T) {
	t.Parallel()
	up := websocket.Upgrader{CheckOrigin: func(*http.Request) bool { return true }}
	backend := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		c, err := up.Upgrade(w, r, nil)
		if err != nil {
			return
		}
		defer c.Close()
		for {
			kind, text, err := c.ReadMessage()
			if err != nil || c.WriteMessage(kind, text) != nil {
				return
			}
		}
	}))
	t.Cleanup(backend.Close)
	d := start(t, host{})
	api := d.deploy("prod", `openapi: 3.0.1
info: {title: test, version: "1"}
paths:
  /live:
    get:
      responses: {"200": {description: ok}}
      x-amazon-apigateway-integration: {type: http_proxy, httpMethod: GET, uri: "ws://`+strings.TrimPrefix(backend.URL, "http://")+`/live"}
`, nil)
	d.putACL(api, "prod", "", aclRule("query", 1, toBlock, hasText(inQuery, "evil")), aclRule("body", 2, toBlock, hasText(`{"Body": {"OversizeHandling": "MATCH"}}`, "evil")), coreRules(3, "None"))
	fields := http.Header{"Host": {"live.example.com"}, "User-Agent": {"Mozilla/5.0 (X11; Linux x86_64; rv:133.0) Gecko/20100101 Firefox/133.0"}, "Accept": {"*/*"}}
	if _, answer, err := websocket.DefaultDialer.Dial("ws://"+d.addr+"/prod/live?evil", fields); err == nil || answer == nil || answer.StatusCode != 403 {
		t.Errorf("blocked: %v, %v", answer, err)
	}
	c, answer, err := websocket.DefaultDialer.Dial("ws://"+d.addr+"/prod/live?q=good", fields)
	if err != nil {
		t.Fatalf("%v, %v", answer, err)
	}
	defer c.Close()
	if err := c.WriteMessage(websocket.TextMessage, []byte("evil")); err != nil {
		t.Fatal(err)
	}
	if _, text, err := c.ReadMessage(); err != nil || string(text) != "evil" {
		t.Errorf("%q, %v", text, err)
	}
}
