// Package truststore decides which certificates of clients to trust: those that a
// file of authorities vouches for and no revocation list of theirs takes back. It
// knows nothing of connections.
//
// What holds of certificates is AWS's: chains of at most four authorities,
// signatures with SHA-256 or stronger, keys of RSA with 2,048 bits or of ECDSA on
// P-256 or P-384. Revocation lists AWS does not have.
//
// Sources: https://docs.aws.amazon.com/apigateway/latest/developerguide/rest-api-mutual-tls.html,
// RFC 5280 (certificates and revocation lists).
package truststore
