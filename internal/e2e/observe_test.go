package e2e

import (
	"crypto/tls"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/tidegate/tidegate/internal/gatetest"
)

// TestAccessLog compares lines with the requests and answers they are about,
// under AWS's names.
func TestAccessLog(t *testing.T) {
	cert, key := gatetest.Certificate(t, t.TempDir())
	addr := nginx(t, "backend")[0]
	d := start(t, host{tls: `{certificates: [{cert: "` + cert + `", key: "` + key + `"}]}`})
	id := d.deploy("prod", gatetest.ProxyAll(addr, 29000), nil)
	before := time.Now()
	plain, err := dial(d.addr)
	if err != nil {
		t.Fatal(err)
	}
	defer plain.conn.Close()
	secure, err := d.dialTLS(&tls.Config{})
	if err != nil {
		t.Fatal(err)
	}
	defer secure.conn.Close()

	common := map[string]string{"protocol": "HTTP/1.1", "apiId": id, "stage": "prod", "identity.sourceIp": "127.0.0.1",
		"error.message": "-", "error.responseType": "-", "tlsVersion": "-", "identity.userAgent": "-"}
	cases := []struct {
		c              *client
		method, target string
		fields         []string
		want           map[string]string
	}{
		{plain, "GET", "/prod/a/b?c=d", []string{"Host: Some.Example:81", `User-Agent: a"b\c` + "\t\u00e9"}, map[string]string{
			"httpMethod": "GET", "resourcePath": "/{proxy+}", "path": "/prod/a/b", "status": "200", "responseLength": "7",
			"integrationStatus": "200", "domainName": "some.example", "identity.userAgent": `a"b\c` + "\t\u00e9"}},
		{plain, "GET", "/prod/health", nil, map[string]string{
			"resourcePath": "/health", "path": "/prod/health", "status": "200", "responseLength": "15",
			"integrationLatency": "-", "integrationStatus": "-", "domainName": "localhost"}},
		{plain, "POST", "/prod/", nil, map[string]string{"httpMethod": "POST", "resourcePath": "/", "path": "/prod/", "status": "200"}},
		{secure, "GET", "/prod/health", nil, map[string]string{"tlsVersion": "TLSv1.3", "status": "200"}},
		{plain, "GET", "/none/x", nil, map[string]string{
			"status": "403", "apiId": "-", "stage": "-", "deploymentId": "-", "resourcePath": "-", "responseLength": "23",
			"error.message": "Forbidden", "error.responseType": "ACCESS_DENIED"}},
		{plain, "BREW", "/prod/x", nil, map[string]string{
			"httpMethod": "BREW", "status": "403", "resourcePath": "-", "error.message": "Missing Authentication Token",
			"error.responseType": "MISSING_AUTHENTICATION_TOKEN"}},
	}
	ids := make([]*answer, len(cases))
	for i, c := range cases {
		if ids[i], err = c.c.ask(c.method, c.target, "", c.fields...); err != nil {
			t.Fatalf("%s: %v", c.target, err)
		}
	}
	lines := map[string]map[string]string{}
	eventually(t, 5*time.Second, func() error {
		text, err := os.ReadFile(d.log)
		if err != nil {
			return err
		}
		clear(lines)
		for line := range strings.Lines(string(text)) {
			var entry map[string]string
			if err := json.Unmarshal([]byte(line), &entry); err != nil {
				return fmt.Errorf("%q: %w", line, err)
			}
			lines[entry["requestId"]] = entry
		}
		if len(lines) < len(cases) {
			return fmt.Errorf("%d lines", len(lines))
		}
		return nil
	})
	for i, c := range cases {
		entry := lines[ids[i].header.Get("x-amzn-RequestId")]
		if entry == nil {
			t.Errorf("%s %s: no line", c.method, c.target)
			continue
		}
		want := map[string]string{"extendedRequestId": ids[i].header.Get("x-amz-apigw-id")}
		for _, m := range []map[string]string{common, c.want} {
			for k, v := range m {
				want[k] = v
			}
		}
		for k, v := range want {
			if entry[k] != v {
				t.Errorf("%s %s: %s is %q, want %q", c.method, c.target, k, entry[k], v)
			}
		}
		epoch, err := strconv.ParseInt(entry["requestTimeEpoch"], 10, 64)
		at := time.UnixMilli(epoch)
		if err != nil || at.Before(before.Add(-time.Second)) || at.After(time.Now().Add(time.Second)) {
			t.Errorf("%s: requestTimeEpoch %q", c.target, entry["requestTimeEpoch"])
		}
		if text := at.UTC().Format("02/Jan/2006:15:04:05 -0700"); entry["requestTime"] != text {
			t.Errorf("%s: requestTime %q, want %q", c.target, entry["requestTime"], text)
		}
		if _, err := strconv.Atoi(entry["responseLatency"]); err != nil {
			t.Errorf("%s: responseLatency %q", c.target, entry["responseLatency"])
		}
	}
}

// TestMetricsAndHealth compares the figures with what was asked.
func TestMetricsAndHealth(t *testing.T) {
	addr := nginx(t, "backend")[0]
	d := start(t, host{})
	id := d.deploy("prod", gatetest.ProxyAll(addr, 29000), nil)
	d.deploy("dead", proxyTo("http://"+freeAddr(t)+"/"), nil)
	c, err := dial(d.addr)
	if err != nil {
		t.Fatal(err)
	}
	defer c.conn.Close()
	for what, n := range map[string]int{"GET /prod/x": 20, "GET /prod/health": 5, "BREW /prod/x": 3, "GET /dead/x": 2, "GET /none": 4} {
		method, target, _ := strings.Cut(what, " ")
		for range n {
			if _, err := c.ask(method, target, ""); err != nil {
				t.Fatal(err)
			}
		}
	}
	_ = c.send("GARBAGE\r\n\r\n")
	if a, err := c.receive("GET"); err != nil || a.status != 400 {
		t.Errorf("garbage: %+v %v", a, err)
	}
	prod, dead := `api="`+id+`",api_name="test",stage="prod"`, `stage="dead"`
	for _, m := range []struct {
		name, labels string
		want         float64
	}{
		{"tidegate_count_total", prod, 28}, {"tidegate_4xx_error_total", prod, 3}, {"tidegate_5xx_error_total", prod, 0},
		{"tidegate_count_total", dead, 2}, {"tidegate_4xx_error_total", dead, 0}, {"tidegate_5xx_error_total", dead, 2},
		{"tidegate_latency_seconds_count", prod, 28}, {"tidegate_integration_latency_seconds_count", prod, 20},
		{"tidegate_requests_rejected_total", `"no_method"`, 3}, {"tidegate_requests_rejected_total", `"no_stage"`, 4},
		{"tidegate_requests_rejected_total", `"integration_failure"`, 2}, {"tidegate_requests_rejected_total", `"malformed"`, 1},
		{"tidegate_upstream_connections_opened_total", "", 1}, {"tidegate_upstream_connections_reused_total", "", 19},
		{"tidegate_upstream_retries_total", "", 0}, {"tidegate_connections_accepted_total", "", 1},
	} {
		eventually(t, 3*time.Second, func() error {
			got, err := readMetric(d.admin, m.name, m.labels)
			if err == nil && got != m.want {
				err = fmt.Errorf("%s{%s} is %g, want %g", m.name, m.labels, got, m.want)
			}
			return err
		})
	}
	latency, err := readMetric(d.admin, "tidegate_latency_seconds_sum", prod)
	if err != nil || latency <= 0 || latency > 10 {
		t.Errorf("latency %g s, %v", latency, err)
	}
	for _, path := range []string{"/healthz", "/readyz"} {
		resp, err := adminClient.Get("http://" + d.admin + path)
		if err != nil {
			t.Fatal(err)
		}
		body, _ := io.ReadAll(resp.Body)
		_ = resp.Body.Close()
		if resp.StatusCode != 200 || string(body) != "ok\n" {
			t.Errorf("%s: %s %q", path, resp.Status, body)
		}
	}
	// The admin listener and the public one do not serve each other's paths.
	d.ask("GET", "/metrics", "").expectError(t, "/metrics", 403, "Forbidden", "ForbiddenException")
	if a, err := askOnce(d.admin, "GET", "/prod/x", ""); err != nil || a.status != 404 {
		t.Errorf("an API on the admin listener: %+v %v", a, err)
	}
}
