package waf

import (
	"net/netip"
	"slices"

	"github.com/gaissmai/bart"

	"github.com/tidegate/tidegate/dataplane/definition"
	"github.com/tidegate/tidegate/dataplane/waf/crs"
	"github.com/tidegate/tidegate/dataplane/waf/window"
)

// ACL is a compiled web ACL. It is immutable but for what its Store keeps; any
// number of goroutines may inspect with it, each with an Input of its own.
type ACL struct {
	rules      []rule
	otherwise  rule // the default action
	views      []view
	sets       []*bart.Lite // looked up by the connection's address
	forwarders []forwarder
	labels     []string // fully qualified
	proxies    *bart.Lite

	candidateWords int // of all literals
	due            due
	serial         uint64 // another one for every ACL

	id, name, arn  string
	labelPrefix    string
	bodyBytes      int
	needsBody      bool
	needsGoroutine bool

	store   *Store
	sampler *sampler
	rates   []*window.Counts // in use, for Store.Retain, as the following
	engines []*crs.Engine
	ipSets  []*definition.IPSet

	source      *definition.WebACL
	patternSets []*definition.RegexPatternSet
}

// rule is one of an ACL. What every request reads comes first.
type rule struct {
	statement  matcher
	needsBody  bool
	managed    bool
	action     action
	ownAddress bool // the statement is about the connection's address alone
	sampled    bool
	tally      *tally
	labels     bitset
	rate       *rate // nil for other statements
	response   *Response
	name       string
	metric     string
}

// Response is a custom response to requests that are blocked.
type Response struct {
	Status      int
	Fields      []byte // field lines, each with its CRLF
	ContentType string // of Body; empty without one
	Body        []byte
}

// ID returns the id of the web ACL.
func (a *ACL) ID() string { return a.id }

// Name returns the name of the web ACL.
func (a *ACL) Name() string { return a.name }

// ARN returns the ARN of the web ACL.
func (a *ACL) ARN() string { return a.arn }

// IPSets returns the IP sets that rules name, a set as often as they do. The
// caller must not change it.
func (a *ACL) IPSets() []*definition.IPSet { return a.ipSets }

// RegexPatternSets returns the pattern sets that rules name, a set as often as
// they do. The caller must not change it.
func (a *ACL) RegexPatternSets() []*definition.RegexPatternSet { return a.patternSets }

// MadeOf says that the ACL was compiled from a definition, and that the sets which
// its rules name are the same ones among those given, by id.
func (a *ACL) MadeOf(def *definition.WebACL, ipSets map[string]*definition.IPSet, patterns map[string]*definition.RegexPatternSet) bool {
	return a.source == def &&
		!slices.ContainsFunc(a.ipSets, func(set *definition.IPSet) bool { return ipSets[set.ID] != set }) &&
		!slices.ContainsFunc(a.patternSets, func(set *definition.RegexPatternSet) bool { return patterns[set.ID] != set })
}

// NeedsGoroutine says that Inspect may leave requests unfinished: those with a
// body, those with kilobytes of text for regular expressions, and where there are
// managed rules all that no earlier rule decides.
func (a *ACL) NeedsGoroutine() bool { return a.needsGoroutine }

// BodyBytes returns how much of a body has to be collected for a request that is
// unfinished; 0 where no rule looks at bodies.
func (a *ACL) BodyBytes() int {
	if !a.needsBody {
		return 0
	}
	return a.bodyBytes
}

// trusted says whether an address is a trusted proxy's.
func (a *ACL) trusted(addr netip.Addr) bool { return a.proxies != nil && a.proxies.Contains(addr) }
