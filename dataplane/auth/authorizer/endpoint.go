package authorizer

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"strings"
)

// endpoint is the owner's code.
type endpoint interface {
	// ask sends an event, and waits for the answer no longer than ctx.
	ask(ctx context.Context, event []byte) Verdict
}

// compileEndpoint finds what a URI names.
func compileEndpoint(uri string, scope *Scope, store *Store, s *state) (endpoint, error) {
	if strings.HasPrefix(uri, "arn:") {
		if scope.Function == nil || store.options.Lambda == nil {
			return nil, fmt.Errorf("%q is a Lambda function, and the host calls none: write an http:// or https:// URL", uri)
		}
		function, err := scope.Function(uri)
		if err != nil {
			return nil, err
		}
		return &functionEndpoint{store.options.Lambda, function}, nil
	}
	u, err := url.Parse(uri)
	if err != nil {
		return nil, err
	}
	if u.Scheme != "http" && u.Scheme != "https" || u.Hostname() == "" || u.User != nil || u.Fragment != "" {
		return nil, fmt.Errorf("%q: write http:// or https://, a host and a path, without user and fragment, or the ARN of a Lambda invocation", uri)
	}
	return &httpEndpoint{url: u.String(), agent: "AmazonAPIGateway_" + scope.APIID, client: s.client}, nil
}

// Lambda calls functions.
type Lambda interface {
	// Invoke calls a function, as Scope.Function named it, and waits for its result
	// no longer than ctx. failed is true if the function threw an error; then the
	// result has its errorMessage.
	//
	// err is why there is no result. It may have methods Timeout, that it took too
	// long, and Refused, that the function may not be called, or is not there.
	Invoke(ctx context.Context, function string, event []byte) (result []byte, failed bool, err error)
}

// unauthorized is the error message of a function that does not know the caller.
const unauthorized = "Unauthorized"

type functionEndpoint struct {
	lambda   Lambda
	function string
}

// ask implements endpoint. That what a function throws, and a function that may
// not be called, is AUTHORIZER_CONFIGURATION_ERROR, is reported and not
// documented.
func (e *functionEndpoint) ask(ctx context.Context, event []byte) Verdict {
	result, threw, err := e.lambda.Invoke(ctx, e.function, event)
	switch {
	case err != nil:
		return noAnswer(err)
	case threw:
		var thrown struct {
			Message string `json:"errorMessage"`
		}
		if json.Unmarshal(result, &thrown) == nil && thrown.Message == unauthorized {
			return Verdict{Outcome: Unauthorized}
		}
		return misconfigured(fmt.Errorf("function %s failed: %.200q", e.function, thrown.Message))
	}
	v, err := parseResult(result)
	if err != nil {
		return misconfigured(fmt.Errorf("function %s: %w", e.function, err))
	}
	return v
}

// noAnswer is the verdict on a call that failed.
func noAnswer(err error) Verdict {
	var late interface{ Timeout() bool }
	var no interface{ Refused() bool }
	switch {
	case errors.As(err, &late) && late.Timeout():
		return Verdict{Outcome: onTimeout, Err: err}
	case errors.As(err, &no) && no.Refused():
		return misconfigured(err)
	}
	return failed(err)
}

// unresolved is an endpoint whose URI makes no sense without a stage variable.
type unresolved struct{ err error }

func (e unresolved) ask(context.Context, []byte) Verdict { return misconfigured(e.err) }

// unchecked stands in for a host's functions when a definition is only checked.
type unchecked struct{}

// Invoke implements Lambda.
func (unchecked) Invoke(context.Context, string, []byte) ([]byte, bool, error) {
	return nil, false, errors.New("the host calls no Lambda functions")
}
