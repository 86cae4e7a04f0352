package scenarios

import "time"

// all are the scenarios, in the order in which they run.
var all = []Scenario{
	{
		Name:    "proxy",
		About:   "GET of a 40-byte answer through each gateway over 64 kept-alive connections, as fast as they go; the ratios are of CPU time per request.",
		Needs:   []string{"haproxy", "caddy"},
		Measure: cpuMeasure,
		AtMost:  map[string]float64{"cpu_vs_nginx": 1.0, "cpu_vs_haproxy": 1.0, "cpu_vs_caddy": 0.4},
		Rounds:  5, Window: 2 * time.Second, run: proxy,
	},
	{
		Name:    "proxy-10k",
		About:   "As proxy, with an answer of 10 KiB.",
		Measure: cpuMeasure,
		AtMost:  map[string]float64{"cpu_vs_nginx": 1.1},
		Rounds:  8, Window: 2 * time.Second, run: proxy10k,
	},
	{
		Name:    "proxy-post",
		About:   "As proxy, with a POST of 1 KiB.",
		Measure: cpuMeasure,
		AtMost:  map[string]float64{"cpu_vs_nginx": 1.1},
		Rounds:  8, Window: 2 * time.Second, run: proxyPost,
	},
	{
		Name:    "proxy-tls",
		About:   "As proxy, with TLS 1.3 (ECDSA P-256, AES-128-GCM) between client and gateway.",
		Measure: cpuMeasure,
		AtMost:  map[string]float64{"cpu_vs_nginx": 1.3},
		Rounds:  8, Window: 2 * time.Second, run: proxyTLS,
	},
	{
		Name:    "mock",
		About:   "GET answered by the gateway itself, by a mock integration against nginx's return directive, over 64 kept-alive connections.",
		Measure: cpuMeasure,
		AtMost:  map[string]float64{"cpu_vs_nginx_return": 1.0},
		Rounds:  8, Window: 2 * time.Second, run: mock,
	},
	{
		Name:    "latency",
		About:   "GET of a 40-byte answer at a constant rate, half of the most nginx carries here; latency counts from when a request was due.",
		Measure: "p99_us",
		AtMost:  map[string]float64{"p99_vs_nginx": 1.2},
		Rounds:  30, Window: time.Second / 2, run: latency,
	},
	{
		Name:    "routes",
		About:   "Requests spread at random over 10,000 routes of 100 APIs, against the same over 10 routes of one API, all Tidegate; proxied, and mocks.",
		Measure: cpuMeasure,
		AtMost:  map[string]float64{"cpu_vs_small": 1.05},
		Rounds:  10, Window: time.Second, run: routes,
	},
	{
		Name:    "plan",
		About:   "GET of a 40-byte answer through one Tidegate over 64 kept-alive connections: of an API with a key, a usage plan with throttle and quota, and limits of its stage and method, against the same API without any; the ratios are of CPU time per request.",
		Measure: cpuMeasure,
		AtMost:  map[string]float64{"cpu_vs_bare": 1.05},
		Rounds:  14, Window: time.Second, run: plan,
	},
	{
		Name:    "deploy",
		About:   "Under 2,000 requests per second, the time from asking for a new revision of 10,000 routes until a new connection is answered from it: CreateDeployment against nginx -s reload; failed counts Tidegate's failed requests of all rounds.",
		Measure: "swap_ms",
		AtMost:  map[string]float64{"swap_vs_nginx_reload": 0.5, "failed": 0},
		Rounds:  10, Window: time.Second, run: deploy,
	},
	{
		Name:    "idle",
		About:   "Growth of user memory by 15,000 kept-alive connections that have completed one proxied request each and then rest.",
		Measure: "bytes_per_conn",
		AtMost:  map[string]float64{"bytes_per_conn": 2048},
		Rounds:  2, Window: 8 * time.Second, run: idle,
	},
	{
		Name:      "limiter",
		About:     "Tidegate's package limiter against rate limiters in Go, called in a loop in one process: a spend without contention, a whole decision (account, stage, method, key, quota), one limit hit from two cores, how exactly a limit is kept and used under 4 × overload, and 1,000,000 API keys in plans against a Go map.",
		Measure:   spendMeasure,
		InProcess: true,
		AtMost: map[string]float64{
			"vs_xtime": 0.25, "decision_vs_xtime": 1.5, "spend_allocs": 0, "decision_allocs": 0, "accuracy_over": 1,
			"lookup_vs_map": 1.5, "find_allocs": 0, "keys_bytes": 200, "keys_scanned_bytes": 1,
		},
		AtLeast: map[string]float64{"scaling_2_cores": 1.8, "accuracy_used": 0.99},
		Rounds:  16, Window: time.Second / 10, run: limiter,
	},
}
