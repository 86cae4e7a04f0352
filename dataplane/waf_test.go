package dataplane

import (
	"bytes"
	"context"
	"encoding/binary"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/tidegate/tidegate/configs"
	"github.com/tidegate/tidegate/dataplane/control"
	"github.com/tidegate/tidegate/dataplane/definition"
)

// everywhere is a database of MaxMind's format (version 2.0) that has every address
// in one country: one node, whose records both lead to it.
func everywhere(country string) []byte {
	text := func(s string) []byte { return append([]byte{2<<5 | byte(len(s))}, s...) }
	number := func(kind, n, size int) []byte {
		var b [8]byte
		binary.BigEndian.PutUint64(b[:], uint64(n))
		if kind > 7 {
			return append([]byte{byte(size), byte(kind - 7)}, b[8-size:]...)
		}
		return append([]byte{byte(kind<<5 | size)}, b[8-size:]...)
	}
	var file []byte
	for range 2 {
		file = binary.BigEndian.AppendUint32(file, 1+16)
	}
	file = append(file, make([]byte, 16)...)
	file = bytes.Join([][]byte{file, {7<<5 | 1}, text("country"), {7<<5 | 1}, text("iso_code"), text(country)}, nil)
	file = append(file, "\xab\xcd\xefMaxMind.com"...)
	return bytes.Join([][]byte{file, {7<<5 | 9},
		text("binary_format_major_version"), number(5, 2, 2), text("binary_format_minor_version"), number(5, 0, 2),
		text("build_epoch"), number(9, 1, 8), text("database_type"), text("Test"), text("ip_version"), number(5, 6, 2),
		text("node_count"), number(6, 1, 4), text("record_size"), number(5, 32, 2),
		text("languages"), {0, 11 - 7}, text("description"), {7 << 5},
	}, nil)
}

// running makes a gateway with a mock at /prod/a of any host name.
func running(t *testing.T, edit func(*configs.Host)) (*Gateway, *configs.Host) {
	t.Helper()
	dir := t.TempDir()
	h := configs.Defaults()
	h.Workers, h.Admin.Address, h.Throttle.RateLimit = 1, "", 1e9
	h.StateDir, h.Control = filepath.Join(dir, "state"), configs.Control{Socket: filepath.Join(dir, "c.sock"), Mode: 0o600}
	h.Listeners = []configs.Listener{{Name: "public", Address: "127.0.0.1:0"}}
	h.Domains = []configs.Domain{{Name: "*", Mappings: []configs.Mapping{{API: "test"}}}}
	edit(h)
	g, err := New(h, Options{Logger: slog.New(slog.DiscardHandler), Stderr: io.Discard})
	if err == nil {
		t.Cleanup(func() { _ = g.Close() })
		err = g.Start()
	}
	if err != nil {
		t.Fatal(err)
	}
	mock := &definition.Method{HTTPMethod: "GET", Responses: map[string][]string{"200": nil}, Integration: &definition.Integration{Type: definition.IntegrationMock,
		RequestTemplates: map[string]string{"application/json": `{"statusCode": 200}`}, Responses: []*definition.IntegrationResponse{{StatusCode: "200"}}}}
	body := definition.NewBody("api1", []*definition.Resource{{ID: "r1", Path: "/a", Methods: map[string]*definition.Method{"GET": mock}}},
		definition.Settings{EndpointType: definition.EndpointRegional})
	change(t, g, definition.Change{
		PutAPIs:        []*definition.API{{ID: "api1", Name: "test", Body: body}},
		PutDeployments: []*definition.Deployment{{ID: "dep001", APIID: "api1", Number: 1, Body: body}},
		PutStages:      []*definition.Stage{{APIID: "api1", Name: "prod", DeploymentID: "dep001"}},
	})
	return g, h
}

func change(t *testing.T, g *Gateway, ch definition.Change) {
	t.Helper()
	if err := g.Update(context.Background(), func(*definition.Catalog) (definition.Change, error) { return ch, nil }); err != nil {
		t.Fatal(err)
	}
}

// protected has a web ACL with one rule that blocks.
func protected(statement string) definition.Change {
	return definition.Change{
		PutWebACLs: []*definition.WebACL{{ID: "1", Name: "shop", Document: `{"DefaultAction": {"Allow": {}}, "Rules": [{"Name": "one", "Priority": 0, "Action": {"Block": {}}, "Statement": ` + statement + `}]}`}},
		PutStages:  []*definition.Stage{{APIID: "api1", Name: "prod", DeploymentID: "dep001", WebACLID: "1"}},
	}
}

// status is that of a request to the mock.
func status(t *testing.T, g *Gateway, fields ...string) int {
	t.Helper()
	req, err := http.NewRequest("GET", "http://"+g.Status().Listeners[0].Address+"/prod/a", nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range fields {
		name, value, _ := strings.Cut(f, ": ")
		req.Header.Set(name, value)
	}
	resp, err := (&http.Client{Timeout: 10 * time.Second, Transport: &http.Transport{DisableKeepAlives: true, DialContext: new(net.Dialer).DialContext}}).Do(req)
	if err != nil {
		t.Fatal(err)
	}
	_ = resp.Body.Close()
	return resp.StatusCode
}

// TestPlaces: the database is read again when it changes and at a reload; what
// cannot be read leaves the old one in use.
func TestPlaces(t *testing.T) {
	file := filepath.Join(t.TempDir(), "places.mmdb")
	write := func(name string, database []byte) {
		t.Helper()
		if err := os.WriteFile(name, database, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write(file, everywhere("DE"))
	g, h := running(t, func(h *configs.Host) { h.WAF.GeoFile = file })
	change(t, g, protected(`{"GeoMatchStatement": {"CountryCodes": ["DE"]}}`))
	if got := status(t, g); got != 403 {
		t.Fatalf("from DE: %d", got)
	}
	write(file, []byte("no database"))
	write(file+".next", everywhere("FR"))
	time.Sleep(placesCheck + placesCheck/4)
	if got := status(t, g); got != 403 {
		t.Errorf("after a database that cannot be read: %d", got)
	}
	if err := os.Rename(file+".next", file); err != nil {
		t.Fatal(err)
	}
	for deadline := time.Now().Add(10 * time.Second); status(t, g) != 200; time.Sleep(50 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("the new database is not read")
		}
	}

	other := *h
	other.WAF.GeoFile = file + ".other"
	if err := g.Reload(&other); err == nil || !strings.Contains(err.Error(), "waf.geo_file") {
		t.Errorf("reload with a file that is not there: %v", err)
	}
	write(other.WAF.GeoFile, everywhere("DE"))
	if err := g.Reload(&other); err != nil || status(t, g) != 403 {
		t.Errorf("reload with another file: %v, %d", err, status(t, g))
	}
	none := *h
	none.WAF.GeoFile = ""
	if err := g.Reload(&none); err == nil || !strings.Contains(err.Error(), `web ACL "shop": Rules[0].Statement.GeoMatchStatement`) || status(t, g) != 403 {
		t.Errorf("reload without a file: %v", err)
	}
	slower := other
	slower.WAF.Timeout *= 2
	if err := g.Reload(&slower); err == nil || !strings.Contains(err.Error(), "waf has changed, which takes a restart") {
		t.Errorf("reload with another time limit: %v", err)
	}
}

// TestTrustedProxiesAreBelieved from when the host file says so.
func TestTrustedProxiesAreBelieved(t *testing.T) {
	g, h := running(t, func(*configs.Host) {})
	ch := protected(`{"IPSetReferenceStatement": {"ARN": "bad", "IPSetForwardedIPConfig": {"HeaderName": "X-Forwarded-For", "FallbackBehavior": "NO_MATCH", "Position": "FIRST"}}}`)
	ch.PutIPSets = []*definition.IPSet{ipSetOf(t, "bad", false, "192.0.2.0/24")}
	change(t, g, ch)
	if got := status(t, g, "X-Forwarded-For: 192.0.2.7"); got != 200 {
		t.Errorf("from one who is not trusted: %d", got)
	}
	next := *h
	next.TrustedProxies = []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}
	if err := g.Reload(&next); err != nil {
		t.Fatal(err)
	}
	for forwarded, want := range map[string]int{"192.0.2.7": 403, "198.51.100.7": 200, "192.0.2.7, 198.51.100.7": 200, "192.0.2.7, 127.0.0.1": 403} {
		if got := status(t, g, "X-Forwarded-For: "+forwarded); got != want {
			t.Errorf("%s: %d, want %d", forwarded, got, want)
		}
	}
}

func ipSetOf(t *testing.T, id string, kernelGate bool, prefixes ...string) *definition.IPSet {
	t.Helper()
	var list []netip.Prefix
	for _, p := range prefixes {
		list = append(list, netip.MustParsePrefix(p))
	}
	addresses, err := definition.NewPrefixes(list)
	if err != nil {
		t.Fatal(err)
	}
	return &definition.IPSet{ID: id, Name: "name-" + id, IPAddressVersion: definition.IPv4, KernelGate: kernelGate, Addresses: addresses}
}

// TestIPSetsThatKeepOut are denied at accept like the host file's lists, from when
// they are put until they are changed, but for what is never shut out.
func TestIPSetsThatKeepOut(t *testing.T) {
	g, h := running(t, func(h *configs.Host) {
		h.KernelGate.Deny = []netip.Prefix{netip.MustParsePrefix("203.0.113.0/24")}
		h.TrustedProxies = []netip.Prefix{netip.MustParsePrefix("10.1.0.0/16")}
	})
	check := func(what string, denied ...string) {
		t.Helper()
		for _, addr := range []string{"192.0.2.1", "198.51.100.1", "10.1.2.3", "10.2.0.1", "203.0.113.1"} {
			want := addr == "203.0.113.1"
			for _, d := range denied {
				want = want || d == addr
			}
			if g.denied(netip.MustParseAddr(addr)) != want {
				t.Errorf("%s: %s: denied %v", what, addr, !want)
			}
		}
	}
	lists := func() (all []string) {
		entries, err := g.Gate().Entries()
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range entries {
			if e.Kind == control.GateList {
				all = append(all, fmt.Sprintf("%d %s", e.Networks, e.Reason))
			}
		}
		return all
	}
	check("none")
	change(t, g, definition.Change{PutIPSets: []*definition.IPSet{ipSetOf(t, "a", true, "192.0.2.0/24", "10.1.2.0/24"), ipSetOf(t, "b", false, "198.51.100.0/24")}})
	check("put", "192.0.2.1")
	if got := fmt.Sprint(lists()); got != "[1 host file 1 IP set name-a]" || g.Gate().Status().Listed != 2 {
		t.Errorf("lists %s, %d networks", got, g.Gate().Status().Listed)
	}
	change(t, g, definition.Change{PutIPSets: []*definition.IPSet{ipSetOf(t, "a", false, "192.0.2.0/24"), ipSetOf(t, "b", true, "198.51.100.0/24", "10.0.0.0/8")}})
	check("changed", "198.51.100.1", "10.2.0.1")
	next := *h
	next.TrustedProxies = nil
	if err := g.Reload(&next); err != nil {
		t.Fatal(err)
	}
	check("without trusted proxies", "198.51.100.1", "10.2.0.1", "10.1.2.3")
	change(t, g, definition.Change{DeleteIPSets: []string{"b"}})
	check("deleted")
}
