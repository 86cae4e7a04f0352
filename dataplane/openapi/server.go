package openapi

import (
	"net/url"
	"regexp"
	"strings"

	v3 "github.com/pb33f/libopenapi/datamodel/low/v3"

	"github.com/tidegate/tidegate/dataplane/definition"
	"github.com/tidegate/tidegate/dataplane/document"
)

// servers reads the endpoint configuration and returns the segments that
// Options.BasePath puts before every path.
func (r *reader) servers() (prefix []string) {
	r.endpoint(r.root.Get(awsPrefix + "endpoint-configuration"))
	for i, at := range r.List(r.root.Get("servers")).Items() {
		server := build[v3.Server](r, at, r.shaped(at, serverShape))
		r.endpoint(at.Get(awsPrefix + "endpoint-configuration"))
		if i == 0 {
			prefix = r.basePath(at, server)
		}
	}
	return prefix
}

// serverVariable is "{name}" in a server's url.
var serverVariable = regexp.MustCompile(`\{([^{}]*)\}`)

// basePath returns the segments of the first server's base path that become
// part of every path. It is the default of the variable basePath, if there is
// one, else the path of the url.
// https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-import-api-basePath.html
func (r *reader) basePath(at document.Node, server *v3.Server) []string {
	if r.options.BasePath != BasePathPrepend && r.options.BasePath != BasePathSplit {
		return nil
	}
	defaults := map[string]string{}
	for name, variable := range server.Variables.Value.FromOldest() {
		defaults[name.Value] = variable.Value.Default.Value
	}
	path, given := defaults["basePath"]
	if !given {
		address := serverVariable.ReplaceAllStringFunc(server.URL.Value, func(name string) string {
			return defaults[name[1:len(name)-1]]
		})
		u, err := url.Parse(address)
		if err != nil {
			r.Add(at.Get("url"), "%q is not a URL, so it gives no base path; correct it or import with basepath=ignore", document.Clip(address))
			return nil
		}
		path = u.EscapedPath()
	}
	path = strings.Trim(path, "/")
	if path == "" {
		return nil
	}
	segments, err := splitPath("/" + path)
	if err != nil {
		r.Add(at, "base path %q: %s; correct it or import with basepath=ignore", document.Clip(path), err)
		return nil
	}
	if r.options.BasePath == BasePathSplit {
		segments = segments[1:]
	}
	return segments
}

var endpointFields = map[string]bool{
	"types": true, "disableExecuteApiEndpoint": true, "vpcEndpointIds": true, "ipAddressType": true,
}

// endpoint reads one x-amazon-apigateway-endpoint-configuration; a document
// may have one at its root and one in each server.
func (r *reader) endpoint(at document.Node) {
	for name, value := range r.Mapping(at).Fields() {
		if !endpointFields[name] {
			r.Add(value, "unknown field%s", document.DidYouMean(name, endpointFields))
		}
	}
	r.unsupported(at, "vpcEndpointIds", "private endpoints belong to a VPC")
	for _, item := range r.List(at.Get("types")).Items() {
		r.setEndpointType(item, strings.ToUpper(r.Text(item)))
	}
	if r.Boolean(at.Get("disableExecuteApiEndpoint")) {
		r.disableEndpoint = true
	}
	switch address := at.Get("ipAddressType"); strings.ToLower(r.Text(address)) {
	case "", "ipv4":
	case "dualstack":
		r.Warn(address, "has no effect: the listeners of the host file decide which addresses serve")
	default:
		r.Add(address, "must be ipv4 or dualstack")
	}
}

func (r *reader) setEndpointType(at document.Node, endpointType string) {
	switch endpointType {
	case definition.EndpointEdge, definition.EndpointRegional, definition.EndpointPrivate:
	default:
		r.Add(at, "endpoint type %q is unknown; use REGIONAL, EDGE or PRIVATE", document.Clip(endpointType))
		return
	}
	if r.endpointType != "" && r.endpointType != endpointType {
		r.Add(at, "an API has one endpoint type, and %s is given too", r.endpointType)
		return
	}
	r.endpointType = endpointType
}
