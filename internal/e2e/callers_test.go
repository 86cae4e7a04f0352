package e2e

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

// Methods of an API that ask who calls, and what stands behind them.

// told is a backend that answers with what it was told of the caller, in the
// X-Told- fields, sorted, and counts its requests.
type told struct {
	addr     string
	requests atomic.Int64
	latency  atomic.Value // of the authorizer, as the last request was told
}

func startTold(t testing.TB) *told {
	t.Helper()
	b := &told{}
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		b.requests.Add(1)
		b.latency.Store(r.Header.Get("X-Told-Latency"))
		var text strings.Builder
		for _, name := range []string{"sub", "use", "groups", "id", "tenant", "level", "admin"} {
			if v := r.Header.Get("X-Told-" + name); v != "" {
				fmt.Fprintf(&text, "%s=%s ", name, v)
			}
		}
		_, _ = io.WriteString(w, strings.TrimSuffix(text.String(), " "))
	}))
	t.Cleanup(s.Close)
	b.addr = s.Listener.Addr().String()
	return b
}

// callersAPI is an API: its security schemes, a line each, and its paths, each with
// what it requires. More goes to the top of the document. What is told is mapped to
// the backend's request.
func callersAPI(backend, more string, schemes []string, paths map[string]string) string {
	var b strings.Builder
	fmt.Fprintf(&b, "openapi: 3.0.1\ninfo: {title: test, version: \"1\"}\n%s\ncomponents:\n  securitySchemes:\n", more)
	for _, s := range schemes {
		b.WriteString("    " + s + "\n")
	}
	b.WriteString("paths:\n")
	for path, security := range paths {
		params := ""
		for part := range strings.SplitSeq(path, "/") {
			if strings.HasPrefix(part, "{") {
				params += fmt.Sprintf("{name: %s, in: path, required: true, schema: {type: string}},", strings.Trim(part, "{+}"))
			}
		}
		fmt.Fprintf(&b, "  %s:\n    x-amazon-apigateway-any-method: {security: %s, parameters: [%s], responses: {\"200\": {description: ok}}, x-amazon-apigateway-integration: {type: http_proxy, httpMethod: GET, uri: \"http://%s/\", requestParameters: {%s}}}\n",
			path, security, params, backend, toldParameters)
	}
	return b.String()
}

const toldParameters = `integration.request.header.X-Told-sub: context.authorizer.claims.sub, integration.request.header.X-Told-use: context.authorizer.claims.token_use,
      integration.request.header.X-Told-groups: "context.authorizer.claims.cognito:groups", integration.request.header.X-Told-id: context.authorizer.principalId,
      integration.request.header.X-Told-tenant: context.authorizer.tenant, integration.request.header.X-Told-level: context.authorizer.level,
      integration.request.header.X-Told-admin: context.authorizer.admin, integration.request.header.X-Told-latency: context.authorizer.integrationLatency`

// logged is what the access log has to say of answers.
type logged struct {
	d     *daemon
	wants []logWant
}

type logWant struct {
	what, id string
	members  map[string]string
}

// expect adds what the line about an answer has to say.
func (l *logged) expect(what string, a *answer, members map[string]string) {
	l.wants = append(l.wants, logWant{what, a.header.Get("x-amzn-RequestId"), members})
}

// check waits for the lines, and checks them.
func (l *logged) check() {
	l.d.t.Helper()
	lines := map[string]map[string]string{}
	eventually(l.d.t, 10*time.Second, func() error {
		text, err := os.ReadFile(l.d.log)
		if err != nil {
			return err
		}
		for line := range strings.Lines(string(text)) {
			var entry map[string]string
			if err := json.Unmarshal([]byte(line), &entry); err != nil {
				return fmt.Errorf("%q: %w", line, err)
			}
			lines[entry["requestId"]] = entry
		}
		for _, w := range l.wants {
			if lines[w.id] == nil {
				return fmt.Errorf("%s: no line about %s", w.what, w.id)
			}
		}
		return nil
	})
	for _, w := range l.wants {
		for name, value := range w.members {
			if got := lines[w.id][name]; got != value {
				l.d.t.Errorf("%s: the log has %s = %q, want %q", w.what, name, got, value)
			}
		}
	}
}
