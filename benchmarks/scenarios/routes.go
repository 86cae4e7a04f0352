package scenarios

import (
	"context"
	"fmt"
	"math/rand/v2"
	"strings"

	"github.com/tidegate/tidegate/benchmarks/load"
	"github.com/tidegate/tidegate/benchmarks/report"
	"github.com/tidegate/tidegate/benchmarks/rivals"
)

// spread is how many different requests the client has prepared, for the large
// set of routes and the small one alike, so that it costs the same.
const spread = 10_000

// routes compares large and small sets, once of proxied routes and once of mocks:
// the latter show what finding a route costs by itself.
func routes(ctx context.Context, b *bench) ([]report.Figure, error) {
	const small, largeMocks, smallMocks = "small", "large-mocks", "small-mocks"
	var turns []turn
	for _, set := range []struct {
		name         string
		apis, routes int
		mocks        bool
	}{{b.tidegate.Name, 100, 100, false}, {small, 1, 10, false}, {largeMocks, 100, 100, true}, {smallMocks, 1, 10, true}} {
		site := routeSet(b.backend.Address(), set.apis, set.routes, set.mocks)
		srv, err := b.start(ctx, b.tidegate.As(set.name), site, concrete(site.APIs[0].Routes[0].Path, "1"))
		if err != nil {
			return nil, err
		}
		turns = append(turns, turn{srv.Name, srv, load.Wrk{URL: srv.URL, Lua: randomRequests(srv.Hosts, site.APIs)}})
	}
	if err := b.compareCPU(ctx, turns); err != nil {
		return nil, err
	}
	proxied, err := report.Ratio("cpu_vs_small", b.samples, cpuMeasure, b.tidegate.Name, small)
	if err != nil {
		return nil, err
	}
	mocks, err := report.Ratio("cpu_vs_small_mock", b.samples, cpuMeasure, largeMocks, smallMocks)
	return []report.Figure{proxied, mocks}, err
}

// routeSet makes APIs whose routes are a quarter each of four shapes.
func routeSet(backend string, apis, perAPI int, mocks bool) rivals.Site {
	site := rivals.Site{Backend: backend}
	for a := range apis {
		api := rivals.API{Name: fmt.Sprintf("bench-%03d", a)}
		for r := range perAPI {
			path := fmt.Sprintf("/res%02d", r/4) + [...]string{"", "/{id}", "/{id}/items", "/{id}/items/{item}"}[r%4]
			route := rivals.Route{Method: "GET", Path: path, Target: path}
			if mocks {
				route.Target = ""
			}
			api.Routes = append(api.Routes, route)
		}
		site.APIs = append(site.APIs, api)
	}
	return site
}

// concrete returns the path of a request to a route: the stage, and a value
// for its parameters.
func concrete(path, value string) string {
	return "/" + rivals.Stage + strings.NewReplacer("{id}", value, "{item}", value).Replace(path)
}

// randomRequests is the Lua that sends prepared requests in random order, by
// the host name of each API. Request i has the same parameter values for any
// set of routes.
func randomRequests(hosts []string, apis []rivals.API) string {
	random := rand.New(rand.NewPCG(1, 2))
	var lua strings.Builder
	lua.WriteString("local list = [[\n")
	for i := range spread {
		api := i % len(apis)
		rs := apis[api].Routes
		path := concrete(rs[i/len(apis)%len(rs)].Path, fmt.Sprintf("%06d", random.IntN(1_000_000)))
		fmt.Fprintf(&lua, "%s %s\n", hosts[api], path)
	}
	lua.WriteString(`]]
local requests = {}
init = function(args)
  for host, path in list:gmatch("(%S+) (%S+)\n") do
    requests[#requests + 1] = wrk.format("GET", path, {["Host"] = host})
  end
end
request = function() return requests[math.random(#requests)] end
`)
	return lua.String()
}
