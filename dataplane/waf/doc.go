// Package waf is the web application firewall: web ACLs in the form of AWS WAF
// v2, which stages have requests held against before any other access control.
//
// [Compile] reads an ACL strictly and refuses what it does not understand, naming
// the place. [ACL.Inspect] decides on the event loop, without a lock and, in
// steady state, without allocating; what takes a body or the rules of the OWASP
// Core Rule Set it leaves unfinished, for [ACL.Go] to finish on a goroutine. What
// outlives deployments is in a [Store].
//
// # Addresses
//
// Forwarded addresses are those that trusted proxies vouch for: see forwarder.
// AWS believes the first one in the field, which any client can write. A
// connection's address may be sentenced only if Verdict.OwnAddress says so.
//
// # Differences from AWS
//
//   - Up to 64 KiB of a body are inspected unless AssociationConfig says less; AWS
//     has 16 KiB by default. Headers and cookies are inspected to their end where
//     OversizeHandling is CONTINUE.
//   - The method is the one that the request is served by, so that
//     X-HTTP-Method-Override evades nothing.
//   - A header that comes several times is inspected each time. Names of query
//     arguments are compared after decoding.
//   - Regular expressions are RE2's, and see characters of UTF-8.
//   - JSON bodies are read on behind a repeated key.
//   - Where AWS wants the ARN of a set, its id or its name will do.
//   - IPv6 addresses are counted by /64. A rule that changes its limit alone keeps
//     what it has counted; AWS forgets it with any change.
//   - ManagedRuleGroupStatement runs rules of the OWASP Core Rule Set, also under
//     the names of AWS, whose own rules are not public: each group looks for the
//     kinds of attack that AWS documents for it. Excluded rules are not evaluated,
//     where AWS counts them. VisibilityConfig may be left out.
//   - There are no SqliMatchStatement, XssMatchStatement, AsnMatchStatement,
//     RuleGroupReferenceStatement, CAPTCHA, challenge and CustomRequestHandling.
//
// Source: https://docs.aws.amazon.com/waf/latest/APIReference/API_WebACL.html
package waf
