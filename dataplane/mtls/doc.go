// Package mtls asks the clients of some domains for certificates, and keeps what
// it found out about those it trusts. Everything but looking at a Client happens
// in handshakes, off the event loops.
//
// A client is trusted for one domain alone. It stays so while its connection is
// open, unless its certificates expire, the lists that cleared it go out of date,
// or the domain's trust store changes so that it would not be trusted any more:
// Set looks at those that are connected again.
//
// Source: https://docs.aws.amazon.com/apigateway/latest/developerguide/rest-api-mutual-tls.html
package mtls
