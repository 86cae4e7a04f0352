package control

import (
	"time"

	"github.com/tidegate/tidegate/dataplane/definition"
)

// WAF is the web application firewall, as the control socket sees it. Its methods
// may be called from any goroutine.
type WAF interface {
	// Uses returns the ids of the IP sets and of the regex pattern sets that the
	// rules of a web ACL name, by its id. In the edit function of an Update it is
	// that of the catalog given there.
	Uses(webACL string) (ipSets, patternSets []string)

	// Rules returns what the rules of a web ACL have done, in their order, and last
	// the default action, which has no name.
	Rules(webACL string) []RuleStats

	// Samples returns requests that a web ACL has seen lately, the newest first.
	Samples(webACL string) []SampledRequest

	// Inspections says how the inspections beside the event loops are.
	Inspections() Inspections

	// CheckPatterns says what is wrong with a regex pattern set.
	CheckPatterns(*definition.RegexPatternSet) error
}

// WebACL is a web ACL. A list leaves the document out.
type WebACL struct {
	Name        string            `json:"name"`
	ID          string            `json:"id"`
	ARN         string            `json:"arn"`
	Description string            `json:"description,omitempty"`
	Tags        map[string]string `json:"tags"`
	Document    string            `json:"document,omitempty"` // DefaultAction, Rules and so on, as AWS WAF has them
	Stages      []ProtectedStage  `json:"stages"`
}

// ProtectedStage is a stage that has a web ACL.
type ProtectedStage struct {
	APIID     string `json:"apiId"`
	StageName string `json:"stageName"`
}

// WebACLInput makes a web ACL or replaces its document.
type WebACLInput struct {
	Document    string            `json:"document"`
	Description *string           `json:"description,omitempty"` // nil leaves it as it is
	Tags        map[string]string `json:"tags,omitempty"`        // nil leaves them as they are
}

// IPSet is a list of address ranges, in short.
type IPSet struct {
	Name             string            `json:"name"`
	ID               string            `json:"id"`
	ARN              string            `json:"arn"`
	Description      string            `json:"description,omitempty"`
	Tags             map[string]string `json:"tags"`
	IPAddressVersion string            `json:"ipAddressVersion"` // definition.IPv4 or IPv6
	AddressCount     int               `json:"addressCount"`
	KernelGate       bool              `json:"kernelGate"` // it is kept out of the whole host
	WebACLs          []string          `json:"webAcls"`    // that name it

	Added    int      `json:"added,omitempty"`   // by this change
	Removed  int      `json:"removed,omitempty"` // by this change
	Warnings []string `json:"warnings,omitempty"`
}

// IPSetInput makes an IP set or changes it. nil leaves as it is.
type IPSetInput struct {
	IPAddressVersion string            `json:"ipAddressVersion,omitempty"` // empty: that of the addresses
	Addresses        []string          `json:"addresses,omitempty"`        // all of them
	Description      *string           `json:"description,omitempty"`
	Tags             map[string]string `json:"tags,omitempty"`
	KernelGate       *bool             `json:"kernelGate,omitempty"`
}

// RegexPatternSet is a list of regular expressions.
type RegexPatternSet struct {
	Name                  string            `json:"name"`
	ID                    string            `json:"id"`
	ARN                   string            `json:"arn"`
	Description           string            `json:"description,omitempty"`
	Tags                  map[string]string `json:"tags"`
	RegularExpressionList []string          `json:"regularExpressionList"`
	WebACLs               []string          `json:"webAcls"` // that name it
}

// RegexPatternSetInput makes a regex pattern set or replaces its expressions.
type RegexPatternSetInput struct {
	RegularExpressionList []string          `json:"regularExpressionList"`
	Description           *string           `json:"description,omitempty"` // nil leaves it as it is
	Tags                  map[string]string `json:"tags,omitempty"`        // nil leaves them as they are
}

// WAFStats is what web ACLs have done since the start of the daemon.
type WAFStats struct {
	WebACLs     []WebACLStats `json:"webAcls"` // by name
	Inspections Inspections   `json:"inspections"`
}

// WebACLStats is what the rules of a web ACL have done.
type WebACLStats struct {
	Name  string      `json:"name"`
	Rules []RuleStats `json:"rules"`
}

// RuleStats is what a rule has done.
type RuleStats struct {
	Rule    string `json:"rule,omitempty"` // empty for the default action
	Allowed uint64 `json:"allowed"`
	Blocked uint64 `json:"blocked"`
	Counted uint64 `json:"counted"`
}

// Inspections are those beside the event loops: of bodies, and by managed rules.
type Inspections struct {
	Running  int    `json:"running"`
	Waiting  int    `json:"waiting"`
	Refused  uint64 `json:"refused"`  // since too many waited
	TimedOut uint64 `json:"timedOut"` // since they took too long
	Failed   uint64 `json:"failed"`   // in the engine of managed rules
}

// SampledRequest is a request that a rule of a web ACL matched.
type SampledRequest struct {
	Time   time.Time `json:"time"`
	Rule   string    `json:"rule,omitempty"` // empty for the default action
	Action string    `json:"action"`         // ALLOW, BLOCK or COUNT
	Source string    `json:"source"`         // address of the connection
	Method string    `json:"method"`
	Host   string    `json:"host"`
	URI    string    `json:"uri"` // path and query, at most 256 bytes
}
