// Package iam knows the internal callers: the users of the host's one account,
// the access keys that they sign requests with, and what their policies allow.
//
// # What a caller does
//
// A [Store] is the CredentialSource of a sigv4.Verifier. The Principal of an
// Identity that the Verifier returns is a *[Principal]; its Evaluate decides by
// all policies of the user, and policy.Combine joins that with the decision of
// the API's resource policy. Both allocate nothing and take no lock, so that an
// event loop may call them.
//
// # How a change comes into force
//
// [Store.Compile] turns a catalog into a [Set] and refuses what cannot be
// evaluated, naming the place; [Store.Swap] puts the Set in force. What a change
// does not touch stays: an access key keeps its Credential, and with it the keys
// derived for the day, and a user keeps its Principal. A request that began before
// the swap decides by the policies of after it, if it decides later.
//
// # Differences from AWS
//
//   - There are no groups, roles, permission boundaries or service control
//     policies, and a managed policy has one version.
//   - A policy variable needs a value: a user that lacks a tag cannot get a policy
//     that names it without a default. On AWS what names it then matches nothing,
//     so that a Deny stops nothing.
//
// Sources:
//   - https://docs.aws.amazon.com/IAM/latest/UserGuide/id_users.html
//   - https://docs.aws.amazon.com/IAM/latest/UserGuide/access_policies_managed-vs-inline.html
//   - https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_variables.html
package iam
