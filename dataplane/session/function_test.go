package session_test

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/fasthttp/websocket"

	"github.com/tidegate/tidegate/configs"
	"github.com/tidegate/tidegate/dataplane/definition"
)

const functionURI = "arn:aws:apigateway:us-east-1:lambda:path/2015-03-31/functions/arn:aws:lambda:us-east-1:000000000000:function:${stageVariables.function}/invocations"

// TestFunctions: Lambda proxy integrations.
func TestFunctions(t *testing.T) {
	b := newBackend(t, func(w http.ResponseWriter, c call) {
		switch {
		case strings.Contains(c.Body, `"routeKey":"$connect"`):
			if strings.Contains(c.Body, `"who":"nobody"`) {
				_, _ = w.Write([]byte(`{"statusCode":401}`))
				return
			}
			_, _ = w.Write([]byte(`{"statusCode":200,"headers":{"Sec-WebSocket-Protocol":"chat"}}`))
		case strings.Contains(c.Body, "fail"):
			w.Header().Set("X-Amz-Function-Error", "Unhandled")
			_, _ = w.Write([]byte(`{"errorMessage":"it failed","errorType":"Error"}`))
		case strings.Contains(c.Body, "bare"):
			_, _ = w.Write([]byte(`{"a":1}`))
		default:
			_, _ = w.Write([]byte(`{"statusCode":200,"body":"done"}`))
		}
	})
	a := to(b, "$connect", "$disconnect", "send!", "quiet")
	for _, in := range a.ws.Integrations {
		in.Type, in.HTTPMethod, in.URI, in.RequestParameters = definition.IntegrationAWSProxy, "POST", functionURI, nil
	}
	a.stage.Variables = map[string]string{"function": "chat"}
	g := a.serve(t, func(h *configs.Host) { h.Lambda.Functions = []configs.Function{{Name: "chat", URL: b.URL + "/chat"}} })
	if status, _ := refused(t, g, "/prod?who=nobody"); status != 401 {
		t.Errorf("%d", status)
	}
	c, resp, err := tryDial(g, "/prod?who=me&x=1&x=2", "Sec-WebSocket-Protocol", "chat, other", "X-Many", "1", "X-Many", "2")
	if err != nil || resp.Header.Get("Sec-WebSocket-Protocol") != "chat" {
		t.Fatal(err, resp)
	}
	for text, want := range map[string]string{
		`{"action":"send","n":1}`:    "done",
		`{"action":"send","bare":1}`: `{"a":1}`,
	} {
		say(t, c, text)
		if got := hear(t, c); got != want {
			t.Errorf("%s: %s", text, got)
		}
	}
	for _, action := range []string{"send", "quiet"} {
		say(t, c, `{"action":"`+action+`","fail":true}`)
		if got := hear(t, c); !strings.HasPrefix(got, `{"message": "Internal server error"`) {
			t.Error(got)
		}
	}
	_ = c.WriteControl(websocket.CloseMessage, websocket.FormatCloseMessage(4001, "done"), time.Now().Add(time.Second))
	var events []map[string]any
	eventually(t, "$disconnect", func() bool {
		events = nil
		for _, got := range b.calls("/chat") {
			var e map[string]any
			if err := json.Unmarshal([]byte(got.Body), &e); err != nil {
				t.Fatal(err)
			}
			events = append(events, e)
		}
		return events[len(events)-1]["requestContext"].(map[string]any)["eventType"] == "DISCONNECT"
	})
	connect, message, disconnect := events[1], events[2], events[len(events)-1]
	if h := connect["multiValueHeaders"].(map[string]any); len(h["X-Many"].([]any)) != 2 {
		t.Errorf("%v", h)
	}
	if q := connect["multiValueQueryStringParameters"].(map[string]any); len(q["x"].([]any)) != 2 {
		t.Errorf("%v", q)
	}
	if connect["stageVariables"].(map[string]any)["function"] != "chat" || connect["body"] != nil {
		t.Errorf("%v", connect)
	}
	if message["headers"] != nil || !strings.HasPrefix(message["body"].(string), `{"action":"send"`) {
		t.Errorf("%v", message)
	}
	mc, dc, cc := message["requestContext"].(map[string]any), disconnect["requestContext"].(map[string]any), connect["requestContext"].(map[string]any)
	if mc["connectionId"] != cc["connectionId"] || mc["connectedAt"] != cc["connectedAt"] || mc["messageId"] == "" || mc["requestId"] != mc["extendedRequestId"] || mc["routeKey"] != "send" {
		t.Errorf("%v", mc)
	}
	if dc["disconnectStatusCode"] != 4001.0 || dc["disconnectReason"] != "done" || dc["connectionId"] != cc["connectionId"] {
		t.Errorf("%v", dc)
	}
}

// TestFunctionTemplates: Lambda integrations that are not proxies.
func TestFunctionTemplates(t *testing.T) {
	b := newBackend(t, func(w http.ResponseWriter, c call) {
		if strings.Contains(c.Body, "bad") {
			_, _ = w.Write([]byte(`{"errorMessage":"[400] it is bad","errorType":"Error"}`))
			return
		}
		_, _ = w.Write([]byte(`{"reply":` + c.Body + `}`))
	})
	a := to(b, "send!")
	in := a.ws.Integrations[0]
	in.Type, in.URI, in.RequestParameters = definition.IntegrationAWS, functionURI, nil
	in.RequestTemplates = map[string]string{"$default": `{"text":$input.json('$.text')}`}
	in.Responses = []*definition.RouteIntegrationResponse{
		{Key: "$default", ResponseTemplates: map[string]string{"$default": `said $input.path('$.reply.text')`}},
		{Key: `/\[400\].*/`, ResponseTemplates: map[string]string{"$default": `refused`}},
	}
	a.stage.Variables = map[string]string{"function": "chat"}
	c := dial(t, a.serve(t, func(h *configs.Host) { h.Lambda.Functions = []configs.Function{{Name: "chat", URL: b.URL + "/chat"}} }))
	for text, want := range map[string]string{`{"action":"send","text":"hi"}`: "said hi", `{"action":"send","text":"bad"}`: "refused"} {
		say(t, c, text)
		if got := hear(t, c); got != want {
			t.Errorf("%s: %s", text, got)
		}
	}
}
