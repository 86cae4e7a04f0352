package lambda

import (
	"encoding/json"
	"strings"
	"testing"
)

// TestSocketEvent: AWS's order of members, and none that is empty.
func TestSocketEvent(t *testing.T) {
	body := "hello"
	e := SocketEvent{Body: &body, RequestContext: SocketContext{RouteKey: "send", MessageID: "m=", EventType: "MESSAGE", ExtendedRequestID: "r=", RequestID: "r=",
		MessageDirection: "IN", Stage: "prod", ConnectedAt: 5, DomainName: "d", ConnectionID: "c=", APIID: "a", Identity: SocketIdentity{SourceIP: "192.0.2.1"}}}
	e.RequestContext.SetTime(1_763_805_600_001_000_000)
	text, err := json.Marshal(&e)
	const want = `{"requestContext":{"routeKey":"send","messageId":"m=","eventType":"MESSAGE","extendedRequestId":"r=","requestTime":"22/Nov/2025:10:00:00 +0000",` +
		`"messageDirection":"IN","stage":"prod","connectedAt":5,"requestTimeEpoch":1763805600001,"identity":{"sourceIp":"192.0.2.1"},"requestId":"r=","domainName":"d","connectionId":"c=","apiId":"a"},` +
		`"body":"hello","isBase64Encoded":false}`
	if err != nil || string(text) != want {
		t.Errorf("%s, %v\nwant %s", text, err, want)
	}
	e = SocketEvent{RequestContext: SocketContext{RouteKey: "$connect"}}
	text, err = e.AuthorizerEvent("arn:x/$connect")
	if got := string(text); err != nil || !strings.HasPrefix(got, `{"type":"REQUEST","methodArn":"arn:x/$connect","headers":{},"multiValueHeaders":{},"queryStringParameters":{},`) || strings.Contains(got, "isBase64Encoded") {
		t.Errorf("%s, %v", got, err)
	}
	e.AddHeader("Host", "h")
	e.AddQuery("t", "1")
	e.AddQuery("t", "2")
	if e.QueryStringParameters["t"] != "2" || len(e.MultiValueQueryStringParameters["t"]) != 2 || e.MultiValueHeaders["Host"][0] != "h" {
		t.Errorf("%+v", e)
	}
}

func TestParseSocketResult(t *testing.T) {
	for payload, want := range map[string]struct {
		status int
		body   string
		ok     bool
	}{
		`{"statusCode":200}`:                {200, "", true},
		`{"statusCode":200,"body":"hi"}`:    {200, "hi", true},
		`{"statusCode":"401","body":null}`:  {401, "", true},
		`{"statusCode":200,"body":{"a":1}}`: {200, `{"a":1}`, true},
		`{"action":"x"}`:                    {200, `{"action":"x"}`, true}, // a bare object is the body
		`"text"`:                            {200, `"text"`, true},
		`[1]`:                               {200, `[1]`, true},
		`null`:                              {200, "", true},
		``:                                  {200, "", true},
		`{"statusCode":99}`:                 {0, "", false},
		`{"statusCode":{}}`:                 {0, "", false},
		`{"statusCode":2.5}`:                {0, "", false},
		`{"statusCode":200,"headers":[]}`:   {0, "", false},
		`{`:                                 {0, "", false},
		`{"statusCode":200,"headers":{"A":"b"}} `: {200, "", true},
	} {
		got, ok := ParseSocketResult([]byte(payload))
		if ok != want.ok || ok && (got.Status != want.status || string(got.Body) != want.body) {
			t.Errorf("%s: %d %q %v", payload, got.Status, got.Body, ok)
		}
	}
	if r, _ := ParseSocketResult([]byte(`{"statusCode":200,"headers":{"Sec-WebSocket-Protocol":"chat","X":1}}`)); r.Headers["Sec-WebSocket-Protocol"] != "chat" || len(r.Headers) != 1 {
		t.Errorf("%+v", r)
	}
}

func FuzzParseSocketResult(f *testing.F) {
	f.Add([]byte(`{"statusCode":"200","headers":{"A":"b"},"body":"x"}`))
	f.Fuzz(func(t *testing.T, payload []byte) {
		if r, ok := ParseSocketResult(payload); ok && (r.Status < 100 || r.Status > 599) {
			t.Errorf("%q: %+v", payload, r)
		}
	})
}
