package openapi

import (
	"slices"
	"strings"

	"github.com/tidegate/tidegate/dataplane/document"
)

const (
	awsPrefix  = "x-amazon-apigateway-"
	ourPrefix  = "x-tidegate-"
	httpAPIFix = "it belongs to HTTP APIs; import a REST API"

	guaranteedRate = ourPrefix + "guaranteed-rate"      // see definition.Body
	priority       = ourPrefix + "priority"             // see definition.Body
	acrossCallers  = ourPrefix + "cache-across-callers" // see definition.Integration
	targets        = ourPrefix + "targets"
	healthCheck    = ourPrefix + "health-check"
)

// extensions lists the names of API Gateway's extensions and our own.
// https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-swagger-extensions.html
var extensions = map[string]bool{
	awsPrefix + "any-method": true, awsPrefix + "api-key-source": true, awsPrefix + "auth": true,
	awsPrefix + "authorizer": true, awsPrefix + "authtype": true, awsPrefix + "binary-media-types": true,
	awsPrefix + "cors": true, awsPrefix + "documentation": true, awsPrefix + "endpoint-access-mode": true,
	awsPrefix + "endpoint-configuration": true, awsPrefix + "gateway-responses": true,
	awsPrefix + "importexport-version": true, awsPrefix + "integration": true, awsPrefix + "integrations": true,
	awsPrefix + "minimum-compression-size": true, awsPrefix + "policy": true, awsPrefix + "request-validator": true,
	awsPrefix + "request-validators": true, awsPrefix + "security-policy": true, awsPrefix + "tag-value": true,
	guaranteedRate: true, priority: true,
}

func isExtension(name string) bool {
	return strings.HasPrefix(name, awsPrefix) || strings.HasPrefix(name, ourPrefix)
}

// extension refuses the member name of an object unless it is another
// vendor's, or its short name is among the known ones, which the object's own
// reader reads.
func (r *reader) extension(value document.Node, name string, known []string) {
	if isExtension(name) && !slices.Contains(known, strings.TrimPrefix(name, awsPrefix)) {
		r.refuseExtension(value, name)
	}
}

func (r *reader) refuseExtension(value document.Node, name string) {
	near := document.Nearest(name, extensions)
	switch {
	case name == guaranteedRate:
		r.Add(value, "%s has no meaning here; move it to the root of the document", name)
	case name == priority:
		r.Add(value, "%s has no meaning here; move it to the root of the document or to an operation", name)
	case extensions[name]:
		r.Add(value, "%s has no meaning here; see where API Gateway's documentation puts it", name)
	case near != "":
		r.Add(value, "unknown extension; did you mean %q?", near)
	default:
		r.Add(value, "unknown extension %q; remove it", document.Clip(name))
	}
}

// noExtensions refuses extensions anywhere in n: the part has no effect, so
// they would be lost without a word. A part that several refer to is searched
// once.
func (r *reader) noExtensions(n document.Node) {
	if n.Absent() || n.IsScalar() || r.searched[n.Node] {
		return
	}
	r.searched[n.Node] = true
	for name, value := range n.Fields() {
		switch {
		case isExtension(name):
			r.refuseExtension(value, name)
		case !sampleData[name]:
			r.noExtensions(value)
		}
	}
	for _, item := range n.Items() {
		r.noExtensions(item)
	}
}

// unsupported refuses a field of n, if it is there, with what to do instead.
func (r *reader) unsupported(n document.Node, field, instead string) {
	if v := n.Get(field); !v.Absent() && !v.IsEmpty() {
		r.Add(v, "%s is not supported yet; %s", field, instead)
	}
}
