// Package jwt verifies the tokens of JWT and COGNITO_USER_POOLS authorizers.
//
// # What a caller does
//
// [NewKeys] makes the store of the issuers' keys, which outlives deployments.
// [Compile] makes an [Authorizer] of a definition, [CompileScopes] the [Scopes]
// of a method, and [Keys.Retain] has the keys of the authorizers that serve
// fetched. A request's token, found at [Authorizer.Source] and through [Token], is
// given to [Authorizer.Check], on any event loop: it never blocks, and a token
// that was seen before costs no allocation. One that was not costs the CPU time of
// its signature: throttle before. While the keys are being fetched the result is
// [NeedKeys], and [Authorizer.Await] wakes the request afterwards.
// [Authorizer.Answer] and [Authorizer.AppendChallenge] tell a client why it is
// refused. A request that carries more than one token is the caller's to refuse.
//
// # Keys
//
// Keys come from the jwks_uri of the issuer's configuration (OpenID Connect
// Discovery), over https and from public addresses, unless the host allows more.
// They are fetched in the background about every two hours, and when a token names
// a key that is not known, at most once a minute. The last good ones stay while
// that fails. A key that is no longer published takes all it has signed with it.
//
// # Verification
//
// A token names its key, and nothing else about its verification: the key says
// which algorithms it allows, and each of them verifies by itself. What a token
// brings along for that (jku, jwk, x5u, x5c) is ignored, what it wants understood
// (crit, b64, zip) refuses it. JSON is read as strictly as base64url: repeated
// names, at any depth, refuse the token.
//
// ECDSA signatures are accepted with either s (RFC 7518 section 3.4 asks for
// none), so that one token can have two forms. Both claim the same; do not tell
// tokens apart by their text.
//
// # The library
//
// Signatures are verified by github.com/golang-jwt/jwt/v5 (v5.3.1, January 2026;
// MIT; no dependencies; its advisories, CVE-2025-30204 and CVE-2024-51744, are
// about its parser, which is not used). Its signing methods are values that take
// bytes, signature and key, so that the key decides. In github.com/go-jose/go-jose/v4
// (v4.1.9, November 2026; Apache-2.0) and github.com/lestrrat-go/jwx/v3 (v3.4.0,
// October 2026; MIT; ten dependencies) the verifier is chosen by the token's header
// after a comparison with a list, the header is parsed again, and most of the code
// and most of the advisories (CVE-2026-34986, CVE-2025-27144, CVE-2024-28180) are
// about encryption, which we never want.
//
// # Differences from AWS
//
//   - Keys may also be for ES256, ES384, ES512, PS256, PS384, PS512 and EdDSA; AWS
//     has RS256, RS384 and RS512 alone.
//   - A key set may have 256 KiB, where AWS allows 150,000 bytes, and 100 keys.
//   - RSA keys below 2048 bits, and tokens above 8 KiB, are refused.
//   - The clock of an issuer may be 10 seconds ahead (nbf, iat). AWS documents no
//     leeway; exp has none here either.
//   - A typ of other tokens, such as logout+jwt, and a cty refuse the token.
//   - An issuer's configuration has to name the issuer exactly.
//   - identityValidationExpression is a regular expression of RE2. Of an access
//     token it has to match client_id.
//
// Sources:
//   - https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-jwt-authorizer.html
//   - https://docs.aws.amazon.com/apigateway/latest/developerguide/rest-api-jwt-authorizer.html
//   - https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-integrate-with-cognito.html
//   - https://docs.aws.amazon.com/cognito/latest/developerguide/amazon-cognito-user-pools-using-tokens-verifying-a-jwt.html
//   - RFC 7515, RFC 7517, RFC 7518, RFC 7519, RFC 8037, RFC 8725
package jwt
