// Package prefixlist has lists of IP networks: it reads them strictly, and looks
// addresses up in them. It knows nothing of who uses them for what.
//
// A network is written as a CIDR prefix, such as 192.0.2.0/24 or 2001:db8::/32,
// or as an address, which is the network of that address alone.
package prefixlist
