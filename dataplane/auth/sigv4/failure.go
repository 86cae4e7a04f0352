package sigv4

// Kind says what is wrong with a request's signature.
type Kind uint8

// Kinds.
const (
	MissingToken     Kind = iota + 1 // the request is not signed
	Incomplete                       // the signature cannot be read
	InvalidSignature                 // it is not the request's, or of another time, region or service
	InvalidToken                     // no such access key, or a session token that is not the key's
	ExpiredToken                     // the session is over
)

var errorTypes = [...]string{
	MissingToken:     "MissingAuthenticationTokenException",
	Incomplete:       "IncompleteSignatureException",
	InvalidSignature: "InvalidSignatureException",
	InvalidToken:     "UnrecognizedClientException",
	ExpiredToken:     "ExpiredTokenException",
}

// Status returns the HTTP status of the refusal.
func (k Kind) Status() int { return 403 }

// ErrorType returns the value of x-amzn-ErrorType.
func (k Kind) ErrorType() string { return errorTypes[k] }

// Failure is why a request is refused. Its message may quote the request, and
// has to be escaped where it is shown.
type Failure struct {
	Kind    Kind
	Message string
}

// Failures without a text of their own. They are shared, and must not be
// changed.
var (
	missingToken = &Failure{MissingToken, "Missing Authentication Token"}
	mismatch     = &Failure{InvalidSignature, "The request signature we calculated does not match the signature you provided. " +
		"Check your AWS Secret Access Key and signing method. Consult the service documentation for details."}
	invalidToken = &Failure{InvalidToken, "The security token included in the request is invalid."}
	expiredToken = &Failure{ExpiredToken, "The security token included in the request is expired"}
	hostUnsigned = &Failure{InvalidSignature, "'Host' or ':authority' must be a 'SignedHeader' in the AWS Authorization."}
)

func incomplete(message string) *Failure { return &Failure{Incomplete, message} }

func invalid(message string) *Failure { return &Failure{InvalidSignature, message} }
