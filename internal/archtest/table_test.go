package archtest

// imports says which packages of this module a package may import. Imports go
// downward, never sideways. A package without a row is an error, and so is a
// row without a package.
var imports = map[string][]string{
	// Leaves import nothing of ours.
	"configs":              {"prefixlist"}, // a leaf too: lists of networks are read the same everywhere
	"dataplane/definition": {},
	"dataplane/http1":      {},
	"dataplane/loop":       {},
	"dataplane/telemetry":  {},

	"bpf/gate":               {},
	"bpf/steer":              {},
	"dataplane/auth/policy":  {},
	"dataplane/auth/verdict": {},
	"prefixlist":             {},
	"dataplane/waf/crs":      {},
	"dataplane/waf/text":     {},
	"dataplane/waf/window":   {},

	// Control path.
	"dataplane/openapi": {"dataplane/definition"},
	"dataplane/state":   {"dataplane/definition"},
	"dataplane/control": {"dataplane/auth/iam", "dataplane/auth/policy", "dataplane/definition", "dataplane/openapi", "prefixlist"},

	// Steps of a request, which never import one another.
	"dataplane/route":                {"dataplane/definition"},
	"dataplane/front":                {"dataplane/http1", "dataplane/loop"},
	"dataplane/throttle":             {"dataplane/definition", "limiter"},
	"dataplane/cache":                {"cachestore", "dataplane/cache/rfc9111", "dataplane/definition", "dataplane/http1"},
	"dataplane/cache/rfc9111":        {"dataplane/http1"},
	"dataplane/auth/sigv4":           {"dataplane/http1"},
	"dataplane/auth":                 {"dataplane/auth/authorizer", "dataplane/auth/iam", "dataplane/auth/jwt", "dataplane/auth/policy", "dataplane/definition"},
	"dataplane/auth/iam":             {"dataplane/auth/policy", "dataplane/auth/sigv4", "dataplane/definition"},
	"dataplane/auth/jwt":             {"dataplane/auth/verdict", "dataplane/definition"},
	"dataplane/auth/authorizer":      {"dataplane/auth/policy", "dataplane/auth/verdict", "dataplane/definition"},
	"dataplane/sentence":             {"dataplane/telemetry"},
	"dataplane/usage":                {"dataplane/definition", "limiter"},
	"dataplane/waf":                  {"dataplane/definition", "dataplane/http1", "dataplane/waf/crs", "dataplane/waf/text", "dataplane/waf/window"},
	"dataplane/integration/upstream": {"dataplane/http1", "dataplane/loop"},
	"dataplane/integration/mock":     {"dataplane/definition"},
	"dataplane/integration/lambda":   {},
	"dataplane/integration/proxy":    {"dataplane/definition", "dataplane/http1"},

	// What joins the steps.
	"dataplane/deploy": {
		"dataplane/auth", "dataplane/auth/authorizer", "dataplane/auth/jwt", "dataplane/cache", "dataplane/definition", "dataplane/http1", "dataplane/route", "dataplane/telemetry", "dataplane/throttle", "dataplane/usage", "dataplane/waf",
		"dataplane/integration/lambda", "dataplane/integration/mock", "dataplane/integration/proxy", "dataplane/integration/upstream",
	},
	"dataplane/pipeline": {
		"dataplane/auth", "dataplane/auth/authorizer", "dataplane/auth/iam", "dataplane/auth/jwt", "dataplane/auth/policy", "dataplane/auth/sigv4",
		"cachestore", "dataplane/cache", "dataplane/cache/rfc9111", "dataplane/definition", "dataplane/deploy", "dataplane/front", "dataplane/http1", "dataplane/loop", "dataplane/route",
		"dataplane/telemetry", "dataplane/throttle", "dataplane/usage", "dataplane/waf", "limiter",
		"dataplane/integration/lambda", "dataplane/integration/mock", "dataplane/integration/proxy", "dataplane/integration/upstream",
	},
	"dataplane": {
		"bpf/gate", "bpf/steer", "configs", "dataplane/auth", "dataplane/auth/authorizer", "dataplane/auth/iam", "dataplane/auth/jwt", "dataplane/auth/sigv4", "dataplane/integration/lambda", "dataplane/cache", "dataplane/control", "dataplane/definition", "dataplane/deploy", "dataplane/front",
		"dataplane/http1", "dataplane/integration/mock", "dataplane/integration/proxy",
		"dataplane/integration/upstream", "dataplane/loop", "dataplane/openapi", "dataplane/pipeline", "dataplane/route", "dataplane/state", "dataplane/telemetry",
		"dataplane/sentence", "dataplane/throttle", "dataplane/usage", "dataplane/waf", "prefixlist",
	},

	// The binary. Its offline subcommands parse documents as the daemon does.
	"cmd/tidegate": {"configs", "dataplane", "dataplane/control", "dataplane/definition", "dataplane/openapi", "prefixlist"},

	// Programs and tests beside the product.
	"configs/gendocs":                     {"configs"},
	"configs/examples/quickstart/backend": {},
	"internal/archtest":                   {},
	"internal/need":                       {},
	"limiter":                             {},
	"cachestore":                          {},
	"internal/testnet":                    {"internal/need"},
	"internal/corpus":                     {},
	"internal/gatetest":                   {"configs", "dataplane", "dataplane/control"},
}

// walls says which packages may import a third-party library. The key is an
// import path or the start of one.
var walls = map[string][]string{
	"github.com/cloudwego/netpoll": {"dataplane/loop"},
	"go.etcd.io/bbolt":             {"dataplane/state"},
	"github.com/VictoriaMetrics":   {"cachestore"},
	"github.com/aws":               {"dataplane/integration/lambda"},
	"github.com/cilium/ebpf":       {"bpf/gate", "bpf/steer"},
	"github.com/golang-jwt/jwt":    {"dataplane/auth/jwt"},
	"github.com/corazawaf":         {"dataplane/waf/crs"},
	"github.com/gaissmai/bart":     {"dataplane/waf"},
	"github.com/oschwald":          {"dataplane/waf"},
	"github.com/dchest/siphash":    {"dataplane/state", "dataplane/usage"},
	"go.yaml.in/yaml":              {"configs", "dataplane/openapi"},
	"gopkg.in/yaml":                {},
	"sigs.k8s.io/yaml":             {},
}
