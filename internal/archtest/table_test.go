package archtest

// imports says which packages of this module a package may import. Imports go
// downward, never sideways. A package without a row is an error, and so is a
// row without a package.
var imports = map[string][]string{
	// Leaves import nothing of ours.
	"configs":              {"configs/prefixlist", "configs/truststore"}, // leaves too: what these files hold is read the same everywhere
	"dataplane/definition": {},
	"dataplane/http1":      {},
	"dataplane/jsonpath":   {},
	"dataplane/loop":       {},
	"dataplane/seccomp":    {},
	"dataplane/overload":   {},
	"dataplane/telemetry":  {},

	"bpf/gate":               {},
	"bpf/steer":              {},
	"dataplane/auth/policy":  {},
	"dataplane/auth/verdict": {},
	"dataplane/document":     {},
	"dataplane/expression":   {},
	"configs/prefixlist":     {},
	"dataplane/waf/crs":      {},
	"dataplane/waf/text":     {},
	"dataplane/waf/window":   {},
	"configs/truststore":     {},

	"dataplane/integration/upstream/health": {},

	// Control path.
	"dataplane/openapi":      {"dataplane/definition", "dataplane/document", "dataplane/expression"},
	"dataplane/websocketapi": {"dataplane/definition", "dataplane/document", "dataplane/expression", "dataplane/template"},
	"dataplane/state":        {"dataplane/definition"},
	"dataplane/control":      {"dataplane/auth/iam", "dataplane/auth/policy", "dataplane/definition", "dataplane/document", "dataplane/openapi", "dataplane/websocketapi", "configs/prefixlist"},

	// Steps of a request, which never import one another.
	"dataplane/route":                {"dataplane/definition"},
	"dataplane/front":                {"dataplane/http1", "dataplane/loop", "dataplane/overload"},
	"dataplane/mtls":                 {"dataplane/loop", "configs/truststore"},
	"dataplane/throttle":             {"dataplane/definition", "limiter"},
	"dataplane/cache":                {"cachestore", "dataplane/cache/rfc9111", "dataplane/definition", "dataplane/http1"},
	"dataplane/cache/rfc9111":        {"dataplane/http1"},
	"dataplane/auth/sigv4":           {"dataplane/http1"},
	"dataplane/auth":                 {"dataplane/auth/authorizer", "dataplane/auth/iam", "dataplane/auth/jwt", "dataplane/auth/policy", "dataplane/definition"},
	"dataplane/auth/iam":             {"dataplane/auth/policy", "dataplane/auth/sigv4", "dataplane/definition"},
	"dataplane/auth/jwt":             {"dataplane/auth/verdict", "dataplane/definition"},
	"dataplane/auth/authorizer":      {"dataplane/auth/policy", "dataplane/auth/verdict", "dataplane/definition"},
	"dataplane/websocket":            {"dataplane/http1", "dataplane/loop"},
	"dataplane/sentence":             {"dataplane/telemetry"},
	"dataplane/usage":                {"dataplane/definition", "limiter"},
	"dataplane/waf":                  {"dataplane/definition", "dataplane/http1", "dataplane/waf/crs", "dataplane/waf/text", "dataplane/waf/window"},
	"dataplane/integration/upstream": {"dataplane/http1", "dataplane/integration/upstream/health", "dataplane/loop"},
	"dataplane/integration/mock":     {"dataplane/definition", "dataplane/template"},
	"dataplane/integration/lambda":   {},
	"dataplane/integration/proxy":    {"dataplane/definition", "dataplane/http1", "dataplane/jsonpath"},

	"dataplane/selection": {"dataplane/expression", "dataplane/jsonpath"},
	"dataplane/template":  {"dataplane/jsonpath", "dataplane/selection"},

	// What joins the steps.
	"dataplane/session": { // of a WebSocket API; the pipeline hands connections over
		"dataplane/auth", "dataplane/definition", "dataplane/deploy", "dataplane/http1", "dataplane/jsonpath", "dataplane/loop", "dataplane/telemetry", "dataplane/throttle",
		"dataplane/usage", "dataplane/websocket", "limiter",
		"dataplane/integration/lambda", "dataplane/integration/proxy", "dataplane/integration/upstream",
	},
	"dataplane/deploy": {
		"dataplane/auth", "dataplane/auth/authorizer", "dataplane/auth/jwt", "dataplane/cache", "dataplane/definition", "dataplane/http1", "dataplane/route", "dataplane/selection", "dataplane/template", "dataplane/websocket", "dataplane/overload", "dataplane/telemetry", "dataplane/throttle", "dataplane/usage", "dataplane/waf",
		"dataplane/integration/lambda", "dataplane/integration/mock", "dataplane/integration/proxy", "dataplane/integration/upstream",
	},
	"dataplane/pipeline": {
		"dataplane/auth", "dataplane/auth/authorizer", "dataplane/auth/iam", "dataplane/auth/jwt", "dataplane/auth/policy", "dataplane/auth/sigv4",
		"cachestore", "dataplane/cache", "dataplane/cache/rfc9111", "dataplane/definition", "dataplane/deploy", "dataplane/front", "dataplane/http1", "dataplane/jsonpath", "dataplane/loop", "dataplane/mtls", "dataplane/overload", "dataplane/route",
		"dataplane/session", "dataplane/websocket",
		"dataplane/telemetry", "dataplane/throttle", "dataplane/usage", "dataplane/waf", "limiter",
		"dataplane/integration/lambda", "dataplane/integration/mock", "dataplane/integration/proxy", "dataplane/integration/upstream",
	},
	"dataplane": {
		"bpf/gate", "bpf/steer", "configs", "dataplane/auth", "dataplane/auth/authorizer", "dataplane/auth/iam", "dataplane/auth/jwt", "dataplane/auth/sigv4", "dataplane/integration/lambda", "dataplane/cache", "dataplane/control", "dataplane/definition", "dataplane/deploy", "dataplane/front",
		"dataplane/http1", "dataplane/integration/mock", "dataplane/integration/proxy",
		"dataplane/integration/upstream", "dataplane/integration/upstream/health", "dataplane/loop", "dataplane/openapi", "dataplane/pipeline", "dataplane/route", "dataplane/state", "dataplane/telemetry",
		"dataplane/mtls", "dataplane/overload", "dataplane/seccomp", "dataplane/sentence", "dataplane/session", "dataplane/throttle", "dataplane/usage", "dataplane/waf", "dataplane/websocket", "configs/prefixlist", "configs/truststore",
	},

	// The binary. Its offline subcommands parse documents as the daemon does.
	"cmd/tidegate": {"configs", "dataplane", "dataplane/control", "dataplane/definition", "dataplane/document", "dataplane/openapi", "dataplane/websocketapi", "configs/prefixlist"},

	// Programs and tests beside the product.
	"configs/gendocs":                     {"configs"},
	"configs/examples/chat/backend":       {},
	"configs/examples/quickstart/backend": {},
	"internal/archtest":                   {},
	"internal/need":                       {},
	"limiter":                             {},
	"cachestore":                          {},
	"internal/soak":                       {},
	"internal/testnet":                    {"internal/need"},
	"internal/testpki":                    {},
	"internal/corpus":                     {},
	"internal/crashdisk":                  {"internal/need"},
	"internal/unit":                       {},
	"internal/wstest":                     {},
	"internal/gatetest":                   {"configs", "dataplane", "dataplane/control"},
}

// walls says which packages may import a third-party library. The key is an
// import path or the start of one.
var walls = map[string][]string{
	"github.com/cloudwego/netpoll":  {"dataplane/loop"},
	"go.etcd.io/bbolt":              {"dataplane/state"},
	"github.com/VictoriaMetrics":    {"cachestore"},
	"github.com/aws":                {"configs/examples/chat/backend", "dataplane/integration/lambda"},
	"github.com/cilium/ebpf":        {"bpf/gate", "bpf/steer"},
	"github.com/golang-jwt/jwt":     {"dataplane/auth/jwt"},
	"github.com/corazawaf":          {"dataplane/waf/crs"},
	"github.com/gaissmai/bart":      {"dataplane/waf"},
	"github.com/oschwald":           {"dataplane/waf"},
	"github.com/dchest/siphash":     {"dataplane/state", "dataplane/usage", "dataplane/waf"},
	"go.yaml.in/yaml":               {"configs"},
	"gopkg.in/yaml":                 {},
	"sigs.k8s.io/yaml":              {},
	"github.com/fasthttp/websocket": {},
	"github.com/pb33f/go-yaml":      {"dataplane/document", "dataplane/openapi"},
	"github.com/pb33f/libopenapi":   {"dataplane/openapi"},
	"golang.org/x/net":              {"dataplane/seccomp", "internal/unit"},
}
