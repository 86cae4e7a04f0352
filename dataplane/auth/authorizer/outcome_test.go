package authorizer

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/tidegate/tidegate/dataplane/definition"
)

const (
	seen401     = `401 {"message":"Unauthorized"}`
	seenFailure = `500 {"message":"Internal server error"}`
	seenNull    = `500 {"message":null}`
	seenSilent  = `403 {"Message":"User is not authorized to access this resource"}`
	seenDenied  = `403 {"Message":"User is not authorized to access this resource with an explicit deny"}`
)

// statement makes an answer with one statement.
func statement(text string) string {
	return strings.ReplaceAll(`{'principalId':'user|a1','policyDocument':{'Version':'2012-10-17','Statement':`+text+`}}`, "'", `"`)
}

// hang answers when the client has left.
func hang(_ http.ResponseWriter, r *http.Request) {
	io.Copy(io.Discard, r.Body) // or the server does not notice
	<-r.Context().Done()
}

// results are answers that functions and HTTP endpoints give alike, with what a
// client sees and whether it is remembered.
var results = map[string]struct {
	body       string
	want       string
	remembered bool
}{
	"allow":               {allowed, "200 user|a1", true},
	"allow everything":    {statement(`{'Effect':'Allow','Action':'execute-api:*','Resource':'*'}`), "200 user|a1", true},
	"allow a place":       {statement(`[{'Effect':'Allow','Action':'*','Resource':'*','Condition':{'IpAddress':{'aws:SourceIp':'203.0.113.0/24'}}}]`), "200 user|a1", true},
	"allow another place": {statement(`[{'Effect':'Allow','Action':'*','Resource':'*','Condition':{'IpAddress':{'aws:SourceIp':'10.0.0.0/8'}}}]`), seenSilent, true},
	"deny":                {statement(`[{'Effect':'Allow','Action':'*','Resource':'*'},{'Effect':'Deny','Action':'execute-api:Invoke','Resource':'` + petARN + `'}]`), seenDenied, true},
	"silent":              {statement(`[{'Effect':'Allow','Action':'execute-api:Invoke','Resource':'` + arn + `/prod/GET/other'}]`), seenSilent, true},
	"another action":      {statement(`[{'Effect':'Allow','Action':'execute-api:ManageConnections','Resource':'*'}]`), seenSilent, true},
	"no statement":        {statement(`[]`), seenSilent, true},
	"no principal":        {strings.Replace(allowed, "principalId", "principal", 1), seenNull, false},
	"no policy":           {`{"principalId":"me"}`, seenNull, false},
	"bad policy":          {statement(`[{'Effect':'Maybe','Action':'*','Resource':'*'}]`), seenNull, false},
	"context of objects":  {with(`"context":{"a":{"b":1}}`), seenNull, false},
	"context of lists":    {with(`"context":{"a":[1]}`), seenNull, false},
	"context of claims":   {with(`"context":{"claims":"x"}`), seenNull, false},
	"simple":              {`{"isAuthorized":true}`, seenNull, false},
	"null":                {`null`, seenNull, false},
	"nothing":             {``, seenNull, false},
	"text":                {`Task timed out after 3.00 seconds`, seenNull, false},
	"cut off":             {allowed[:len(allowed)-1], seenNull, false},
	"too large":           {with(`"more":"` + strings.Repeat("x", MaxResult) + `"`), seenNull, false},
}

// row is an endpoint, and what a client sees of it.
type row struct {
	handler    http.HandlerFunc
	want       string
	remembered bool
}

// run asks two authorizers, of both types, twice each, and expects the second
// question only where the first answer was not to be remembered.
func run(t *testing.T, name string, r row, o Options, uri string, calls *atomic.Int64) {
	t.Helper()
	s := newStore(t, o)
	for kind, d := range map[string]*definition.Authorizer{"TOKEN": definitionOf(uri), "REQUEST": definitionOf(uri, byRequest("method.request.header.Authorization"))} {
		d.ID = kind
		a := compiled(t, d, s)
		before := calls.Load()
		for range 2 {
			if got := authorize(t, a, told("secret"), petARN); got != r.want {
				t.Errorf("%s, %s: %s; want %s", name, kind, got, r.want)
			}
		}
		want := int64(2)
		if r.remembered {
			want = 1
		}
		if got := calls.Load() - before; got != want {
			t.Errorf("%s, %s: %d calls, want %d", name, kind, got, want)
		}
		if stats := a.state.stats; stats.Calls.Load() != want || stats.Hits.Load() != 2-want || stats.Misses.Load() != want {
			t.Errorf("%s, %s: counted %d calls, %d hits, %d misses", name, kind, stats.Calls.Load(), stats.Hits.Load(), stats.Misses.Load())
		}
		for seen, count := range map[string]int64{seen401: a.state.stats.Unauthorized.Load(), seenFailure: a.state.stats.Failed.Load(), seenNull: a.state.stats.Misconfigured.Load()} {
			if (count == 2) != (seen == r.want) || count != 0 && count != 2 {
				t.Errorf("%s, %s: counted %s %d times", name, kind, seen, count)
			}
		}
	}
}

// counting counts requests.
func counting(n *atomic.Int64, h http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		n.Add(1)
		h(w, r)
	}
}

func TestFunctionOutcomes(t *testing.T) {
	rows := map[string]row{
		"unauthorized":            {answer(200, "X-Amz-Function-Error: Unhandled", `{"errorMessage":"Unauthorized","errorType":"Error"}`), seen401, false},
		"unauthorized, handled":   {answer(200, "X-Amz-Function-Error: Handled", `{"errorMessage":"Unauthorized"}`), seen401, false},
		"unauthorized, emulator":  {answer(200, "", `{"errorMessage":"Unauthorized","errorType":"Exception"}`), seen401, false},
		"unauthorized, lower":     {answer(200, "X-Amz-Function-Error: Unhandled", `{"errorMessage":"unauthorized"}`), seenNull, false},
		"unauthorized, and more":  {answer(200, "X-Amz-Function-Error: Unhandled", `{"errorMessage":"Unauthorized: expired"}`), seenNull, false},
		"throws":                  {answer(200, "X-Amz-Function-Error: Unhandled", `{"errorMessage":"boom","errorType":"Error"}`), seenNull, false},
		"throws a policy":         {answer(200, "X-Amz-Function-Error: Unhandled", allowed), seenNull, false},
		"throws no JSON":          {answer(200, "X-Amz-Function-Error: Unhandled", `Unauthorized`), seenNull, false},
		"not permitted":           {answer(403, "X-Amzn-Errortype: AccessDeniedException", `{"Message":"no"}`), seenNull, false},
		"no such function":        {answer(404, "X-Amzn-Errortype: ResourceNotFoundException", `{"Message":"Unauthorized"}`), seenNull, false},
		"invalid request":         {answer(400, "", allowed), seenNull, false},
		"throttled":               {answer(429, "X-Amzn-Errortype: TooManyRequestsException", allowed), seenFailure, false},
		"broken":                  {answer(500, "", allowed), seenFailure, false},
		"bad gateway":             {answer(502, "", allowed), seenFailure, false},
		"no answer":               {func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }, seenFailure, false},
		"cut off by the network":  {answer(200, "Content-Length: 1000", allowed), seenFailure, false},
		"accepted and not called": {answer(202, "", allowed), seenFailure, false},
	}
	for name, r := range results {
		rows[name] = row{answer(200, "", r.body), r.want, r.remembered}
	}
	for name, r := range rows {
		var calls atomic.Int64
		run(t, name, r, Options{Lambda: newFunctions(t, serve(t, counting(&calls, r.handler)))}, functionURI, &calls)
	}
}

func TestHTTPOutcomes(t *testing.T) {
	rows := map[string]row{
		"401":                    {answer(401, "", allowed), seen401, false},
		"401, large":             {answer(401, "", strings.Repeat("x", 1<<20)), seen401, false},
		"403":                    {answer(403, "", allowed), seenDenied, false},
		"201":                    {answer(201, "", allowed), seenFailure, false},
		"204":                    {answer(204, "", ""), seenFailure, false},
		"302":                    {answer(302, "Location: /elsewhere", allowed), seenFailure, false},
		"307":                    {answer(307, "Location: /elsewhere", allowed), seenFailure, false},
		"400":                    {answer(400, "", allowed), seenFailure, false},
		"404":                    {answer(404, "", allowed), seenFailure, false},
		"429":                    {answer(429, "", allowed), seenFailure, false},
		"500":                    {answer(500, "", allowed), seenFailure, false},
		"function error":         {answer(200, "X-Amz-Function-Error: Unhandled", `{"errorMessage":"Unauthorized","errorType":"Error"}`), seenNull, false},
		"no answer":              {func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }, seenFailure, false},
		"cut off by the network": {answer(200, "Content-Length: 1000", allowed), seenFailure, false},
		"large header":           {answer(200, "X-Large: "+strings.Repeat("x", maxHeaderBytes), allowed), seenFailure, false},
		"compressed":             {answer(200, "Content-Encoding: gzip", "\x1f\x8b\x08"), seenNull, false},
	}
	for name, r := range results {
		rows[name] = row{answer(200, "", r.body), r.want, r.remembered}
	}
	for name, r := range rows {
		var calls atomic.Int64
		run(t, name, r, Options{}, serve(t, counting(&calls, r.handler)), &calls)
	}
}

// What is not there, or does not answer in time.
func TestNoAnswer(t *testing.T) {
	dead := httptest.NewServer(nil)
	dead.Close()
	soon := 50 * time.Millisecond
	trickle := func(w http.ResponseWriter, r *http.Request) {
		io.Copy(io.Discard, r.Body)
		for r.Context().Err() == nil {
			io.WriteString(w, " ")
			w.(http.Flusher).Flush()
			time.Sleep(time.Millisecond)
		}
	}
	for name, c := range map[string]struct {
		url  string
		want string
	}{
		"dead":     {dead.URL, seenFailure},
		"hangs":    {serve(t, hang), map[Outcome]string{Failed: seenFailure, Misconfigured: seenNull}[onTimeout]},
		"trickles": {serve(t, trickle), map[Outcome]string{Failed: seenFailure, Misconfigured: seenNull}[onTimeout]},
		"not HTTP": {strings.Replace(serve(t, hang), "http://", "https://", 1), seenFailure},
	} {
		for _, uri := range []string{c.url, functionURI} {
			a := compiled(t, definitionOf(uri), newStore(t, Options{Timeout: soon, Lambda: newFunctions(t, c.url)}))
			if name == "not HTTP" { // shaking hands may take longer
				a.timeout = 10 * time.Second
			}
			if got := authorize(t, a, told("x"), petARN); got != c.want {
				t.Errorf("%s, %.4s: %s; want %s", name, uri, got, c.want)
			}
		}
	}
}

// Who does not say who they are, or not in the form that is asked for, costs no
// call.
func TestNoIdentityNoCall(t *testing.T) {
	var calls atomic.Int64
	url := serve(t, counting(&calls, answer(200, "", allowed)))
	a := compiled(t, definitionOf(url, func(d *definition.Authorizer) { d.IdentityValidation = `Bearer [a-z]+` }), newStore(t, Options{}))
	for _, r := range []*request{{}, told(""), told("Bearer"), told("Bearer a1"), told("xBearer a"), told("Bearer a\n"), told("bearer a")} {
		if got := authorize(t, a, r, petARN); got != seen401 {
			t.Errorf("%v: %s", r, got)
		}
	}
	if n := calls.Load(); n != 0 {
		t.Errorf("%d calls", n)
	}
	if got := authorize(t, a, told("Bearer a"), petARN); got != "200 user|a1" || calls.Load() != 1 {
		t.Errorf("%s after %d calls", got, calls.Load())
	}
}

// The well-known trap: a policy for one method, remembered, denies the others.
func TestNarrowPolicyIsATrap(t *testing.T) {
	var calls atomic.Int64
	url := serve(t, counting(&calls, func(w http.ResponseWriter, r *http.Request) {
		var e struct {
			MethodARN string `json:"methodArn"`
		}
		json.NewDecoder(r.Body).Decode(&e)
		io.WriteString(w, strings.Replace(allowed, arn+"/*/GET/pets/*", e.MethodARN, 1))
	}))
	s := newStore(t, Options{})
	narrow := compiled(t, definitionOf(url), s)
	asking := compiled(t, definitionOf(url, func(d *definition.Authorizer) { d.ID, d.ResultTTLSeconds = "ttl0", seconds(0) }), s)
	apart := compiled(t, definitionOf(url, func(d *definition.Authorizer) {
		byRequest("method.request.header.Authorization,context.path")(d)
		d.ID = "apart"
	}), s)
	at := func(path string) (*request, string) {
		r := told("x")
		r.context = map[ContextVar]string{ContextPath: path}
		return r, arn + "/prod/GET" + path
	}
	for _, c := range []struct {
		a          *Authorizer
		path, want string
		calls      int64
	}{
		{narrow, "/pets/6", "200 user|a1", 1}, {narrow, "/pets/7", seenSilent, 1}, {narrow, "/pets/6", "200 user|a1", 1},
		{asking, "/pets/6", "200 user|a1", 2}, {asking, "/pets/7", "200 user|a1", 3}, {asking, "/pets/7", "200 user|a1", 4},
		{apart, "/pets/6", "200 user|a1", 5}, {apart, "/pets/7", "200 user|a1", 6}, {apart, "/pets/6", "200 user|a1", 6},
	} {
		r, methodARN := at(c.path)
		if got := authorize(t, c.a, r, methodARN); got != c.want || calls.Load() != c.calls {
			t.Errorf("%s %s: %s after %d calls; want %s after %d", c.a.ID, c.path, got, calls.Load(), c.want, c.calls)
		}
	}
}

// What an endpoint is sent.
func TestEvents(t *testing.T) {
	var got *http.Request
	var body string
	handler := func(w http.ResponseWriter, r *http.Request) {
		b, _ := io.ReadAll(r.Body)
		got, body = r, string(b)
		io.WriteString(w, allowed)
	}
	url := serve(t, handler)
	s := newStore(t, Options{Lambda: newFunctions(t, serve(t, handler))})
	whole, err := event().AuthorizerEvent(petARN)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		d     *definition.Authorizer
		token string
		want  string
	}{
		{definitionOf(url + "/guard?x=1"), `Bearer "a"`, `{"type":"TOKEN","authorizationToken":"Bearer \"a\"","methodArn":"` + petARN + `"}`},
		{definitionOf(functionURI), "a", `{"type":"TOKEN","authorizationToken":"a","methodArn":"` + petARN + `"}`},
		{definitionOf(url+"/guard?x=1", byRequest("method.request.header.Authorization")), "b", string(whole)},
		{definitionOf(functionURI, byRequest("method.request.header.Authorization")), "b", string(whole)},
	} {
		a := compiled(t, c.d, s)
		if a.NeedsEvent() != (c.d.Type == definition.AuthorizerRequest) {
			t.Error("NeedsEvent")
		}
		if result := authorize(t, a, told(c.token), petARN); result != "200 user|a1" || body != c.want {
			t.Errorf("%s\n%s\nwant\n%s", result, body, c.want)
		}
		if got.Method != "POST" || got.Header.Get("Content-Type") != "application/json" {
			t.Errorf("%s %v", got.Method, got.Header)
		}
		if c.d.URI != functionURI && (got.RequestURI != "/guard?x=1" || got.Header.Get("User-Agent") != "AmazonAPIGateway_abcdefghij" || got.Header.Get("Authorization") != "") {
			t.Errorf("%s %v", got.RequestURI, got.Header)
		}
	}
}
