// Package authorizer asks an API owner's own code whether a caller may call: the
// custom authorizers of types TOKEN and REQUEST, which are Lambda functions or
// HTTP endpoints.
//
// # What a caller does
//
// [Compile] makes an [Authorizer] for a stage. On the event loop that serves a
// request,
//
//  1. [Authorizer.AppendKey] makes the key of who calls. It is false for a request
//     that has no identity: 401.
//  2. [Authorizer.Lookup] returns the verdict that is remembered for the key. So
//     far nothing is allocated and no lock is taken.
//  3. Without one, [Authorizer.Ask] has the owner's code asked, on a goroutine,
//     once for all requests with the key. The verdict comes to a [Waiter]. A
//     request that ends before calls [Authorizer.Leave].
//  4. [Verdict.Evaluate] decides about the method ARN, on every request.
//
// A [Question] is made only for a call of step 3. What it has is used on another
// goroutine, so whoever serves the request copies it out of its buffers.
// [Authorizer.Caller] and [Verdict.Said] tell callers, and what was said of them,
// apart for others than us.
//
// # Outcomes
//
//	outcome        status  response type                   body
//	Unauthorized   401     UNAUTHORIZED                    {"message":"Unauthorized"}
//	Failed         500     AUTHORIZER_FAILURE              {"message":"Internal server error"}
//	Misconfigured  500     AUTHORIZER_CONFIGURATION_ERROR  {"message":null}
//	Decided, deny  403     ACCESS_DENIED                   {"Message":Denial(decision)}
//
// When too many requests wait ([Busy]) the call was never made: 503, as for a
// backend that too many wait for. There is no outcome that lets a request in
// because an answer is missing.
//
// # What is remembered
//
// Policies alone, as on AWS: not that a caller is unauthorized, and no failure.
// A policy is remembered for who calls, whatever was called, and is evaluated
// again on each request. So a policy that allows the one method it was asked for
// denies all others until it expires: that trap is AWS's, and kept. With a time
// to live of 0 every request asks for itself. Policies that allow nothing have a
// smaller room of their own, so that whoever sends garbage has no others forgotten.
//
// What is remembered outlives deployments, unless the authorizer's definition
// changes, and ends with [Store.Flush].
//
// # Differences from AWS
//
//   - An authorizer may be an http:// or https:// URL, that is sent the same event
//     by POST. It answers 200 with the same JSON as a function; 401 is
//     Unauthorized, 403 is an explicit deny that is not remembered, and anything
//     else is a failure.
//   - A key has all values of a header field or a query parameter and not only the
//     last one, since the function sees all of them. Query parameters are compared
//     as they came: differently encoded ones are different callers.
//   - Validation expressions are RE2's, see [Compile].
//   - Members of an answer that nothing knows are ignored; one that is there twice
//     is an error, and so is a context member "claims".
//   - HTTP API authorizers (payload format 2.0, simple responses) are refused.
//
// Sources:
//   - https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-use-lambda-authorizer.html
//   - https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-lambda-authorizer-input.html
//   - https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-lambda-authorizer-output.html
//   - https://docs.aws.amazon.com/apigateway/latest/developerguide/supported-gateway-response-types.html
package authorizer
