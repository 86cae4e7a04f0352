// Package auth says who calls a method and whether it may: what stands before a
// method is compiled into its Guard, and whoever passed it is one Identity.
//
// How callers are recognised is in the packages below: sigv4 (signed requests)
// with iam (their principals), jwt (tokens of user pools), authorizer (custom
// ones); what they may do is in policy. Nothing here blocks: what has to ask
// somebody says so, and the pipeline comes back with the answer.
//
// Source: https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-authorization-flow.html
package auth
