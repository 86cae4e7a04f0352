package definition

// WebACL is a web access control list: the rules that requests to a stage are
// held against before anything else decides about them.
//
// Source: https://docs.aws.amazon.com/waf/latest/APIReference/API_WebACL.html
type WebACL struct {
	ID          string            `json:"id"`
	Name        string            `json:"name"` // [A-Za-z0-9_-]{1,128}
	Description string            `json:"description,omitempty"`
	Tags        map[string]string `json:"tags,omitempty"`

	// Document is the rest as AWS WAF v2 has it: a JSON object with DefaultAction,
	// Rules, VisibilityConfig and so on.
	Document string `json:"document"`
}

// Kinds of things that have an ARN of AWS WAF.
const (
	KindWebACL          = "webacl"
	KindIPSet           = "ipset"
	KindRegexPatternSet = "regexpatternset"
)

// WAFARN returns the ARN of a web ACL, an IP set or a regex pattern set.
//
// Source: https://docs.aws.amazon.com/service-authorization/latest/reference/list_awswafv2.html
func WAFARN(region, account, kind, name, id string) string {
	return "arn:aws:wafv2:" + region + ":" + account + ":regional/" + kind + "/" + name + "/" + id
}

// Address versions of an IPSet.
const (
	IPv4 = "IPV4"
	IPv6 = "IPV6"
)

// IPSet is a list of address ranges for the rules of web ACLs.
//
// Source: https://docs.aws.amazon.com/waf/latest/APIReference/API_IPSet.html
type IPSet struct {
	ID               string            `json:"id"`
	Name             string            `json:"name"`
	Description      string            `json:"description,omitempty"`
	IPAddressVersion string            `json:"ipAddressVersion"` // IPv4 or IPv6
	Tags             map[string]string `json:"tags,omitempty"`

	// KernelGate keeps the addresses out of the whole host, in the kernel where it
	// can. AWS does not have it.
	KernelGate bool `json:"kernelGate,omitempty"`

	Addresses Prefixes `json:"-"`
}

// RegexPatternSet is a list of regular expressions for the rules of web ACLs.
//
// Source: https://docs.aws.amazon.com/waf/latest/APIReference/API_RegexPatternSet.html
type RegexPatternSet struct {
	ID          string            `json:"id"`
	Name        string            `json:"name"`
	Description string            `json:"description,omitempty"`
	Tags        map[string]string `json:"tags,omitempty"`

	RegularExpressions []string `json:"regularExpressionList"`
}
