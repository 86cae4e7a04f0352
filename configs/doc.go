// Package configs holds the host file: what belongs to the machine rather
// than to an API. Listeners, certificates, limits, timeouts and the names the
// host answers to are here; APIs, deployments and stages live in the state
// store and change over the control socket.
//
// Load is strict. An unknown key, a value out of range or a missing one is an
// error that names the file, the line, the field and the way to mend it, and
// one call reports all of them.
package configs

//go:generate go run ./gendocs -o ../docs/configuration.md
