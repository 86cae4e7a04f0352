package jwt

// Result is what a token is found to be. Only Valid lets a request pass.
type Result uint8

// Results.
const (
	_               Result = iota
	Valid                  // signed by the issuer, for us, and in its time
	NeedKeys               // not decided: wait for the issuer's keys, see Authorizer.Await
	Missing                // no token
	NotThreeParts          // not header.payload.signature
	Malformed              // not a JWT, or one that says more than we understand
	WrongAlgorithm         // signed in a way that we or the key do not allow
	WrongIssuer            // of an issuer that the authorizer does not trust
	UnknownKey             // signed with a key that the issuer does not publish
	BadSignature           // not what the issuer has signed
	WrongClaims            // a claim we have to understand is not of its type, or exp is missing
	WrongAudience          // for somebody else
	WrongUse               // an access token in place of an ID token, or the reverse
	Expired                // exp has passed
	NotYetValid            // before nbf
	IssuedInFuture         // before iat
	WrongScope             // with none of the scopes that the method asks for
	DiscoveryFailed        // the issuer's configuration could not be fetched
	KeysFailed             // the issuer's keys could not be fetched
	results
)

// descriptions are what results are called in WWW-Authenticate and in logs. AWS
// documents that of WrongAudience; those of Missing, NotThreeParts, WrongIssuer,
// DiscoveryFailed and KeysFailed were seen in its answers and logs; the others
// are ours.
//
// Source: https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-troubleshooting-jwt.html
var descriptions = [results]string{
	0:               "undecided",
	Valid:           "valid",
	NeedKeys:        "JWKS communication error",
	Missing:         "token not provided",
	NotThreeParts:   "token contains an invalid number of segments",
	Malformed:       "token is malformed",
	WrongAlgorithm:  "signing method is invalid",
	WrongIssuer:     "issuer does not match",
	UnknownKey:      "the token's kid does not match a key of the issuer",
	BadSignature:    "signature is invalid",
	WrongClaims:     "token has invalid claims",
	WrongAudience:   "the token does not have a valid audience",
	WrongUse:        "the token is not of the right use",
	Expired:         "the token has expired",
	NotYetValid:     "the token is not valid yet",
	IssuedInFuture:  "the token was issued in the future",
	WrongScope:      "the token does not have a required scope",
	DiscoveryFailed: "OIDC discovery endpoint communication error",
	KeysFailed:      "JWKS communication error",
}

// String describes the result, as for $context.authorizer.error.
func (r Result) String() string {
	if r >= results {
		return descriptions[0]
	}
	return descriptions[r]
}

// labels are what results are called in metrics.
var labels = [results]string{
	Valid: "valid", NeedKeys: "keys_awaited", Missing: "missing", NotThreeParts: "not_three_parts", Malformed: "malformed",
	WrongAlgorithm: "wrong_algorithm", WrongIssuer: "wrong_issuer", UnknownKey: "unknown_key", BadSignature: "bad_signature",
	WrongClaims: "wrong_claims", WrongAudience: "wrong_audience", WrongUse: "wrong_use", Expired: "expired",
	NotYetValid: "not_yet_valid", IssuedInFuture: "issued_in_future", WrongScope: "wrong_scope",
	DiscoveryFailed: "discovery_failed", KeysFailed: "keys_failed",
}

// Labels returns the metric labels of all results, in the order of their Index.
func Labels() []string { return labels[Valid:] }

// Index returns the place of a result in Labels.
func (r Result) Index() int { return int(r - Valid) }

// Answer is what a client is told about a refusal: the HTTP status, and the value
// of "message" in the JSON body.
type Answer struct {
	Status  int
	Message string
}

var (
	unauthorized = Answer{401, "Unauthorized"}
	expired      = Answer{401, "The incoming token has expired"}
	forbidden    = Answer{403, "Forbidden"}
)

// Answer returns AWS's answer to a token that is refused. NeedKeys, of a request
// that has waited, is a refusal too.
//
// User pools answer with 401 whatever is wrong, JWT authorizers with 403 to a
// token without a scope of the method.
func (a *Authorizer) Answer(r Result) Answer {
	switch {
	case a.pools && r == Expired:
		return expired
	case !a.pools && r == WrongScope:
		return forbidden
	}
	return unauthorized
}

// AppendChallenge appends the value of the WWW-Authenticate field that goes with
// an answer (RFC 6750 section 3), in AWS's form, which has no commas. User pools
// send none, and dst comes back as it was.
func (a *Authorizer) AppendChallenge(dst []byte, r Result, scopes Scopes) []byte {
	if a.pools {
		return dst
	}
	dst = append(dst, "Bearer"...)
	if r == Missing {
		return dst
	}
	code := "invalid_token"
	if r == WrongScope {
		code = "insufficient_scope"
	}
	dst = append(append(append(dst, ` scope="`...), scopes.text...), `" error="`...)
	dst = append(append(append(dst, code...), `" error_description="`...), r.String()...)
	return append(dst, '"')
}
