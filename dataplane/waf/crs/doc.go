// Package crs inspects requests with the OWASP Core Rule Set, which the Coraza
// engine evaluates. It knows neither web ACLs nor this gateway's requests.
//
// An inspection takes from a fraction of a millisecond to hundreds of them, so it
// is for a goroutine that may take its time, and never for an event loop.
//
// Responses are not inspected: AWS WAF inspects requests alone. The setup differs
// from the rule set's defaults in what a gateway for REST APIs needs:
//
//   - All methods that a resource can have are allowed, and the media types of
//     APIs beside those of browsers.
//   - The fields Expect and X-HTTP-Method-Override are let pass, since the gateway
//     answers to them itself.
//   - The exceptions for a web server's requests to itself are left out: behind a
//     proxy on the same host every request would look like one.
//   - JSON nested deeper than 128 levels, more than 1,000 arguments and more than
//     64 parts of a multipart body are refused, as is what cannot be parsed.
//
// The rule set reads bodies of other media types than JSON, XML and multipart ones
// as forms. Lines of text are then taken for injected fields, by rule 921150:
// exclude it where such bodies are sent.
//
// Sources:
//   - https://coreruleset.org/docs/
//   - https://coraza.io/docs/seclang/
package crs
