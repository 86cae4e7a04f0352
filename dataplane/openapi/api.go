package openapi

import (
	"math"
	"strconv"
	"strings"

	"github.com/pb33f/libopenapi/datamodel/low/base"

	"github.com/tidegate/tidegate/dataplane/definition"
	"github.com/tidegate/tidegate/dataplane/document"
)

// rootFields are the fields of the OpenAPI Object, 3.0 and 3.1.
var rootFields = map[string]*shape{
	"openapi": nil, "info": nil, "servers": nil, "paths": nil, "components": nil, "security": nil, "tags": nil,
	"externalDocs": nil, "webhooks": nil, "jsonSchemaDialect": nil,
}

// api reads the document from its root.
func (r *reader) api() *Result {
	for name, value := range r.root.Fields() {
		_, known := rootFields[name]
		switch {
		case isExtension(name):
			r.rootExtension(value, name)
		case !known && !strings.HasPrefix(name, "x-"):
			r.unknownField(value, name, rootFields)
		}
	}
	for _, part := range []string{"externalDocs", "webhooks"} {
		r.noExtensions(r.root.Get(part))
	}
	result := &Result{Tags: r.tags()}
	r.info(result)
	r.components()
	prefix := r.servers()
	r.paths(prefix)
	result.EndpointType = r.endpointType
	result.APIKeySource = r.apiKeySource
	result.GuaranteedRate = r.guaranteedRate
	result.Priority = r.priority
	result.Policy = r.policy
	result.Authorizers = r.authorizers()
	return result
}

func (r *reader) info(result *Result) {
	at := r.root.Get("info")
	info := build[base.Info](r, at, r.shaped(at, infoShape))
	result.Name = info.Title.Value
	result.Description = info.Description.Value
	result.Version = info.Version.Value
	if result.Name == "" {
		r.Add(at.Get("title"), "missing; it is the name of the API")
	}
}

// tags returns the AWS tags: those of the root tags that have a value.
func (r *reader) tags() map[string]string {
	var tags map[string]string
	for _, at := range r.List(r.root.Get("tags")).Items() {
		tag := build[base.Tag](r, at, r.shaped(at, tagShape))
		value := at.Get(awsPrefix + "tag-value")
		if value.Absent() {
			continue
		}
		if tag.Name.Value == "" {
			r.Add(at, "a tag needs a name")
			continue
		}
		if tags == nil {
			tags = map[string]string{}
		}
		tags[tag.Name.Value] = r.Text(value)
	}
	return tags
}

// components looks for what would be lost in the parts that are read only when
// something refers to them.
func (r *reader) components() {
	for name, part := range r.Mapping(r.root.Get("components")).Fields() {
		switch name {
		case "securitySchemes":
			for _, scheme := range r.Mapping(part).Fields() {
				r.shaped(scheme, schemeShape)
			}
		case "pathItems":
		case awsPrefix + "integrations":
			r.Add(part, "named integrations are not supported; %s with the integration in each operation", httpAPIFix)
		default:
			if isExtension(name) {
				r.refuseExtension(part, name)
			} else {
				r.noExtensions(part)
			}
		}
	}
}

// rootExtension reads what the document asks of the whole API, and refuses what
// Tidegate does not do.
func (r *reader) rootExtension(value document.Node, name string) {
	short := strings.TrimPrefix(name, awsPrefix)
	switch short {
	case "endpoint-configuration": // read with the servers
	case "documentation": // for people
	case "importexport-version": // the version of the export format
	case "request-validators": // has an effect only where it is used
	case "request-validator":
		r.requestValidator(value)
	case "api-key-source":
		r.keySource(value)
	case guaranteedRate:
		r.guarantee(value)
	case priority:
		r.priority = r.priorityOf(value)
	case "policy":
		r.policy = r.resourcePolicy(value)
	case "binary-media-types", "gateway-responses":
		if !value.Absent() && !value.IsEmpty() {
			r.Add(value, "%s is not supported yet; remove it", name)
		}
	case "minimum-compression-size", "security-policy", "endpoint-access-mode":
		if !value.Absent() {
			r.Add(value, "%s is not supported yet; remove it", name)
		}
	case "cors":
		r.Add(value, "%s is not supported; %s that answers OPTIONS with a mock integration", name, httpAPIFix)
	default:
		r.refuseExtension(value, name)
	}
}

func (r *reader) keySource(value document.Node) {
	switch source := strings.ToUpper(r.Text(value)); source {
	case definition.KeySourceHeader, definition.KeySourceAuthorizer:
		r.apiKeySource = source
	default:
		r.Add(value, "API key source %q is unknown; use HEADER or AUTHORIZER", document.Clip(source))
	}
}

func (r *reader) guarantee(value document.Node) {
	rate, err := strconv.ParseFloat(value.Value, 64)
	if value.Tag != "!!int" && value.Tag != "!!float" || err != nil || !(rate >= 0) || math.IsInf(rate, 0) {
		r.Add(value, "must be a number of requests per second, 0 or more")
		return
	}
	r.guaranteedRate = rate
}

// priorityOf reads a priority, of the API or of a method.
func (r *reader) priorityOf(value document.Node) string {
	if value.Node == nil {
		return ""
	}
	name := r.Text(value)
	if err := definition.CheckPriority(name); err != nil {
		r.Add(value, "%s", err)
	}
	return name
}

func (r *reader) requestValidator(value document.Node) {
	if !value.Absent() {
		r.Add(value, "request validation is not supported yet; remove %srequest-validator", awsPrefix)
	}
}
