package control

import (
	"fmt"
	"slices"
	"strings"

	"github.com/tidegate/tidegate/dataplane/definition"
)

// endpointInput is the endpointConfiguration of a request. All its methods
// take nil for an absent one.
type endpointInput struct {
	Types          []string `json:"types"`
	IPAddressType  *string  `json:"ipAddressType"`
	VPCEndpointIDs []string `json:"vpcEndpointIds"`
}

var endpointTypes = []string{definition.EndpointPrivate, definition.EndpointEdge, definition.EndpointRegional}

// violations are the constraints of the service model that it breaks.
func (e *endpointInput) violations(input string) (problems []string) {
	if e == nil {
		return nil
	}
	if slices.ContainsFunc(e.Types, func(t string) bool { return !slices.Contains(endpointTypes, t) }) {
		problems = append(problems, fmt.Sprintf("Value '[%s]' at '%s.endpointConfiguration.types' failed to satisfy constraint: Member must satisfy constraint: [Member must satisfy enum value set: [%s]]",
			strings.Join(e.Types, ", "), input, strings.Join(endpointTypes, ", ")))
	}
	if v := optional(e.IPAddressType); v != "" && v != "ipv4" && v != "dualstack" {
		problems = append(problems, fmt.Sprintf("Value '%s' at '%s.endpointConfiguration.ipAddressType' failed to satisfy constraint: Member must satisfy enum value set: [ipv4, dualstack]", v, input))
	}
	return problems
}

// endpointType is the one type that it asks for: EDGE when it does not say.
func (e *endpointInput) endpointType() (string, error) {
	if e == nil {
		return definition.EndpointEdge, nil
	}
	kind := definition.EndpointEdge
	switch {
	case e.Types == nil:
	case len(e.Types) == 0:
		return "", badRequest("REGIONAL Configuration and EDGE Configuration cannot be both DISABLED.")
	case len(e.Types) > 1:
		return "", badRequest("Cannot create an api with multiple Endpoint Types.")
	default:
		kind = e.Types[0]
	}
	switch {
	case kind == definition.EndpointPrivate && optional(e.IPAddressType) == "ipv4":
		return "", badRequest("Only dualstack ipAddressType is supported for Private APIs.")
	case kind != definition.EndpointPrivate && optional(e.IPAddressType) == "dualstack":
		return "", unsupported("ipAddressType dualstack")
	case len(e.VPCEndpointIDs) > 0:
		return "", unsupported("vpcEndpointIds")
	}
	return kind, nil
}
