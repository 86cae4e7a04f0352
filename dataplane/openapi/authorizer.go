package openapi

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/tidegate/tidegate/dataplane/definition"
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
func (r *reader) authorizer(scheme, at node, name string) *definition.Authorizer {
	for field, value := range r.mapping(at).fields() {
		if _, known := authorizerFields[field]; !known {
			r.add(value, "unknown field%s", didYouMean(field, authorizerFields))
		}
	}
	a := &definition.Authorizer{
		ID: definition.AuthorizerID(r.options.APIID, name), Name: name, AuthType: r.text(scheme.get(awsPrefix + "authtype")),
		URI: r.text(at.get("authorizerUri")), Credentials: r.text(at.get("authorizerCredentials")),
		IdentitySource: r.identitySource(scheme, at.get("identitySource")), IdentityValidation: r.text(at.get("identityValidationExpression")),
		ResultTTLSeconds: r.resultTTL(at.get("authorizerResultTtlInSeconds")),
	}
	kind := at.get("type")
	switch strings.ToUpper(r.text(kind)) {
	case definition.AuthorizerToken:
		a.Type = definition.AuthorizerToken
	case definition.AuthorizerRequest:
		a.Type = definition.AuthorizerRequest
	case definition.AuthorizerUserPools:
		a.Type = definition.AuthorizerUserPools
	case definition.AuthorizerJWT:
		a.Type = definition.AuthorizerJWT
	case "":
		r.add(kind, "missing; use token, request, cognito_user_pools or jwt")
	default:
		r.add(kind, "%q is unknown; use token, request, cognito_user_pools or jwt", clip(kind.Value))
	}
	for _, item := range r.list(at.get("providerARNs")).items() {
		a.ProviderARNs = append(a.ProviderARNs, r.text(item))
	}
	r.jwt(at.get("jwtConfiguration"), a)
	if version := at.get("authorizerPayloadFormatVersion"); !version.absent() && r.text(version) != "1.0" {
		r.add(version, "payload format %q is not supported; use 1.0, the policy form", clip(version.Value))
	}
	if simple := at.get("enableSimpleResponses"); r.boolean(simple) {
		r.add(simple, "simple responses are not supported; answer with a policy")
	}
	return a
}

func (r *reader) jwt(at node, a *definition.Authorizer) {
	for field, value := range r.mapping(at).fields() {
		switch field {
		case "issuer":
			a.Issuer = r.text(value)
		case "audience":
			for _, item := range r.list(value).items() {
				a.Audience = append(a.Audience, r.text(item))
			}
		default:
			r.add(value, "unknown field; jwtConfiguration has issuer and audience")
		}
	}
}

// identitySource is a text with commas or, as HTTP APIs write it, a list. A
// scheme of the type apiKey in a header names it by itself, if with API Gateway's
// placeholder it does not say that it is elsewhere.
func (r *reader) identitySource(scheme, at node) string {
	if at.isList() {
		var sources []string
		for _, item := range at.items() {
			sources = append(sources, r.text(item))
		}
		return strings.Join(sources, ",")
	}
	if !at.absent() {
		return r.text(at)
	}
	name := scheme.get("name")
	if is(scheme.get("type"), "apiKey") && is(scheme.get("in"), "header") && name.isText() && !is(name, "Unused") {
		return "method.request.header." + name.Value
	}
	return ""
}

func (r *reader) resultTTL(at node) *int {
	if at.absent() {
		return nil
	}
	seconds, err := strconv.Atoi(at.Value)
	if !at.isScalar() || err != nil || seconds < 0 || seconds > definition.MaxAuthorizerTTL {
		r.add(at, "must be a whole number of seconds from 0 to %s", fmt.Sprint(definition.MaxAuthorizerTTL))
		return nil
	}
	return &seconds
}
