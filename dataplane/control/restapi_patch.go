package control

import (
	"slices"
	"strconv"
	"strings"

	"github.com/tidegate/tidegate/dataplane/definition"
)

// apiPaths is what UpdateRestApi can patch, by the names AWS gives.
var apiPaths = []string{
	"/name", "/description", "/policy", "/apiKeySource", "/minimumCompressionSize", "/disableExecuteApiEndpoint",
	"/binaryMediaTypes/{type}", "/endpointConfiguration/types/{type}", "/endpointConfiguration/vpcEndpointIds",
	"/endpointConfiguration/ipAddressType", "/securityPolicy", "/endpointAccessMode",
}

func patchAPI(a *definition.API, op PatchOperation) error {
	if strings.HasPrefix(op.Path, "/endpointConfiguration/types/") {
		return patchEndpointType(a, op)
	}
	switch op.Path {
	case "/name":
		if err := only(op, "replace"); err != nil {
			return err
		}
		if err := checkName(op.Value); err != nil {
			return err
		}
		a.Name = op.Value
	case "/description":
		if err := only(op, "add", "replace", "remove"); err != nil {
			return err
		}
		a.Description = op.Value
		if op.Op == "remove" {
			a.Description = ""
		}
	case "/disableExecuteApiEndpoint":
		if err := only(op, "replace"); err != nil {
			return err
		}
		v, err := strconv.ParseBool(strings.ToLower(op.Value))
		if err != nil {
			return badRequest("Invalid value for %s: it must be true or false", op.Path)
		}
		a.DisableExecuteAPIEndpoint = v
	case "/endpointConfiguration/ipAddressType":
		if err := only(op, "replace"); err != nil {
			return err
		}
		switch op.Value {
		case "ipv4":
		case "dualstack":
			return unsupported("ipAddressType dualstack")
		default:
			return badRequest("ipAddressType must be either ipv4 or dualstack.")
		}
	case "/apiKeySource":
		if err := only(op, "replace"); err != nil {
			return err
		}
		if op.Value != "HEADER" {
			return unsupported("apiKeySource " + op.Value)
		}
	case "/binaryMediaTypes":
		return badRequest("Invalid patch path /binaryMediaTypes")
	default:
		name, _, nested := strings.Cut(op.Path[min(1, len(op.Path)):], "/")
		if slices.Contains(apiPaths, op.Path) || nested && name == "binaryMediaTypes" || nested && name == "endpointConfiguration" && strings.HasPrefix(op.Path, "/endpointConfiguration/vpcEndpointIds") {
			return unsupported(op.Path + " of UpdateRestApi")
		}
		return unknownPath(op, apiPaths...)
	}
	return nil
}

// patchEndpointType takes the path AWS has for it: the last segment names the
// type to replace.
func patchEndpointType(a *definition.API, op PatchOperation) error {
	switch op.Op {
	case "replace":
	case "add", "remove":
		return unsupported("op " + op.Op + " on " + op.Path + " (an API has one endpoint type: replace it)")
	default:
		return badRequest("Invalid patch operation specified. Must be 'add'|'remove'|'replace'")
	}
	switch op.Value {
	case definition.EndpointEdge, definition.EndpointRegional:
		a.EndpointType = op.Value
		return nil
	case definition.EndpointPrivate:
		return unsupported("endpoint type PRIVATE")
	default:
		return badRequest("Invalid EndpointTypes specified. Valid options are REGIONAL,EDGE,PRIVATE")
	}
}
