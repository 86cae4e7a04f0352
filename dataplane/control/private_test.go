package control

import (
	"strings"
	"testing"
)

// TestInvokeURL: the address of an API is on a listener that serves it.
func TestInvokeURL(t *testing.T) {
	s := Status{GatewayDomain: "example.com", Listeners: []ListenerStatus{
		{Address: "unix:/run/http.sock"}, {Address: "[::]:443", TLS: true, Endpoint: "vpce-1"}, {Address: "[::]:8080"},
	}}
	for kind, want := range map[string]string{
		"PRIVATE": "https://a1.execute-api.example.com/prod", "REGIONAL": "http://a1.execute-api.example.com:8080/prod",
	} {
		if got := s.InvokeURL(&RestAPI{ID: "a1", EndpointConfiguration: EndpointConfiguration{Types: []string{kind}}}, "prod"); got != want {
			t.Errorf("%s: %s, want %s", kind, got, want)
		}
	}
}

// TestPrivateAPI makes private APIs in every way there is.
func TestPrivateAPI(t *testing.T) {
	b := newBench(t)
	private := func(how string, api map[string]any) {
		t.Helper()
		e, _ := api["endpointConfiguration"].(map[string]any)
		if types, _ := e["types"].([]any); len(types) != 1 || types[0] != "PRIVATE" || e["ipAddressType"] != "dualstack" {
			t.Errorf("%s: %v", how, e)
		}
	}
	private("created", b.want(201, "POST", "/restapis", `{"name":"x","endpointConfiguration":{"types":["PRIVATE"],"ipAddressType":"dualstack"}}`))
	private("imported", b.want(201, "POST", "/restapis?mode=import&endpointConfigurationTypes=PRIVATE", petstore))
	document := strings.Replace(petstore, `"paths"`, `"x-amazon-apigateway-endpoint-configuration": {"types": ["PRIVATE"]}, "paths"`, 1)
	private("as the document says", b.want(201, "POST", "/restapis?mode=import", document))

	id := b.want(201, "POST", "/restapis", `{"name":"y","endpointConfiguration":{"types":["REGIONAL"]}}`)["id"].(string)
	private("changed", b.want(200, "PATCH", "/restapis/"+id, `{"patchOperations":[{"op":"replace","path":"/endpointConfiguration/types/REGIONAL","value":"PRIVATE"},
		{"op":"replace","path":"/endpointConfiguration/ipAddressType","value":"dualstack"}]}`))
	b.wantError("PATCH", "/restapis/"+id, `{"patchOperations":[{"op":"replace","path":"/endpointConfiguration/ipAddressType","value":"ipv4"}]}`,
		400, CodeBadRequest, "Only dualstack ipAddressType is supported for Private APIs.")
	b.wantError("PATCH", "/restapis/"+id, `{"patchOperations":[{"op":"replace","path":"/endpointConfiguration/types/PRIVATE","value":"EDGE"}]}`,
		400, CodeBadRequest, "An API cannot be changed from PRIVATE to EDGE: change it to REGIONAL first")
}
