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

	// ResourceType names what is missing, of NotFoundExceptions on WebSocket APIs.
	ResourceType string
}

// Error returns the code and the message.
func (e *Error) Error() string { return e.Code + ": " + e.Message }

func badRequest(format string, args ...any) *Error {
	return &Error{Status: 400, Code: CodeBadRequest, Message: fmt.Sprintf(format, args...)}
}

func notFound(format string, args ...any) *Error {
	return &Error{Status: 404, Code: CodeNotFound, Message: fmt.Sprintf(format, args...)}
}

// missing is notFound of the operations on WebSocket APIs.
func missing(resourceType, format string, args ...any) *Error {
	e := notFound(format, args...)
	e.ResourceType = resourceType
	return e
}

func conflict(format string, args ...any) *Error {
	return &Error{Status: 409, Code: CodeConflict, Message: fmt.Sprintf(format, args...)}
}

func denied(format string, args ...any) *Error {
	return &Error{Status: 403, Code: CodeAccessDenied, Message: fmt.Sprintf(format, args...)}
}

// limitExceeded refuses more of something than there can be.
func limitExceeded(format string, args ...any) *Error {
	return &Error{Status: 429, Code: CodeLimitExceeded, Message: fmt.Sprintf(format, args...)}
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
		return &Error{Status: 400, Code: CodeValidation, Message: "1 validation error detected: " + problems[0]}
	default:
		return &Error{Status: 400, Code: CodeValidation, Message: fmt.Sprintf("%d validation errors detected: %s", len(problems), strings.Join(problems, "; "))}
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
		return &Error{Status: 500, Code: CodeInternalError, Message: "The operation failed and nothing was changed: " + err.Error()}
	}
}
