// Package lambda calls AWS Lambda functions, or what stands in for them on a
// host: any service with Lambda's operation Invoke, such as the Lambda runtime
// interface emulator.
//
// A [Client] waits for answers, so it is for goroutines, never for an event
// loop. [Request] is a request as functions are told of it.
//
// Sources:
//   - https://docs.aws.amazon.com/lambda/latest/api/API_Invoke.html
//   - https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html
//   - https://docs.aws.amazon.com/apigateway/latest/developerguide/set-up-lambda-proxy-integrations.html
//   - https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-lambda-authorizer-input.html
package lambda
