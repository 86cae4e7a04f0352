package lambda

import (
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
)

// Answer is what a function answered.
type Answer struct {
	Payload []byte // JSON, if the function keeps to it

	// FunctionError is empty if the function returned. Else it failed, and
	// Payload says how: see [Answer.Failure].
	FunctionError string
}

// Failure is what a function that failed says of it.
type Failure struct {
	Message string `json:"errorMessage"`
	Type    string `json:"errorType"`
}

// Failure reads what the function says of its failure. It is empty where the
// payload does not say.
func (a *Answer) Failure() Failure {
	var f Failure
	if json.Unmarshal(a.Payload, &f) != nil {
		return Failure{}
	}
	return f
}

// findError sets FunctionError where the payload alone says that the function
// failed, as with the Lambda runtime interface emulator. On AWS the header field
// X-Amz-Function-Error says so.
func (a *Answer) findError() {
	if f := a.Failure(); a.FunctionError == "" && f.Message != "" && f.Type != "" {
		a.FunctionError = "Unhandled"
	}
}

// Error says why there is no answer of a function.
type Error struct {
	Function string
	Status   int    // of who refused the call; 0 if there was no answer at all
	Code     string // AWS's name of the refusal, such as ResourceNotFoundException
	Message  string // AWS's

	cause error
}

// Error returns what went wrong with which function.
func (e *Error) Error() string {
	text := "invoke function " + e.Function + ": "
	switch {
	case e.cause != nil:
		return text + e.cause.Error()
	case e.Code != "" || e.Message != "":
		return text + fmt.Sprintf("status %d: %s: %s", e.Status, e.Code, e.Message)
	}
	return text + fmt.Sprintf("status %d", e.Status)
}

// Unwrap returns what caused it, if that is not the service's refusal.
func (e *Error) Unwrap() error { return e.cause }

// Timeout reports whether the time was up.
func (e *Error) Timeout() bool {
	t := net.Error(nil)
	return errors.As(e.cause, &t) && t.Timeout()
}

// Throttled reports whether too many calls are under way, of the function or of
// the account.
func (e *Error) Throttled() bool { return e.Status == http.StatusTooManyRequests }

// Refused reports whether the call will not do, however often it is made: there
// is no such function, or it may not be called, or not with this payload, or it
// answers too much.
func (e *Error) Refused() bool {
	return e.Status >= 300 && e.Status < 500 && !e.Throttled() || errors.Is(e.cause, errTooLarge)
}

var errTooLarge = errors.New("the answer is over the limit")

// maxMessage bounds what is kept of a refusal's text, in bytes.
const maxMessage = 512

// refusal reads the answer of a service that did not call the function.
func refusal(function string, resp *http.Response, body []byte) *Error {
	e := &Error{Function: function, Status: resp.StatusCode, Code: resp.Header.Get("X-Amzn-Errortype")}
	var text struct{ Message string } // AWS writes it with and without a capital
	if json.Unmarshal(body, &text) == nil {
		e.Message = text.Message[:min(len(text.Message), maxMessage)]
	}
	return e
}
