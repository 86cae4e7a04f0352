// Package firewall has what the web application firewall is measured with: a web ACL
// of a hundred rules, and the OWASP Core Rule Set in Tidegate's package waf and in
// the Coraza engine alone.
package firewall
