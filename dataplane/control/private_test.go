package control

import (
	"strings"
	"testing"
)

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
