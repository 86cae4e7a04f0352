// Package sigv4 verifies requests signed with AWS Signature Version 4, in the
// header form (Authorization) and in the presigned form (query parameters).
//
// It does no I/O. The time is a parameter, nanoseconds since the Unix epoch; a
// verification whose signing key was derived before allocates nothing.
//
// # What a caller does
//
// A [Verifier] is made for one region and service. [Verifier.Verify] returns the
// [Identity] that signed a parsed request, or a [Failure] with AWS's status,
// error type and message. Signatures cover the SHA-256 of the body. A client
// either declares it in X-Amz-Content-Sha256, and then [Body] compares it with
// what arrives; or it does not, and then [NeedsBody] reports that the body has
// to be read and hashed before Verify.
//
// # What is verified
//
// The canonical request is made from the bytes as received: the path is encoded
// once more, as for every service but S3; query parameters are sorted by their
// encoded bytes. Where AWS's SDKs differ the request is read both ways, see
// [reading]. A host that was routed elsewhere than it was signed for, and an
// unsigned X-Amz field, are refused. Replaying a request within its validity is
// possible, as it is on AWS. A Host that is signed with capitals is refused, since
// http1 lower-cases it.
//
// Sources:
//   - https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html
//   - https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-authentication-methods.html
//   - https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-troubleshooting.html
package sigv4
