package rivals

import (
	"encoding/json"
	"strings"
	"testing"
)

var site = Site{Backend: "127.0.0.1:9000", APIs: []API{{Name: "bench", Routes: []Route{
	{Method: "GET", Path: "/small", Target: "/small"},
	{Method: "GET", Path: "/pets/{id}", Target: "/animals/{id}"},
	{Method: "GET", Path: "/mock"},
}}}}

func cached(s Site) Site {
	api := s.APIs[0]
	api.Cached = true
	s.APIs = []API{api}
	return s
}

func denied(s Site, d Denial) Site {
	s.APIs = append([]API{{Name: "denied", Routes: []Route{{Method: "GET", Path: "/denied"}}, Denied: d}}, s.APIs...)
	return s
}

func secured(s Site) Site {
	s.Certificate = &Certificate{CertFile: "/d/cert.pem", KeyFile: "/d/key.pem"}
	return s
}

// passing is a site with a route to a WebSocket, and a WebSocket API.
var passing = Site{Backend: "127.0.0.1:9000", WebSocketAPI: true, Workers: 2, APIs: []API{{Name: "bench", Routes: []Route{
	{Method: "GET", Path: "/socket", Target: "/s", WebSocket: true},
}}}}

func TestConfigurations(t *testing.T) {
	tidegate := func(s Site) string { return tidegateConfig("/d", "127.0.0.1:80", "/d/control.sock", s) }
	for _, c := range []struct {
		name, config string
		has, lacks   []string
	}{
		{"nginx", nginxConfig("/d", "127.0.0.1:80", site), []string{
			"worker_processes 1;", "access_log off;", "listen 127.0.0.1:80 backlog", "keepalive 128;", "proxy_http_version 1.1;",
			`proxy_set_header Connection "";`, "X-Forwarded-For", "X-Forwarded-Proto", "X-Forwarded-Port", "X-Request-Id", "add_header x-amzn-RequestId",
			"location = /prod/small { proxy_pass http://backend/small; }", "location = /prod/mock { return 200 '" + SmallBody + "'; }",
			"location / { proxy_pass http://backend; }",
		}, []string{"/pets/", "ssl", "cache", "upgrade"}},
		{"nginx with a WebSocket", nginxConfig("/d", "127.0.0.1:80", passing), []string{
			"location = /prod/socket { proxy_pass http://backend/s; proxy_set_header Upgrade $http_upgrade;", `proxy_set_header Connection "upgrade";`, "proxy_read_timeout 1h;",
		}, nil},
		{"nginx with a cache", nginxConfig("/d", "127.0.0.1:80", cached(site)), []string{
			"proxy_cache_path /d/answers ", "keys_zone=answers:", "max_size=256m", "proxy_cache answers;", "proxy_cache_valid 200 1h;", "add_header X-Cache", "open_file_cache max=10000",
		}, []string{"sendfile"}},
		{"nginx with TLS", nginxConfig("/d", "127.0.0.1:80", secured(site)), []string{
			"listen 127.0.0.1:80 ssl", "ssl_protocols TLSv1.3;", "ssl_certificate /d/cert.pem;", "ssl_certificate_key /d/key.pem;",
		}, nil},
		{"nginx that denies", nginxConfig("/d", "127.0.0.1:80", denied(site, ByReturn)), []string{
			`location = /prod/denied { return 429 '{"message":"Too Many Requests"}'; }`, "location = /prod/mock { return 200 '",
		}, []string{"limit_req"}},
		{"nginx that limits", nginxConfig("/d", "127.0.0.1:80", denied(site, ByLimit)), []string{
			"limit_req_zone $binary_remote_addr zone=clients:10m rate=1r/s;", "limit_req_status 429;",
			"location = /prod/denied { limit_req zone=clients; stub_status; }", "location = /prod/mock { return 200 '",
		}, []string{"return 429"}},
		{"nginx with APIs that share paths", nginxConfig("/d", "127.0.0.1:80", Site{Backend: "b:1", APIs: []API{site.APIs[0], site.APIs[0]}}),
			[]string{"location / {"}, []string{"location ="}},
		{"backend", backendConfig("/d", "127.0.0.1:9000"), []string{
			"worker_processes 1;", "access_log off;", "listen 127.0.0.1:9000", "return 200 '" + SmallBody + "';", "return 200 $k2$k2$k2$k2$k2;",
			"location = /10k {", "location = /prod/10k {", "location /512 {", "location /prod/512 {", "location = /requests { stub_status; }",
		}, []string{"proxy_pass"}},
		{"varnish", varnishConfig(site), []string{`.host = "127.0.0.1"; .port = "9000";`, "beresp.ttl = 1h"}, []string{"vcl_recv"}},
		{"varnish's arguments", strings.Join(varnishArguments("/d", "127.0.0.1:80", "/d/default.vcl"), " "), []string{
			"varnishd -F -j none -n /d/varnish -f /d/default.vcl -a 127.0.0.1:80", "-s malloc,256m", "vsl_mask=-Begin,",
		}, []string{"thread_pool"}},
		{"haproxy", haproxyConfig("127.0.0.1:80", site), []string{
			"nbthread 1", "http-reuse always", "timeout tunnel 1h", "option forwardfor", "bind 127.0.0.1:80", "server one 127.0.0.1:9000",
		}, []string{"log "}},
		{"caddy", caddyConfig("127.0.0.1:80", site), []string{
			"http://:80 {", "bind 127.0.0.1", "reverse_proxy 127.0.0.1:9000", "keepalive_idle_conns_per_host 128", "admin off",
		}, []string{"log"}},
		{"tidegate", tidegate(site), []string{
			"workers: 1\n", "address: 127.0.0.1:80\n", "state_dir: /d/state\n", "control: {socket: /d/control.sock,", `name: "*"`, "{api: bench}", "connections: 18000",
			"throttle: {rate_limit: 10000000, burst_limit: 10000000}", "websocket: {connect_rate: 1048576}", "region: us-east-1\n",
		}, []string{"tls"}},
		{"tidegate with two loops", tidegate(passing), []string{"workers: 2\n"}, nil},
		{"tidegate with TLS", tidegate(secured(site)), []string{`tls: {min_version: "1.3", certificates: [{cert: /d/cert.pem, key: /d/key.pem}]}`}, nil},
	} {
		for _, want := range c.has {
			if !strings.Contains(c.config, want) {
				t.Errorf("%s lacks %q:\n%s", c.name, want, c.config)
			}
		}
		for _, odd := range c.lacks {
			if strings.Contains(c.config, odd) {
				t.Errorf("%s has %q:\n%s", c.name, odd, c.config)
			}
		}
	}
}

func TestBodySizes(t *testing.T) {
	if len(SmallBody) != 40 {
		t.Errorf("the small body has %d bytes", len(SmallBody))
	}
	_, rest, _ := strings.Cut(backendConfig("/d", "127.0.0.1:9000"), `set $k2 "`)
	if chunk, _, _ := strings.Cut(rest, `"`); 5*len(chunk) != 10<<10 {
		t.Errorf("a fifth of 10 KiB has %d bytes", len(chunk))
	}
	_, rest, _ = strings.Cut(backendConfig("/d", "127.0.0.1:9000"), `location /512 { return 200 "`)
	if body, _, _ := strings.Cut(rest, `"`); len(body) != 512 {
		t.Errorf("/512 has %d bytes", len(body))
	}
}

func TestDocument(t *testing.T) {
	var doc struct {
		OpenAPI string
		Info    struct{ Title string }
		Paths   map[string]map[string]struct {
			Parameters  []struct{ Name, In string }
			Integration struct {
				Type, URI, HTTPMethod string
				RequestParameters     map[string]string
				CacheKeyParameters    []string
			} `json:"x-amazon-apigateway-integration"`
		}
	}
	if err := json.Unmarshal(document(cached(site).APIs[0], site.Backend), &doc); err != nil {
		t.Fatal(err)
	}
	if doc.OpenAPI != "3.0.1" || doc.Info.Title != "bench" || len(doc.Paths) != 3 {
		t.Errorf("got %+v", doc)
	}
	if in := doc.Paths["/small"]["get"].Integration; in.Type != "http_proxy" || in.URI != "http://127.0.0.1:9000/small" || in.HTTPMethod != "GET" || in.RequestParameters != nil {
		t.Errorf("/small: %+v", in)
	}
	if in := doc.Paths["/mock"]["get"].Integration; in.Type != "mock" || in.URI != "" {
		t.Errorf("/mock: %+v", in)
	}
	pet := doc.Paths["/pets/{id}"]["get"]
	if pet.Integration.RequestParameters["integration.request.path.id"] != "method.request.path.id" {
		t.Errorf("/pets/{id}: parameters are not mapped: %+v", pet)
	}
	if got := pet.Integration.CacheKeyParameters; len(got) != 1 || got[0] != "method.request.path.id" {
		t.Errorf("/pets/{id}: entries of the cache are told apart by %q", got)
	}
	if in := doc.Paths["/small"]["get"].Integration; in.CacheKeyParameters != nil {
		t.Errorf("/small: entries of the cache are told apart by %q", in.CacheKeyParameters)
	}
	if strings.Contains(string(document(site.APIs[0], site.Backend)), "cache") {
		t.Error("an API without a cache has parameters for one")
	}
	if len(pet.Parameters) != 1 || pet.Parameters[0].Name != "id" || pet.Parameters[0].In != "path" {
		t.Errorf("/pets/{id}: parameters are not declared: %+v", pet)
	}
}

func TestDocumentWithWebSocket(t *testing.T) {
	if doc := string(document(passing.APIs[0], passing.Backend)); !strings.Contains(doc, `"uri":"ws://127.0.0.1:9000/s"`) {
		t.Errorf("got %s", doc)
	}
}

func TestDocumentWithKey(t *testing.T) {
	var doc struct {
		Security   []map[string][]string
		Components struct {
			SecuritySchemes map[string]struct{ Type, Name, In string }
		}
	}
	limited := site.APIs[0]
	limited.Key = "value"
	if err := json.Unmarshal(document(limited, site.Backend), &doc); err != nil {
		t.Fatal(err)
	}
	if s := doc.Components.SecuritySchemes["key"]; len(doc.Security) != 1 || doc.Security[0]["key"] == nil || s.Type != "apiKey" || s.Name != "x-api-key" || s.In != "header" {
		t.Errorf("got %+v", doc)
	}
}
