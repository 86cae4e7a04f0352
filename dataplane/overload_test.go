package dataplane_test

import (
	"context"
	"io"
	"net/http"
	"net/netip"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/tidegate/tidegate/configs"
	"github.com/tidegate/tidegate/dataplane/control"
	"github.com/tidegate/tidegate/internal/gatetest"
)

// alwaysLate makes every delay one that sheds the most. The clients come as from a
// trusted proxy, so that those that were refused need not rest.
func alwaysLate(h *configs.Host) {
	h.Overload.Delay = configs.Delays{Full: time.Nanosecond}
	h.TrustedProxies = []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}
}

// mocks is an API whose methods answer what the gateway does when it sheds.
const mocks = `
openapi: 3.0.3
info: {title: test, version: "1"}
paths:
  /low: {get: {x-tidegate-priority: low, responses: {"200": {description: ok}}, x-amazon-apigateway-integration: {type: mock,
    requestTemplates: {application/json: '{"statusCode": 200}'}, responses: {default: {statusCode: "200", responseTemplates: {application/json: '{"message":"Service Unavailable"}'}}}}}}
  /normal: {get: {responses: {"200": {description: ok}}, x-amazon-apigateway-integration: {type: mock,
    requestTemplates: {application/json: '{"statusCode": 200}'}, responses: {default: {statusCode: "200", responseTemplates: {application/json: '{"message":"Service Unavailable"}'}}}}}}
  /high: {get: {x-tidegate-priority: high, responses: {"200": {description: ok}}, x-amazon-apigateway-integration: {type: mock,
    requestTemplates: {application/json: '{"statusCode": 200}'}, responses: {default: {statusCode: "200", responseTemplates: {application/json: '{"message":"Service Unavailable"}'}}}}}}
`

// visits asks for a path again and again and counts the answers by status.
func visits(t *testing.T, g *gatetest.Gate, path string, n int) map[int]int {
	t.Helper()
	counts := map[int]int{}
	for range n {
		resp, err := http.Get("http://" + g.Addr + path)
		if err != nil {
			t.Fatal(err)
		}
		_, _ = io.Copy(io.Discard, resp.Body)
		_ = resp.Body.Close()
		counts[resp.StatusCode]++
		if resp.StatusCode == 503 && (resp.Header.Get("Retry-After") == "" || resp.Header.Get("X-Amzn-Errortype") != "ServiceUnavailableException") {
			t.Fatalf("a 503 says %v", resp.Header)
		}
	}
	return counts
}

func untilLate(t *testing.T, g *gatetest.Gate) {
	t.Helper()
	for end := time.Now().Add(10 * time.Second); g.Gateway.Status().Overload.Signals[1].Level < 1; time.Sleep(10 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("not overloaded: %+v", g.Gateway.Status().Overload)
		}
	}
}

// TestPriorities: low and normal requests are shed, high ones and a guaranteed
// share are not; a stage replaces what its API says, and a method what its stage
// says.
func TestPriorities(t *testing.T) {
	g := gatetest.Start(t, alwaysLate)
	id := g.Deploy("prod", mocks)
	untilLate(t, g)
	const n = 100
	check := func(what string, served map[string]bool) {
		t.Helper()
		for path, all := range served {
			// One in twenty is let through, on each of two event loops.
			if got := visits(t, g, path, n)[200]; all && got != n || !all && (got < 4 || got > 8) {
				t.Errorf("%s, %s: %d of %d were served", what, path, got, n)
			}
		}
	}
	check("at first", map[string]bool{"/prod/low": false, "/prod/normal": false, "/prod/high": true})
	patch := func(op, path, value string) {
		t.Helper()
		if _, err := g.Client.UpdateStage(context.Background(), id, "prod", control.PatchOperation{Op: op, Path: path, Value: value}); err != nil {
			t.Fatal(err)
		}
	}
	patch("replace", "/x-tidegate-priority", "high")
	check("stage of high priority", map[string]bool{"/prod/low": false, "/prod/normal": true})
	patch("remove", "/x-tidegate-priority", "")
	patch("replace", "/x-tidegate-guaranteed-rate", "1000000")
	check("guaranteed", map[string]bool{"/prod/normal": true})
	patch("replace", "/x-tidegate-guaranteed-rate", "0.001") // one token, once
	visits(t, g, "/prod/normal", n)
	check("beyond the guaranteed share", map[string]bool{"/prod/normal": false})
	status := g.Gateway.Status().Overload
	if status.Shed["low"] < 150 || status.Shed["normal"] < 90 || status.Shed["high"] != 0 || status.Step != "requests of low and normal priority are shed" {
		t.Errorf("status %+v", status)
	}
	for end := time.Now().Add(5 * time.Second); ; time.Sleep(10 * time.Millisecond) {
		text, err := os.ReadFile(g.LogPath)
		if err == nil && strings.Contains(string(text), `"OVERLOADED"`) {
			break
		}
		if time.Now().After(end) {
			t.Errorf("the access log does not say why: %v, %.500s", err, text)
			break
		}
	}
}

// TestSheddingAsksNobody: what is shed was neither authenticated nor was its body
// waited for.
func TestSheddingAsksNobody(t *testing.T) {
	asked := make(chan struct{}, 100)
	backend := gatetest.Answering(t, func(*http.Request) string {
		asked <- struct{}{}
		return "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
	})
	g := gatetest.Start(t, alwaysLate)
	g.Deploy("prod", strings.Replace(gatetest.ProxyAll(backend.Addr, 29000), "paths:", "x-tidegate-priority: low\npaths:", 1))
	untilLate(t, g)
	shed := 0
	for range 20 {
		conn := g.Dial(false)
		_ = conn.SetDeadline(time.Now().Add(time.Second)) // the one in twenty that is let through waits for its body
		_, _ = io.WriteString(conn, "POST /prod/x HTTP/1.1\r\nHost: x\r\nContent-Length: 1000000\r\n\r\n")
		answer := make([]byte, 12)
		if _, err := io.ReadFull(conn, answer); err == nil && string(answer) == "HTTP/1.1 503" {
			shed++
		}
		_ = conn.Close()
	}
	if shed < 16 || len(asked) > 0 {
		t.Errorf("%d of 20 were shed, and the backend was asked %d times", shed, len(asked))
	}
}

// TestSheddingAllocatesNothing: what is refused is cheap.
func TestSheddingAllocatesNothing(t *testing.T) {
	g := gatetest.Start(t, alwaysLate, func(h *configs.Host) { h.Workers = 1 })
	g.Deploy("prod", mocks)
	untilLate(t, g)
	for _, path := range []string{"low", "normal"} {
		conn := g.Dial(false)
		defer conn.Close()
		perRequest := allocations(t, conn, counted(8000), "GET /prod/"+path+" HTTP/1.1\r\nHost: x\r\n\r\n", `{"message":"Service Unavailable"}`)
		t.Logf("%s: %.4f allocations per request", path, perRequest)
		if perRequest >= 0.01 && !underRace {
			t.Errorf("%s: %.4f allocations per request, want none", path, perRequest)
		}
	}
}
