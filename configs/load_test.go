package configs

import (
	"errors"
	"flag"
	"net/netip"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/tidegate/tidegate/internal/testpki"
)

var update = flag.Bool("update", false, "rewrite the golden error files")

func TestLoadFillsEveryField(t *testing.T) {
	got, err := Load("testdata/full.yaml")
	if err != nil {
		t.Fatal(err)
	}
	dir, err := filepath.Abs("testdata")
	if err != nil {
		t.Fatal(err)
	}
	want := &Host{
		Region:        "eu-central-1",
		AccountID:     "000000012345",
		GatewayDomain: "api.example.com",
		StateDir:      dir + "/state",
		Workers:       4,
		Listeners: []Listener{
			{Name: "public", Address: "[::]:443", TLS: &TLS{MinVersion: "1.3", Certificates: []Certificate{
				{Cert: dir + "/a.pem", Key: dir + "/a.key"},
				{Cert: "/etc/b.pem", Key: "/etc/b.key"},
			}}, Refusal: "drop"},
			{Name: "local", Address: "unix:" + dir + "/run/http.sock"},
			{Name: "inside", Address: ":443", Interfaces: []string{"eth1", "wg0"}, Endpoint: "vpce-inside", Refusal: "drop"},
		},
		TrustedProxies: []netip.Prefix{netip.MustParsePrefix("192.0.2.0/24"), netip.MustParsePrefix("2001:db8::1/128")},
		KernelGate: KernelGate{
			Interfaces: []string{"eth0"}, PinDir: "/sys/fs/bpf/other", AtStop: "close",
			Never: []netip.Prefix{netip.MustParsePrefix("198.51.100.0/24")}, Deny: []netip.Prefix{netip.MustParsePrefix("203.0.113.0/24")},
			DenyFiles: []string{dir + "/deny.txt", "/etc/deny.txt"}, MaxPrefixes: 1000, MaxSentences: 2000,
			Sentences: Sentences{Window: time.Second, Denials: 5, First: 2 * time.Second, Longest: time.Minute},
		},
		Control: Control{Socket: dir + "/run/control.sock", Mode: 0o600, Group: "ops", ReadGroup: "staff"},
		Domains: []Domain{
			{Name: "shop.example.com", Mappings: []Mapping{{BasePath: "orders", API: "orders", Stage: "prod"}, {API: "front"}},
				MutualTLS: &MutualTLS{Truststore: dir + "/clients.pem", CRLs: []string{dir + "/a.crl", "/etc/b.crl"}}},
			{Name: "*", Mappings: []Mapping{{API: "fallback"}}},
		},
		Tokens: Tokens{AllowHTTP: true, AllowPrivate: true, CAFile: dir + "/issuers.pem",
			Issuers:   []Issuer{{Issuer: "https://a.example.com", JWKSURI: "http://127.0.0.1/keys"}},
			UserPools: []UserPool{{Pool: "eu-central-1_a1", Issuer: "http://b.example.com", JWKSURI: "http://127.0.0.2/keys"}}},
		Lambda: Lambda{Endpoint: "http://127.0.0.1:4566",
			Functions: []Function{{Name: "guard", URL: "http://127.0.0.1:9000/2015-03-31/functions/function/invocations"}}},
		Authorizers: Authorizers{Timeout: 3 * time.Second, MaxCalls: 7, MaxWaiting: 70},
		WAF:         WAF{Concurrency: 3, Queue: 100, Timeout: 2 * time.Second, RateKeys: 5000, GeoFile: dir + "/places.mmdb"},
		WebSocket: WebSocket{Connections: 500, ConnectRate: 50, MessageBytes: 65536, FrameBytes: 4096, InFlight: 3, QueueMessages: 5, QueueBytes: 70000,
			BufferBytes: 16 << 20, Idle: time.Minute, Life: time.Hour, Ping: 5 * time.Second},
		Throttle: Throttle{RateLimit: 2500.5, BurstLimit: 100, MethodBuckets: 5000},
		Cache:    Cache{StageBytes: 64 << 20, SaveDir: dir + "/caches"},
		Limits: Limits{
			HeaderBytes: 10240, HeaderCount: 50, URLBytes: 8192, BodyBytes: 1 << 20, ResponseBytes: 2 << 20,
			IntegrationTimeout: time.Minute, Connections: 1000, ConnectionsPerSource: 20, ReservedDescriptors: 30, InFlight: 400, ConnectionBufferBytes: 65536, BufferBytes: 16 << 20,
		},
		Overload: Overload{
			MemoryBytes: 512 << 20, Memory: Shares{0.5, 0.6}, Delay: Delays{10 * time.Millisecond, time.Second},
			Descriptors: Shares{0.1, 1}, InFlight: Shares{0.7, 0},
		},
		Timeouts: Timeouts{
			FirstByte: time.Second, Header: 2 * time.Second, Idle: 3 * time.Second, Send: 4 * time.Second,
			Drain: 5 * time.Second, TLSHandshake: 6 * time.Second, BodyMinRate: 1,
		},
		Upstream: Upstream{
			ConnectTimeout: time.Second, IdleTimeout: 2 * time.Second, MaxConnections: 3, DNSRefresh: 4 * time.Second, CAFile: dir + "/ca.pem",
			MaxInFlight: 5, MaxWaiting: 6, MaxBufferedBytes: 65536, FailureStatuses: []int{500, 503}, RetryPercent: 7,
			Outliers: Outliers{
				Failures: 8, FailurePercent: 9, MinRequests: 10, Window: 11 * time.Second,
				Ejection: 12 * time.Second, MaxEjection: 13 * time.Second, MaxPercent: 14,
			},
			Breaker: Breaker{FailurePercent: 15, MinRequests: 16, SingleTargets: true, Open: 17 * time.Second, MaxOpen: 18 * time.Second},
		},
		AccessLog: AccessLog{Path: dir + "/access.log", Context: []string{"authorizer.claims.email", "authorizer.tenant"}},
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got  %+v\nwant %+v", got, want)
	}
}

func TestLoadDefaults(t *testing.T) {
	for name, text := range map[string]string{
		"empty file":        "",
		"comment only":      "# nothing\n",
		"null":              "null\n",
		"keys without text": "region:\nlisteners:\nlimits:\n",
	} {
		t.Run(name, func(t *testing.T) {
			got, err := Parse("host.yaml", "/", []byte(text))
			if err != nil {
				t.Fatal(err)
			}
			if want := Defaults(); !reflect.DeepEqual(got, want) {
				t.Errorf("got %+v, want %+v", got, want)
			}
		})
	}
}

func TestLoadTLSMinVersionDefault(t *testing.T) {
	got, err := Parse("host.yaml", "/", []byte("listeners: [{name: a, address: ':443', tls: {certificates: [{cert: c, key: k}]}}]"))
	if err != nil {
		t.Fatal(err)
	}
	if v := got.Listeners[0].TLS.MinVersion; v != "1.2" {
		t.Errorf("min_version = %q, want 1.2", v)
	}
}

// TestLoadBusted compares the errors of every busted_*.yaml with the text
// beside it. Run with -update after a change of wording.
func TestLoadBusted(t *testing.T) {
	files, err := filepath.Glob("testdata/busted_*.yaml")
	if err != nil || len(files) == 0 {
		t.Fatal("no busted files", err)
	}
	for _, file := range files {
		t.Run(filepath.Base(file), func(t *testing.T) {
			_, err := Load(file)
			if !errors.As(err, new(Errors)) {
				t.Fatalf("error is %T (%v), want Errors", err, err)
			}
			golden := strings.TrimSuffix(file, ".yaml") + ".txt"
			got := err.Error() + "\n"
			if *update {
				if err := os.WriteFile(golden, []byte(got), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(golden)
			if err != nil {
				t.Fatal(err)
			}
			if got != string(want) {
				t.Errorf("got\n%swant\n%s", got, want)
			}
		})
	}
}

func TestLoadUnreadable(t *testing.T) {
	if _, err := Load(filepath.Join(t.TempDir(), "none.yaml")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("missing file: %v", err)
	}
	big := strings.Repeat("#", maxFileBytes+1)
	if _, err := Parse("big.yaml", "/", []byte(big)); err == nil || !strings.Contains(err.Error(), "larger than") {
		t.Errorf("large file: %v", err)
	}
}

func TestNearest(t *testing.T) {
	known := []string{"header_bytes", "header_count", "url_bytes"}
	for key, want := range map[string]string{
		"header_byte": "header_bytes", "headercount": "header_count", "url_byte": "url_bytes",
		"zebra": "", "": "", strings.Repeat("x", 100): "",
	} {
		if got := nearest(key, known); got != want {
			t.Errorf("nearest(%q) = %q, want %q", key, got, want)
		}
	}
}

func TestCheckFiles(t *testing.T) {
	h := Defaults()
	if err := h.CheckFiles(); err != nil {
		t.Errorf("no files named: %v", err)
	}
	h.Upstream.CAFile = "load.go"
	if err := h.CheckFiles(); err == nil {
		t.Error("a Go file passed as ca_file")
	}
	h.Upstream.CAFile, h.WAF.GeoFile = "", "none.mmdb"
	if err := h.CheckFiles(); err == nil || !strings.Contains(err.Error(), "waf.geo_file: open none.mmdb") {
		t.Errorf("missing database of places: %v", err)
	}
	h.Listeners[0].TLS = &TLS{Certificates: []Certificate{{Cert: "none.pem", Key: "none.key"}}}
	if err := h.CheckFiles(); err == nil || !strings.Contains(err.Error(), `listener "public": certificate none.pem`) {
		t.Errorf("missing certificate: %v", err)
	}
}

func TestTruststores(t *testing.T) {
	dir := t.TempDir()
	root := testpki.NewCA(t, "root")
	at := func(name string) string { return filepath.Join(dir, name) }
	testpki.WriteFile(t, at("clients.pem"), testpki.PEM(root.Cert))
	testpki.WriteFile(t, at("good.crl"), root.CRL(t, time.Now().Add(time.Hour)))
	testpki.WriteFile(t, at("bad.crl"), testpki.NewCA(t, "other").CRL(t, time.Now().Add(time.Hour)))
	for _, c := range []struct{ store, crl, want string }{
		{"clients.pem", "good.crl", ""},
		{"none.pem", "good.crl", `domain "a.example": mutual_tls: trust store: open ` + at("none.pem")},
		{"clients.pem", "bad.crl", `domain "a.example": mutual_tls: bad.crl:1: the list of`},
	} {
		h := Defaults()
		h.Domains = []Domain{{Name: "a.example", MutualTLS: &MutualTLS{Truststore: at(c.store), CRLs: []string{at(c.crl)}}}, {Name: "b.example"}}
		stores, err := h.Truststores()
		if c.want == "" && (err != nil || len(stores) != 1 || stores["a.example"] == nil || h.CheckFiles() != nil) {
			t.Errorf("%+v: %v, %v", c, stores, err)
		}
		if c.want != "" && (err == nil || !strings.HasPrefix(err.Error(), c.want) || h.CheckFiles() == nil) {
			t.Errorf("%+v: %v", c, err)
		}
	}
}

func TestEndpointID(t *testing.T) {
	text := "listeners: [{name: inside, address: ':443', interfaces: [eth1]}, {name: other, address: ':444', interfaces: [eth1]}]"
	got, err := Parse("host.yaml", "/", []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	// Policies name it, so it is not to change.
	if id := got.Listeners[0].Endpoint; id != "vpce-8603f825ba569c04f" || got.Listeners[1].Endpoint == id {
		t.Errorf("endpoint %q, the other %q", id, got.Listeners[1].Endpoint)
	}
	if at := got.Listeners[0].AddrPort(); at != netip.MustParseAddrPort("[::]:443") {
		t.Errorf("address %s", at)
	}
}

func TestRefusalInForce(t *testing.T) {
	for _, c := range []struct {
		l    Listener
		want string
	}{
		{Listener{}, "respond"}, {Listener{TLS: &TLS{}}, "reset"}, {Listener{Refusal: "respond", TLS: &TLS{}}, "reset"},
		{Listener{Refusal: "drop", TLS: &TLS{}}, "drop"}, {Listener{Refusal: "reset"}, "reset"},
	} {
		if got := c.l.RefusalInForce(); got != c.want {
			t.Errorf("%+v: %s, want %s", c.l, got, c.want)
		}
	}
}

func TestDenyList(t *testing.T) {
	h := Defaults()
	h.TrustedProxies = []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8")}
	h.KernelGate.Deny = []netip.Prefix{netip.MustParsePrefix("192.0.2.0/24")}
	file := filepath.Join(t.TempDir(), "deny.txt")
	h.KernelGate.DenyFiles = []string{file}
	if _, _, err := h.DenyList(); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("a file that is not there: %v", err)
	}
	if err := os.WriteFile(file, []byte("10.1.0.0/16 # a proxy\n2001:db8::/32\n198.51.100.7\n198.51.100.9\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	list, spared, err := h.DenyList()
	if err != nil || spared != 1 || len(list) != 4 || list[1] != netip.MustParsePrefix("2001:db8::/32") {
		t.Errorf("%v, %d spared, %v", list, spared, err)
	}
	for most, want := range map[int]string{2: "hold 3 networks of one IP version, more than 2", 1: "deny.txt:3: more networks than there may be"} {
		h.KernelGate.MaxPrefixes = most
		if _, _, err := h.DenyList(); err == nil || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), "raise kernel_gate.max_prefixes") {
			t.Errorf("at most %d: %v, want %s", most, err, want)
		}
	}
}
