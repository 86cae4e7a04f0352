package e2e

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// owner is the code of an API's owner that says who may call: an HTTP endpoint, and
// a service with Lambda's operation Invoke. What it says is what the token is.
type owner struct {
	addr      string
	under     atomic.Int64 // calls
	mostUnder atomic.Int64

	mu     sync.Mutex
	delay  time.Duration     // of every answer
	keys   map[string]string // that a token names, for usage plans
	events []string
}

func startOwner(t testing.TB) *owner {
	t.Helper()
	o := &owner{keys: map[string]string{}}
	s := httptest.NewServer(o)
	t.Cleanup(s.Close)
	o.addr = s.Listener.Addr().String()
	return o
}

const invocations = "/2015-03-31/functions/"

// ServeHTTP implements http.Handler.
func (o *owner) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	text, err := io.ReadAll(r.Body)
	if err != nil {
		panic(http.ErrAbortHandler)
	}
	for n := o.under.Add(1); ; {
		if most := o.mostUnder.Load(); n <= most || o.mostUnder.CompareAndSwap(most, n) {
			break
		}
	}
	defer o.under.Add(-1)
	o.mu.Lock()
	delay := o.delay
	o.mu.Unlock()
	time.Sleep(delay)
	var event struct {
		Token   string            `json:"authorizationToken"`
		ARN     string            `json:"methodArn"`
		Headers map[string]string `json:"headers"`
	}
	if err := json.Unmarshal(text, &event); err != nil {
		w.WriteHeader(400)
		return
	}
	token := event.Token
	if token == "" {
		token = event.Headers["X-User"]
	}
	token = strings.TrimPrefix(token, "Bearer ")
	o.mu.Lock()
	o.events = append(o.events, string(text))
	key := o.keys[token]
	o.mu.Unlock()
	function := strings.HasPrefix(r.URL.Path, invocations)
	fail := func(status int, message string) {
		if !function {
			w.WriteHeader(status)
			return
		}
		w.Header().Set("X-Amz-Function-Error", "Unhandled")
		fmt.Fprintf(w, `{"errorMessage":%q,"errorType":"Error"}`, message)
	}
	policy := func(effect, resource, more string) {
		if key != "" {
			more += fmt.Sprintf(`,"usageIdentifierKey":%q`, key)
		}
		fmt.Fprintf(w, `{"principalId":%q,"policyDocument":{"Version":"2012-10-17","Statement":[{"Action":"execute-api:Invoke","Effect":%q,"Resource":%q}]}%s}`, "user|"+token, effect, resource, more)
	}
	switch kind, _, _ := strings.Cut(token, "-"); kind {
	case "allow":
		policy("Allow", "*", `,"context":{"tenant":"blue","level":7,"admin":true,"nothing":null}`)
	case "narrow":
		policy("Allow", event.ARN, "")
	case "deny":
		policy("Deny", "*", "")
	case "silent":
		policy("Allow", "arn:aws:execute-api:*:*:*/prod/GET/else", "")
	case "unknown":
		fail(401, "Unauthorized")
	case "throws":
		fail(500, "no idea")
	case "objects":
		policy("Allow", "*", `,"context":{"tenant":{"name":"blue"}}`)
	case "nobody":
		_, _ = io.WriteString(w, `{"policyDocument":{"Statement":[{"Action":"*","Effect":"Allow","Resource":"*"}]}}`)
	case "simple":
		_, _ = io.WriteString(w, `{"isAuthorized":true}`)
	case "huge":
		policy("Allow", "*", `,"context":{"tenant":"`+strings.Repeat("x", 100_000)+`"}`)
	case "slow":
		select {
		case <-r.Context().Done():
		case <-time.After(10 * time.Second):
		}
	default:
		_, _ = io.WriteString(w, "who?")
	}
}

// calls returns how often it was asked, and what of since the n-th time.
func (o *owner) calls(since int) (n int, events []string) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return len(o.events), o.events[min(since, len(o.events)):]
}

// expectCalls checks how often it was asked since the n-th time, and returns how
// often in all.
func (o *owner) expectCalls(t testing.TB, what string, since, want int) int {
	t.Helper()
	n, _ := o.calls(0)
	if n-since != want {
		t.Errorf("%s: asked %d times, want %d", what, n-since, want)
	}
	return n
}

// named has a token name an API key.
func (o *owner) named(token, key string) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.keys[token] = key
}

// Where authorizers are.
func (o *owner) http() string { return "http://" + o.addr + "/authorize" }

const functionURI = "arn:aws:apigateway:us-east-1:lambda:path/2015-03-31/functions/arn:aws:lambda:us-east-1:000000000000:function:guard/invocations"

// tokenScheme is a security scheme with an authorizer of type TOKEN.
func tokenScheme(name, uri, more string) string {
	return fmt.Sprintf(`%s: {type: apiKey, in: header, name: Authorization, x-amazon-apigateway-authtype: custom, x-amazon-apigateway-authorizer: {type: token, authorizerUri: %q%s}}`, name, uri, more)
}

// requestScheme is one of type REQUEST.
func requestScheme(name, uri, sources, more string) string {
	return fmt.Sprintf(`%s: {type: apiKey, in: header, name: Unused, x-amazon-apigateway-authtype: custom, x-amazon-apigateway-authorizer: {type: request, authorizerUri: %q, identitySource: %q%s}}`, name, uri, sources, more)
}
