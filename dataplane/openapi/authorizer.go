package openapi

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/tidegate/tidegate/dataplane/definition"
	"github.com/tidegate/tidegate/dataplane/document"
)

// authorizerFields are the fields of x-amazon-apigateway-authorizer: what to do
// instead of the ones that are not supported, "" for those that are read.
// https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-swagger-extensions-authorizer.html
var authorizerFields = map[string]string{
	"type": "", "authorizerUri": "", "authorizerCredentials": "", "identitySource": "", "identityValidationExpression": "",
	"authorizerResultTtlInSeconds": "", "providerARNs": "", "jwtConfiguration": "", "authorizerPayloadFormatVersion": "",
	"enableSimpleResponses": "",
}

// authorizer reads x-amazon-apigateway-authorizer of a security scheme, whose
// name is the authorizer's. What else an authorizer needs is for the compiler of
// deployments to say.
func (r *reader) authorizer(scheme, at document.Node, name string) *definition.Authorizer {
	for field, value := range r.Mapping(at).Fields() {
		if _, known := authorizerFields[field]; !known {
			r.Add(value, "unknown field%s", document.DidYouMean(field, authorizerFields))
		}
	}
	a := &definition.Authorizer{
		ID: definition.AuthorizerID(r.options.APIID, name), Name: name, AuthType: r.Text(scheme.Get(awsPrefix + "authtype")),
		URI: r.Text(at.Get("authorizerUri")), Credentials: r.Text(at.Get("authorizerCredentials")),
		IdentitySource: r.identitySource(scheme, at.Get("identitySource")), IdentityValidation: r.Text(at.Get("identityValidationExpression")),
		ResultTTLSeconds: r.resultTTL(at.Get("authorizerResultTtlInSeconds")),
	}
	kind := at.Get("type")
	switch strings.ToUpper(r.Text(kind)) {
	case definition.AuthorizerToken:
		a.Type = definition.AuthorizerToken
	case definition.AuthorizerRequest:
		a.Type = definition.AuthorizerRequest
	case definition.AuthorizerUserPools:
		a.Type = definition.AuthorizerUserPools
	case definition.AuthorizerJWT:
		a.Type = definition.AuthorizerJWT
	case "":
		r.Add(kind, "missing; use token, request, cognito_user_pools or jwt")
	default:
		r.Add(kind, "%q is unknown; use token, request, cognito_user_pools or jwt", document.Clip(kind.Value))
	}
	for _, item := range r.List(at.Get("providerARNs")).Items() {
		a.ProviderARNs = append(a.ProviderARNs, r.Text(item))
	}
	r.jwt(at.Get("jwtConfiguration"), a)
	if version := at.Get("authorizerPayloadFormatVersion"); !version.Absent() && r.Text(version) != "1.0" {
		r.Add(version, "payload format %q is not supported; use 1.0, the policy form", document.Clip(version.Value))
	}
	if simple := at.Get("enableSimpleResponses"); r.Boolean(simple) {
		r.Add(simple, "simple responses are not supported; answer with a policy")
	}
	return a
}

func (r *reader) jwt(at document.Node, a *definition.Authorizer) {
	for field, value := range r.Mapping(at).Fields() {
		switch field {
		case "issuer":
			a.Issuer = r.Text(value)
		case "audience":
			for _, item := range r.List(value).Items() {
				a.Audience = append(a.Audience, r.Text(item))
			}
		default:
			r.Add(value, "unknown field; jwtConfiguration has issuer and audience")
		}
	}
}

// identitySource is a text with commas or, as HTTP APIs write it, a list. A
// scheme of the type apiKey in a header names it by itself, if with API Gateway's
// placeholder it does not say that it is elsewhere.
func (r *reader) identitySource(scheme, at document.Node) string {
	if at.IsList() {
		var sources []string
		for _, item := range at.Items() {
			sources = append(sources, r.Text(item))
		}
		return strings.Join(sources, ",")
	}
	if !at.Absent() {
		return r.Text(at)
	}
	name := scheme.Get("name")
	if is(scheme.Get("type"), "apiKey") && is(scheme.Get("in"), "header") && name.IsText() && !is(name, "Unused") {
		return "method.request.header." + name.Value
	}
	return ""
}

func (r *reader) resultTTL(at document.Node) *int {
	if at.Absent() {
		return nil
	}
	seconds, err := strconv.Atoi(at.Value)
	if !at.IsScalar() || err != nil || seconds < 0 || seconds > definition.MaxAuthorizerTTL {
		r.Add(at, "must be a whole number of seconds from 0 to %s", fmt.Sprint(definition.MaxAuthorizerTTL))
		return nil
	}
	return &seconds
}
