// Package policy evaluates IAM policy documents for API Gateway: identity
// policies, resource policies of APIs, and the policies that authorizers return.
//
// [Compile] reads a document strictly and refuses what it does not understand,
// naming the place. [Policy.Evaluate] decides about one action on one method ARN;
// it allocates nothing and takes no locks, and a Policy may be used by many
// goroutines at once. [Combine] and [Alone] join decisions as API Gateway does.
//
// # Differences from AWS
//
//   - Policy variables are resolved when a document is compiled, from
//     [Options.Variables]: an identity policy is compiled for its principal.
//   - Principals other than AWS ones are accepted and never match. A role's
//     principal ARN does not stand for its sessions' ARNs.
//   - A question mark stands for one byte.
//   - BinaryEquals is refused, as none of the keys has a binary value.
//
// Sources:
//   - https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_grammar.html
//   - https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_condition_operators.html
//   - https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic.html
//   - https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-resource-policies.html
//   - https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-authorization-flow.html
package policy
