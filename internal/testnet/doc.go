// Package testnet gives tests real networks: namespaces without a name, which
// vanish with the test, veth pairs with IPv4 and IPv6 addresses between them,
// listeners that greet with their name, and a check that nothing stays behind.
//
// Everything here needs root, and skips or fails as package need says.
package testnet
