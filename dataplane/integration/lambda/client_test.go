package lambda

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"
)

// serve starts a Lambda service, and returns a client of it.
func serve(t *testing.T, handler http.HandlerFunc, change ...func(*Config)) *Client {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body) // or the server does not notice that the client left
		r.Body = io.NopCloser(bytes.NewReader(body))
		handler(w, r)
	}))
	t.Cleanup(server.Close)
	c := Config{Endpoint: server.URL, Timeout: 10 * time.Second}
	for _, f := range change {
		f(&c)
	}
	client, err := New(c)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(client.Close)
	return client
}

// answers makes a handler of a status, header fields and a body.
func answers(status int, fields, body string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		for line := range strings.SplitSeq(fields, "|") {
			if name, value, ok := strings.Cut(line, ": "); ok {
				w.Header().Set(name, value)
			}
		}
		w.WriteHeader(status)
		io.WriteString(w, body)
	}
}

func TestInvoke(t *testing.T) {
	var got *http.Request
	var body []byte
	client := serve(t, func(w http.ResponseWriter, r *http.Request) {
		got = r
		body, _ = io.ReadAll(r.Body)
		io.WriteString(w, `{"ok":true}`)
	})
	a, err := client.Invoke(t.Context(), arn+":$LATEST", []byte(`{"a":1}`))
	if err != nil || string(a.Payload) != `{"ok":true}` || a.FunctionError != "" {
		t.Fatalf("%+v, %v", a, err)
	}
	const target = "/2015-03-31/functions/arn%3Aaws%3Alambda%3Aeu-west-1%3A123456789012%3Afunction%3Aguard%3A%24LATEST/invocations"
	if got.Method != "POST" || got.RequestURI != target || string(body) != `{"a":1}` || got.Header.Get("Content-Type") != "application/json" || got.Header.Get("Authorization") != "" {
		t.Errorf("%s %s %q %v", got.Method, got.RequestURI, body, got.Header)
	}
}

func TestFunctionErrors(t *testing.T) {
	const thrown = `{"errorMessage":"Unauthorized","errorType":"Error","trace":[]}`
	for name, row := range map[string]struct {
		fields, body string
		want         string // FunctionError, message, type
	}{
		"returned":                 {"", `{"principalId":"a"}`, "  "},
		"AWS":                      {"X-Amz-Function-Error: Unhandled", thrown, "Unhandled Unauthorized Error"},
		"AWS, handled":             {"X-Amz-Function-Error: Handled", `{"errorMessage":"no"}`, "Handled no "},
		"AWS, not JSON":            {"X-Amz-Function-Error: Unhandled", `boom`, "Unhandled  "},
		"emulator":                 {"", thrown, "Unhandled Unauthorized Error"},
		"emulator, without a type": {"", `{"errorMessage":"Unauthorized"}`, " Unauthorized "},
		"numbers":                  {"", `{"errorMessage":1,"errorType":"x"}`, "  "},
		"not JSON":                 {"", `Task timed out after 1.00 seconds`, "  "},
	} {
		a, err := serve(t, answers(200, row.fields, row.body)).Invoke(t.Context(), "guard", nil)
		f := a.Failure()
		if got := a.FunctionError + " " + f.Message + " " + f.Type; err != nil || got != row.want {
			t.Errorf("%s: %q, %v; want %q", name, got, err, row.want)
		}
	}
}

// On AWS a function may return what looks like a failure.
func TestAWSSaysWhatFailed(t *testing.T) {
	server := httptest.NewServer(answers(200, "", `{"errorMessage":"a","errorType":"b"}`))
	t.Cleanup(server.Close)
	client, err := New(Config{Region: "us-east-1"})
	if err != nil {
		t.Fatal(err)
	}
	client.http.Transport = roundTripper(func(r *http.Request) (*http.Response, error) {
		if r.URL.Scheme != "https" || r.URL.Host != "lambda.us-east-1.amazonaws.com" {
			t.Errorf("called at %s", r.URL)
		}
		r.URL.Scheme, r.URL.Host = "http", server.Listener.Addr().String()
		return http.DefaultTransport.RoundTrip(r)
	})
	if a, err := client.Invoke(t.Context(), "guard", nil); err != nil || a.FunctionError != "" {
		t.Errorf("%+v, %v", a, err)
	}
}

type roundTripper func(*http.Request) (*http.Response, error)

func (f roundTripper) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

func TestRefusals(t *testing.T) {
	hang := make(chan struct{})
	t.Cleanup(func() { close(hang) })
	dead := httptest.NewServer(nil)
	dead.Close()
	long := strings.Repeat("x", 1000)
	for name, row := range map[string]struct {
		handler   http.HandlerFunc
		change    func(*Config)
		function  string
		want      string
		status    int
		timeout   bool
		refused   bool
		throttled bool
	}{
		"no such function": {handler: answers(404, "X-Amzn-Errortype: ResourceNotFoundException", `{"Type":"User","Message":"Function not found"}`),
			want: "status 404: ResourceNotFoundException: Function not found", status: 404, refused: true},
		"not permitted": {handler: answers(403, "X-Amzn-Errortype: AccessDeniedException", `{"message":"no"}`),
			want: "AccessDeniedException: no", status: 403, refused: true},
		"throttled": {handler: answers(429, "X-Amzn-Errortype: TooManyRequestsException", `{}`), want: "TooManyRequestsException", status: 429, throttled: true},
		"broken":    {handler: answers(500, "", "<html>"), want: "status 500", status: 500},
		"redirect":  {handler: answers(302, "Location: http://127.0.0.1:1/", ""), want: "status 302", status: 302, refused: true},
		"accepted":  {handler: answers(202, "", ""), want: "status 202", status: 202},
		"long":      {handler: answers(500, "", `{"message":"`+long+`"}`), want: long[:maxMessage], status: 500},
		"huge":      {handler: answers(200, "", strings.Repeat("x", 1<<20)), change: func(c *Config) { c.MaxAnswer = 1 << 10 }, want: "over the limit of 1024 bytes", refused: true},
		"lying": {handler: func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Length", "100")
			io.WriteString(w, "short")
		}, want: "unexpected EOF"},
		"slow": {handler: func(_ http.ResponseWriter, r *http.Request) {
			select {
			case <-hang:
			case <-r.Context().Done():
			}
		}, change: func(c *Config) { c.Timeout = 50 * time.Millisecond }, want: "deadline exceeded", timeout: true},
		"trickling": {handler: func(w http.ResponseWriter, r *http.Request) {
			for r.Context().Err() == nil {
				io.WriteString(w, "x")
				w.(http.Flusher).Flush()
				time.Sleep(time.Millisecond)
			}
		}, change: func(c *Config) { c.Timeout = 50 * time.Millisecond }, want: "deadline exceeded", timeout: true},
		"dead":         {change: func(c *Config) { c.Endpoint = dead.URL }, want: "connection refused"},
		"no region":    {change: func(c *Config) { c.Endpoint = "" }, want: "no region is set"},
		"no such name": {function: "a/b", want: "write its ARN", status: 400, refused: true},
	} {
		client := serve(t, row.handler, func(c *Config) {
			if row.change != nil {
				row.change(c)
			}
		})
		function := "guard"
		if row.function != "" {
			function = row.function
		}
		_, err := client.Invoke(t.Context(), function, []byte("{}"))
		var e *Error
		if !errors.As(err, &e) || !strings.Contains(err.Error(), row.want) || !strings.HasPrefix(err.Error(), "invoke function "+function+": ") {
			t.Errorf("%s: %v; want %q", name, err, row.want)
			continue
		}
		if e.Status != row.status || e.Timeout() != row.timeout || e.Refused() != row.refused || e.Throttled() != row.throttled {
			t.Errorf("%s: %+v", name, e)
		}
	}
}

func TestPayloadIsBounded(t *testing.T) {
	client := serve(t, func(http.ResponseWriter, *http.Request) { t.Error("called") })
	_, err := client.Invoke(t.Context(), "guard", make([]byte, MaxPayload+1))
	if e := (*Error)(nil); !errors.As(err, &e) || e.Status != 413 || !e.Refused() {
		t.Error(err)
	}
}

func TestCanceled(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	client := serve(t, func(_ http.ResponseWriter, r *http.Request) {
		cancel()
		<-r.Context().Done()
	})
	_, err := client.Invoke(ctx, "guard", nil)
	if e := (*Error)(nil); !errors.As(err, &e) || !errors.Is(err, context.Canceled) || e.Timeout() {
		t.Error(err)
	}
}

// One function that hangs uses up its own calls, and no other's.
func TestCallsOfAFunctionAreBounded(t *testing.T) {
	arrived, release := make(chan struct{}, 8), make(chan struct{})
	client := serve(t, func(_ http.ResponseWriter, r *http.Request) {
		if strings.Contains(r.URL.Path, "slow") {
			arrived <- struct{}{}
			<-release
		}
	}, func(c *Config) { c.MaxCalls = 2 })
	done := make(chan error)
	for range 2 {
		go func() {
			_, err := client.Invoke(t.Context(), "slow", nil)
			done <- err
		}()
		<-arrived
	}
	_, err := client.Invoke(t.Context(), "slow", nil)
	if e := (*Error)(nil); !errors.As(err, &e) || !e.Throttled() || !strings.Contains(err.Error(), "2 calls are under way") {
		t.Error(err)
	}
	if _, err := client.Invoke(t.Context(), "other", nil); err != nil {
		t.Error(err)
	}
	close(release)
	for range 2 {
		if err := <-done; err != nil {
			t.Error(err)
		}
	}
	if len(client.under) != 0 {
		t.Errorf("%v are under way", client.under)
	}
}

func TestEmulators(t *testing.T) {
	var target string
	emulator := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		target = r.RequestURI + r.Header.Get("Authorization")
	}))
	t.Cleanup(emulator.Close)
	const path = "/2015-03-31/functions/function/invocations"
	client := serve(t, func(http.ResponseWriter, *http.Request) { t.Error("called") }, func(c *Config) {
		c.Functions, c.Credentials = map[string]string{"guard": emulator.URL + path}, longTerm
	})
	if _, err := client.Invoke(t.Context(), arn+":live", nil); err != nil || target != path {
		t.Errorf("%s, %v", target, err)
	}
}

func TestConfigErrors(t *testing.T) {
	for want, c := range map[string]Config{
		"region":              {Region: "nowhere"},
		"endpoint: ":          {Endpoint: "127.0.0.1:9000"},
		"write http://":       {Endpoint: "unix:///run/x"},
		"and nothing else":    {Endpoint: "http://u:p@h/"},
		`function "a": "http`: {Functions: map[string]string{"a": "http://h/?x"}},
	} {
		if _, err := New(c); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%+v: %v; want %q", c, err, want)
		}
	}
}

// A service that says yes and then nothing more does not leak connections.
func TestConnectionsAreReused(t *testing.T) {
	server := httptest.NewUnstartedServer(answers(200, "", "{}"))
	opened := 0
	server.Config.ConnState = func(_ net.Conn, s http.ConnState) {
		if s == http.StateNew {
			opened++
		}
	}
	server.Start()
	t.Cleanup(server.Close)
	client, err := New(Config{Endpoint: server.URL})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(client.Close)
	for range 20 {
		if _, err := client.Invoke(t.Context(), "guard", []byte("{}")); err != nil {
			t.Fatal(err)
		}
	}
	if opened != 1 {
		t.Errorf("%d connections", opened)
	}
}
