// Package text has the text transformations of AWS WAF, which undo what
// attackers do to make a text look different to whoever inspects it than to
// whoever executes it. AWS took them from ModSecurity; where its documentation is
// silent, they are as ModSecurity's reference manual has them.
//
// A text is transformed in place, at the end of a buffer, so that in steady
// state nothing is allocated. What cannot be decoded stays as it is.
//
// Source: https://docs.aws.amazon.com/waf/latest/developerguide/waf-rule-statement-transformation.html
package text
