// Package rfc9111 decides for a shared HTTP cache: what may be stored and for
// how long, what answers a request, and what to do with the backend's word on
// it. It follows RFC 9111, with the conditional and range requests of RFC 9110
// sections 13 and 14, RFC 5861 (stale-while-revalidate, stale-if-error), RFC
// 9213 (CDN-Cache-Control) and RFC 9211 (Cache-Status). RFC 8246 (immutable) asks
// nothing of a cache that never validates what is fresh without being told to.
//
// It does no I/O and keeps nothing. Bytes go in and out, times are parameters:
// nanoseconds since the Unix epoch. A hit allocates nothing.
//
// # A request
//
// [ReadRequest] reads the fields that matter. When [Request.Forwarded] gives a
// reason, the cache has no part in the answer, except that an unsafe method may
// invalidate: [Request.Invalidates].
//
// Otherwise the caller looks under its primary key, which is of method GET and
// target URI. There is nothing ([Absent]), a response ([Decode]), or an [Index]
// of the fields that the resource varies on ([DecodeIndex]), which makes the key
// of the variant to look for. [Evaluate] has the [Decision] on what was found,
// and [Stored.Answer] with [Stored.AppendFields] the answer.
//
// # A validation
//
// For [Validate] the request is forwarded without the fields in [Conditionals]
// and with those of [Stored.AppendConditionals]. [Stored.OnResponse] and
// [Stored.OnFailure] have the [Outcome]; a 304 leads to [Stored.Update], whose
// result replaces the stored metadata and answers the request.
//
// # A new response
//
// [Admit] makes the metadata to store before the body, or says why the response
// must not be stored. [MergeIndex] says under which fields it varies. It is for
// the caller to store nothing of a body that did not arrive whole (RFC 9111
// section 3.3).
package rfc9111
