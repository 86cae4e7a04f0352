// Package cache decides what of a method's answers is kept, and for whom.
//
// # Mode aws
//
// As a stage cache of AWS: GET, or what is switched on by itself, for the time
// the stage sets, whatever the backend's Cache-Control says. Entries are told
// apart by the stage, the deployment, the method, the path and the parameters
// that the integration declares; any other parameter is invisible.
//
// What AWS would share between clients that must not share is not kept, nor
// served from the cache: see [Method.Usable] and [Method.Storable].
//
// # Mode standard
//
// A shared cache by RFC 9111: package rfc9111 decides.
//
// Source: https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-caching.html
package cache
