package corpus

import (
	"crypto/tls"
	"math/rand/v2"
	"net"
	"strings"
	"testing"

	"github.com/tidegate/tidegate/configs"
	"github.com/tidegate/tidegate/internal/gatetest"
)

// document is the API that the messages are written for.
const document = `
openapi: 3.0.3
info: {title: test, version: "1"}
paths:
  /:
    x-amazon-apigateway-any-method:
      x-amazon-apigateway-integration: {type: http_proxy, httpMethod: ANY, uri: "http://ADDRESS/"}
  /{proxy+}:
    x-amazon-apigateway-any-method:
      parameters: [{name: proxy, in: path, required: true, schema: {type: string}}]
      x-amazon-apigateway-integration:
        type: http_proxy
        httpMethod: ANY
        uri: "http://ADDRESS/{proxy}"
        requestParameters: {integration.request.path.proxy: method.request.path.proxy}
  /sub/{proxy+}:
    x-amazon-apigateway-any-method:
      parameters: [{name: proxy, in: path, required: true, schema: {type: string}}]
      x-amazon-apigateway-integration:
        type: http_proxy
        httpMethod: ANY
        uri: "http://ADDRESS/{proxy}"
        requestParameters: {integration.request.path.proxy: method.request.path.proxy}
  /host/{proxy+}:
    x-amazon-apigateway-any-method:
      parameters: [{name: proxy, in: path, required: true, schema: {type: string}}]
      x-amazon-apigateway-integration:
        type: http_proxy
        httpMethod: ANY
        uri: "http://ADDRESS/{proxy}"
        requestParameters:
          integration.request.path.proxy: method.request.path.proxy
          integration.request.header.Host: method.request.header.Host
  /health:
    get:
      responses: {"200": {description: ok}}
      x-amazon-apigateway-integration:
        type: mock
        requestTemplates: {application/json: '{"statusCode": 200}'}
        responses: {default: {statusCode: "200", responseTemplates: {application/json: '{"status":"ok"}'}}}
`

func startGate(t *testing.T, rec *recorder) *gatetest.Gate {
	t.Helper()
	g := gatetest.Start(t, func(h *configs.Host) { h.Limits.BodyBytes = maxBody })
	g.Deploy("prod", strings.ReplaceAll(document, "ADDRESS", rec.addr))
	return g
}

func dial(t *testing.T, addr string, secure bool) net.Conn {
	t.Helper()
	var conn net.Conn
	var err error
	if secure {
		conn, err = tls.Dial("tcp", addr, &tls.Config{InsecureSkipVerify: true})
	} else {
		conn, err = net.Dial("tcp", addr)
	}
	if err != nil {
		t.Fatal(err)
	}
	return conn
}

// TestR8SmugglingCorpus replays every message through both kinds of listener,
// in all kinds of pieces: the decision is the golden one each time.
func TestR8SmugglingCorpus(t *testing.T) {
	random := func(seed uint64) delivery { return randomly(rand.New(rand.NewPCG(8, seed))) }
	for _, way := range []struct {
		name    string
		secure  bool
		deliver delivery
	}{
		{"cleartext", false, whole},
		{"TLS", true, whole},
		{"byte by byte", false, bytewise},
		{"cut at random", false, random(1)},
		{"cut at random again", false, random(2)},
		{"TLS, cut at random", true, random(3)},
	} {
		t.Run(way.name, func(t *testing.T) {
			t.Parallel()
			rec := newRecorder(t)
			g := startGate(t, rec)
			addr := g.Addr
			if way.secure {
				addr = g.TLSAddr
			}
			for _, m := range messages(t) {
				got, err := play(dial(t, addr, way.secure), m, way.deliver)
				judge(t, m, got, err, rec.take(t))
			}
		})
	}
}
