package control

import (
	"slices"
	"strings"

	"github.com/tidegate/tidegate/dataplane/definition"
)

// apiPaths is what UpdateRestApi can patch, by the names AWS gives.
var apiPaths = []string{
	"/name", "/description", "/policy", "/apiKeySource", "/minimumCompressionSize", "/disableExecuteApiEndpoint",
	"/binaryMediaTypes/{type}", "/endpointConfiguration/types/{type}", "/endpointConfiguration/vpcEndpointIds",
	"/endpointConfiguration/ipAddressType", "/securityPolicy", "/endpointAccessMode",
}

func (s *Server) patchAPI(a *definition.API, op PatchOperation) error {
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
		v, err := patchText(op)
		if err != nil {
			return err
		}
		a.Description = v
	case "/disableExecuteApiEndpoint":
		if err := only(op, "replace"); err != nil {
			return err
		}
		v, err := patchFlag(op)
		if err != nil {
			return err
		}
		a.DisableExecuteAPIEndpoint = v
	case "/endpointConfiguration/ipAddressType":
		if err := only(op, "replace"); err != nil {
			return err
		}
		private := a.EndpointType == definition.EndpointPrivate
		switch {
		case op.Value == "ipv4" && private:
			return badRequest("Only dualstack ipAddressType is supported for Private APIs.")
		case op.Value == "ipv4", op.Value == "dualstack" && private:
		case op.Value == "dualstack":
			return unsupported("ipAddressType dualstack")
		default:
			return badRequest("ipAddressType must be either ipv4 or dualstack.")
		}
	case "/policy":
		v, err := patchText(op)
		if err != nil {
			return err
		}
		if a.Policy, err = s.policy(a.ID, v); err != nil {
			return err
		}
	case "/apiKeySource":
		if err := only(op, "replace"); err != nil {
			return err
		}
		if err := checkKeySource(op.Value); err != nil {
			return err
		}
		a.APIKeySource = storedKeySource(op.Value)
	case "/x-tidegate-guaranteed-rate":
		v, err := patchRate(op)
		if err != nil {
			return err
		}
		a.GuaranteedRate = 0
		if v != nil {
			a.GuaranteedRate = *v
		}
	case "/x-tidegate-priority":
		v, err := patchPriority(op)
		if err != nil {
			return err
		}
		a.Priority = v
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
	case definition.EndpointEdge, definition.EndpointRegional, definition.EndpointPrivate:
		if from := a.EndpointType; from != op.Value && !convertible(from, op.Value) {
			return badRequest("An API cannot be changed from %s to %s: change it to REGIONAL first", from, op.Value)
		}
		a.EndpointType = op.Value
		return nil
	default:
		return badRequest("Invalid EndpointTypes specified. Valid options are REGIONAL,EDGE,PRIVATE")
	}
}

// convertible holds that edge and private APIs become regional before they become
// each other.
// https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-api-migration.html
func convertible(from, to string) bool {
	return from == definition.EndpointRegional || to == definition.EndpointRegional
}

// checkKeySource holds the source of API keys to those that there are.
func checkKeySource(source string) error {
	switch source {
	case definition.KeySourceHeader, definition.KeySourceAuthorizer:
		return nil
	default:
		return badRequest("Invalid API Key source: %s. Must be one of: [HEADER, AUTHORIZER]", source)
	}
}

// storedKeySource leaves the usual source out, so that saying it does not make
// another body.
func storedKeySource(source string) string {
	if source == definition.KeySourceHeader {
		return ""
	}
	return source
}
