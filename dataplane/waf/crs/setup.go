package crs

// Media types, in lower case, whose bodies are read as JSON and as XML.
const (
	jsonType = `^(?:application|text)/(?:[a-z0-9.-]+[+])?json`
	xmlType  = `^(?:application|text)/(?:[a-z0-9.-]+[+])?xml`
)

// maxParts is how many parts a multipart body may have. The engine writes those
// that are files to the disk, one by one.
const maxParts = 64

// setup is what every configuration begins with. SecRxPreFilter looks for what a
// regular expression needs before it runs it, which makes a body of 64 KiB of JSON
// ten times as fast; a test holds it against the engine without.
//
// What the engine cannot read it does not inspect, so that it is denied. A body
// that was cut is made readable before: see whole.
const setup = `SecRuleEngine On
SecRxPreFilter On
SecRequestBodyAccess On
SecRequestBodyLimitAction ProcessPartial
SecRequestBodyJsonDepthLimit 128
SecArgumentsLimit 1000
SecResponseBodyAccess Off
SecAuditEngine Off

SecRule REQUEST_HEADERS:Content-Type "` + xmlType + `" \
    "id:200000,phase:1,t:none,t:lowercase,pass,nolog,ctl:requestBodyProcessor=XML"
SecRule REQUEST_HEADERS:Content-Type "` + jsonType + `" \
    "id:200001,phase:1,t:none,t:lowercase,pass,nolog,ctl:requestBodyProcessor=JSON"
SecRule URI_PARSE_ERROR "@eq 1" \
    "id:200009,phase:1,t:none,log,deny,status:403,msg:'The URI cannot be read'"
SecRule ARGUMENTS_LIMIT_REACHED "@eq 1" \
    "id:200004,phase:1,t:none,log,deny,status:403,msg:'Too many arguments in the query'"
SecRule ARGUMENTS_LIMIT_REACHED "@eq 1" \
    "id:200005,phase:2,t:none,log,deny,status:403,msg:'Too many arguments in the body'"
SecRule REQBODY_ERROR "!@eq 0" \
    "id:200002,phase:2,t:none,log,deny,status:403,msg:'The body cannot be read'"
SecRule MULTIPART_STRICT_ERROR "!@eq 0" \
    "id:200003,phase:2,t:none,log,deny,status:403,msg:'The multipart body can be read in several ways'"

SecDefaultAction "phase:1,log,noauditlog,pass"
SecDefaultAction "phase:2,log,noauditlog,pass"
SecAction "id:900990,phase:1,pass,t:none,nolog,\
    setvar:tx.crs_setup_version=4250,\
    setvar:'tx.allowed_methods=GET HEAD POST OPTIONS PUT PATCH DELETE',\
    setvar:'tx.allowed_request_content_type=` + mediaTypes + `',\
    setvar:'tx.restricted_headers_basic=/content-encoding/ /proxy/ /lock-token/ /content-range/ /if/ /x-http-method/ /x-method-override/ /x-middleware-subrequest/'"
`

// mediaTypes are those of the rule set's default and those of APIs.
const mediaTypes = `|application/x-www-form-urlencoded| |multipart/form-data| |multipart/related| |text/xml| |application/xml| |application/soap+xml| |application/json| ` +
	`|text/json| |application/problem+json| |application/merge-patch+json| |application/json-patch+json| |application/vnd.api+json| |application/hal+json| |application/ld+json| ` +
	`|application/graphql| |application/cloudevents+json| |application/x-ndjson| |application/x-amz-json-1.0| |application/x-amz-json-1.1| |text/plain| |text/csv| ` +
	`|application/octet-stream| |application/pdf| |application/cbor| |application/x-protobuf| |application/protobuf| |image/jpeg| |image/png| |image/gif| |image/webp|`
