package control

import (
	"errors"
	"fmt"
	"strings"

	"github.com/tidegate/tidegate/dataplane/definition"
)

// Codes of Error: the shape names of the AWS service model, sent in
// x-amzn-ErrorType.
const (
	CodeBadRequest    = "BadRequestException"
	CodeValidation    = "ValidationException"
	CodeNotFound      = "NotFoundException"
	CodeConflict      = "ConflictException"
	CodeAccessDenied  = "AccessDeniedException"
	CodeTooManyCalls  = "TooManyRequestsException"
	CodeLimitExceeded = "LimitExceededException"
	CodeTooLarge      = "RequestEntityTooLargeException"
	CodeUnavailable   = "ServiceUnavailableException"
	CodeInternalError = "InternalFailure"
)

// Error is a failed operation: what the server sends in AWS's error shape and
// what the client returns.
type Error struct {
	Status  int    // HTTP status code
	Code    string // one of the Code constants, or another the server knows
	Message string
}

// Error returns the code and the message.
func (e *Error) Error() string { return e.Code + ": " + e.Message }

func badRequest(format string, args ...any) *Error {
	return &Error{400, CodeBadRequest, fmt.Sprintf(format, args...)}
}

func notFound(format string, args ...any) *Error {
	return &Error{404, CodeNotFound, fmt.Sprintf(format, args...)}
}

func conflict(format string, args ...any) *Error {
	return &Error{409, CodeConflict, fmt.Sprintf(format, args...)}
}

func denied(format string, args ...any) *Error {
	return &Error{403, CodeAccessDenied, fmt.Sprintf(format, args...)}
}

// limitExceeded refuses more of something than there can be.
func limitExceeded(format string, args ...any) *Error {
	return &Error{429, CodeLimitExceeded, fmt.Sprintf(format, args...)}
}

func unsupported(what string) *Error {
	return badRequest("%s is not supported yet", what)
}

// validation joins violated constraints of the service model the way AWS does.
// It returns nil when there are none.
func validation(problems []string) error {
	switch len(problems) {
	case 0:
		return nil
	case 1:
		return &Error{400, CodeValidation, "1 validation error detected: " + problems[0]}
	default:
		return &Error{400, CodeValidation, fmt.Sprintf("%d validation errors detected: %s", len(problems), strings.Join(problems, "; "))}
	}
}

func mustNotBeNull(member string) string {
	return fmt.Sprintf("Value null at '%s' failed to satisfy constraint: Member must not be null", member)
}

func mustBeOneOf(member, value string, values ...string) string {
	return fmt.Sprintf("Value '%s' at '%s' failed to satisfy constraint: Member must satisfy enum value set: [%s]", value, member, strings.Join(values, ", "))
}

// asError turns any error of an operation into the answer for it. What is not
// the caller's fault tells the caller no more than that.
func asError(err error) *Error {
	var answer *Error
	var invalid *definition.InvalidError
	switch {
	case errors.As(err, &answer):
		return answer
	case errors.As(err, &invalid):
		return badRequest("%s", invalid.Error())
	default:
		return &Error{500, CodeInternalError, "The operation failed and nothing was changed: " + err.Error()}
	}
}
