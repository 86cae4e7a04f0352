package rivals

import (
	"context"
	"net/http"
	"strings"
	"testing"

	"github.com/tidegate/tidegate/benchmarks/network"
	"github.com/tidegate/tidegate/internal/need"
)

// A server on a host of its own is reached from there and from linked hosts, and
// refuses what it is to refuse.
func TestServerOnAHost(t *testing.T) {
	need.Root(t)
	need.Tool(t, "ip")
	need.Tool(t, "nginx")
	var hosts [2]*network.Host
	for i := range hosts {
		h, err := network.New(network.AnyCPU)
		if err != nil {
			t.Fatal(err)
		}
		defer h.Close()
		hosts[i] = h
	}
	_, end, err := network.Connect(hosts[0], hosts[1], 1)
	if err != nil {
		t.Fatal(err)
	}
	for _, d := range []Denial{ByReturn, ByLimit} {
		site := denied(site, d)
		site.On = &end
		srv, err := Nginx.Start(context.Background(), t.TempDir(), site, "/prod/mock")
		if err != nil {
			t.Fatal(err)
		}
		if !strings.HasPrefix(srv.Address(), end.Address.String()+":") {
			t.Errorf("it listens on %s", srv.Address())
		}
		if pids, err := srv.PIDs(); err != nil || len(pids) != 2 {
			t.Errorf("processes %v, %v; want a master and a worker", pids, err)
		}
		client := &http.Client{Transport: &http.Transport{DialContext: hosts[0].Dial}}
		refused := 0
		for range 4 {
			resp, err := client.Get(srv.URL + "/prod/denied")
			if err != nil {
				t.Fatal(err)
			}
			resp.Body.Close()
			if resp.StatusCode == http.StatusTooManyRequests {
				refused++
			}
		}
		if refused < 3 {
			t.Errorf("denial %d: %d of 4 requests were refused", d, refused)
		}
		client.CloseIdleConnections()
		srv.Stop()
	}
}
