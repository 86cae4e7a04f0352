package waf

import (
	"encoding/json"
	"fmt"
	"maps"
	"math"
	"net/netip"
	"slices"
	"strings"

	"github.com/gaissmai/bart"

	"github.com/tidegate/tidegate/dataplane/definition"
)

// Bounds of web ACLs, AWS's where it has one.
const (
	maxPriority      = math.MaxInt32
	DefaultBodyBytes = 64 << 10 // AWS: 16 KiB, and at most 64
	maxResponseBytes = 4096     // of a body
	maxResponses     = 50
	maxFields        = 10 // of a custom response
)

// Options are what an ACL is compiled with.
type Options struct {
	Store          *Store         // nil: one of its own, to validate a document
	Region         string         // in ARNs
	Account        string         // in ARNs and labels
	TrustedProxies []netip.Prefix // whose word on forwarded addresses counts
	Geo            *Geo           // nil: GeoMatchStatement is refused
}

// compiler is one Compile. It remembers the first problem.
type compiler struct {
	problem
	acl      *ACL
	store    *Store
	options  Options
	ipSets   map[string]*definition.IPSet
	patterns map[string]*definition.RegexPatternSet

	responses    map[string]value // CustomResponseBodies
	viewNumbers  map[string]int
	needsBody    bool // of the rule being compiled
	needsTime    bool // there are regular expressions
	labelMatches []*labelMatch
	need         []need // strings that statements look for
}

// Compile compiles a web ACL with the IP sets and pattern sets that it may name,
// by id. Errors name the web ACL and the place in its document, and say what to
// do. It starts nothing, and changes nothing that is in use.
func Compile(def *definition.WebACL, ipSets map[string]*definition.IPSet, patterns map[string]*definition.RegexPatternSet, o Options) (*ACL, error) {
	document, err := parseDocument(def.Document)
	if err != nil {
		return nil, fmt.Errorf("web ACL %q: %w", def.Name, err)
	}
	if o.Store == nil {
		o.Store = NewStore(Settings{RateKeys: 1})
	}
	c := &compiler{store: o.Store, options: o, ipSets: ipSets, patterns: patterns, viewNumbers: map[string]int{}}
	c.acl = &ACL{
		id: def.ID, name: def.Name, source: def,
		arn:         definition.WAFARN(o.Region, o.Account, definition.KindWebACL, def.Name, def.ID),
		labelPrefix: labelPrefix + o.Account + ":webacl:" + def.Name + ":",
		serial:      serials.Add(1),
		store:       o.Store, sampler: o.Store.sampler(def.ID),
	}
	if len(o.TrustedProxies) > 0 {
		c.acl.proxies = new(bart.Lite)
		for _, p := range o.TrustedProxies {
			if p.Addr().Is4In6() && p.Bits() >= 96 {
				p = netip.PrefixFrom(p.Addr().Unmap(), p.Bits()-96)
			}
			c.acl.proxies.Insert(p)
		}
	}
	c.document(document)
	if c.err != nil {
		return nil, fmt.Errorf("web ACL %q: %w", def.Name, c.err)
	}
	return c.acl, nil
}

func (c *compiler) document(document value) {
	o := c.object(document, "DefaultAction", "Rules", "VisibilityConfig", "CustomResponseBodies", "AssociationConfig")
	c.acl.bodyBytes = c.bodyBytes(o)
	c.responses = map[string]value{}
	if bodies, ok := o.members["CustomResponseBodies"]; ok {
		c.responseBodies(bodies)
	}
	c.acl.otherwise = rule{tally: c.store.tally(tallyID{acl: c.acl.id})}
	c.visibility(o, &c.acl.otherwise)
	name, spec := c.only(o.need("DefaultAction"), "Allow", "Block")
	c.action(&c.acl.otherwise, name, spec)

	items := o.list("Rules", 0, MaxRules)
	slices.SortStableFunc(items, func(a, b value) int { return int(priority(a) - priority(b)) })
	names, priorities := map[string]bool{}, map[int64]bool{}
	for _, item := range items {
		r, at := c.rule(item)
		if names[r.name] {
			c.report(join(item.at, "Name"), "%q is given twice; give each rule its own", r.name)
		}
		if priorities[at] {
			c.report(join(item.at, "Priority"), "%d is given twice; give each rule its own", at)
		}
		names[r.name], priorities[at] = true, true
		c.acl.rules = append(c.acl.rules, r)
		c.acl.needsBody = c.acl.needsBody || r.needsBody
		c.acl.needsGoroutine = c.acl.needsGoroutine || r.needsBody || r.managed || c.needsTime
	}
	c.resolveLabels()
	if c.buildLiterals(); c.err == nil {
		c.findDue()
	}
}

// priority is that of a rule that has one; the others are refused later.
func priority(item value) (n int64) {
	p := item.members["Priority"]
	_, _ = fmt.Sscan(p.text, &n)
	return n
}

// bodyBytes compiles AssociationConfig.
func (c *compiler) bodyBytes(o object) int {
	if !o.has("AssociationConfig") {
		return DefaultBodyBytes
	}
	body := c.object(c.object(o.members["AssociationConfig"], "RequestBody").need("RequestBody"), "API_GATEWAY")
	limit := c.object(body.need("API_GATEWAY"), "DefaultSizeInspectionLimit").choice("DefaultSizeInspectionLimit", true, "KB_16", "KB_32", "KB_48", "KB_64")
	return map[string]int{"KB_16": 16, "KB_32": 32, "KB_48": 48, "KB_64": 64}[limit] << 10
}

// visibility compiles VisibilityConfig, which may be missing.
func (c *compiler) visibility(o object, r *rule) {
	r.sampled, r.metric = true, r.name
	if !o.has("VisibilityConfig") {
		return
	}
	v := c.object(o.members["VisibilityConfig"], "SampledRequestsEnabled", "CloudWatchMetricsEnabled", "MetricName")
	r.sampled = v.flag("SampledRequestsEnabled", true)
	v.flag("CloudWatchMetricsEnabled", true) // counting costs nothing
	r.metric = v.string("MetricName", 1, 128)
}

// rule compiles a rule.
func (c *compiler) rule(item value) (r rule, priority int64) {
	o := c.object(item, "Name", "Priority", "Statement", "Action", "OverrideAction", "RuleLabels", "VisibilityConfig")
	r.name = o.string("Name", 1, 128)
	if strings.ContainsFunc(r.name, func(c rune) bool { return !isLabelRune(c) || c == ':' }) {
		c.report(join(o.at, "Name"), "%q may have letters, digits, '_' and '-' only", r.name)
	}
	priority = o.number("Priority", 0, maxPriority)
	c.visibility(o, &r)
	c.needsBody = false
	statement := o.need("Statement")
	_, r.managed = statement.members["ManagedRuleGroupStatement"]
	if r.managed {
		c.managedRule(o, &r, statement)
	} else {
		c.ordinaryRule(o, &r, statement)
	}
	r.needsBody = c.needsBody
	r.labels = c.ruleLabels(o)
	r.tally = c.store.tally(tallyID{c.acl.id, r.name})
	return r, priority
}

func (c *compiler) managedRule(o object, r *rule, statement value) {
	for _, name := range []string{"Action", "RuleLabels"} {
		if o.has(name) {
			c.report(join(o.at, name), "cannot be given to a rule with a ManagedRuleGroupStatement; it has an OverrideAction")
		}
	}
	_, spec := c.only(statement, "ManagedRuleGroupStatement")
	name, with := c.only(o.need("OverrideAction"), "None", "Count")
	if name == "None" {
		c.empty(with)
		name, with = "Block", value{at: with.at, kind: isObject}
	}
	c.action(r, name, with)
	r.statement = c.managed(spec)
	c.needsBody = true
}

func (c *compiler) ordinaryRule(o object, r *rule, statement value) {
	if o.has("OverrideAction") {
		c.report(join(o.at, "OverrideAction"), "is for a ManagedRuleGroupStatement; write Action")
	}
	name, with := c.only(o.need("Action"), "Allow", "Block", "Count", "Captcha", "Challenge")
	c.action(r, name, with)
	if spec, ok := statement.members["RateBasedStatement"]; ok {
		c.only(statement, "RateBasedStatement")
		r.rate = c.rate(spec, r.name)
		r.statement, r.ownAddress = r.rate, len(r.rate.keys) == 1 && r.rate.keys[0].of == byAddress
		if r.action == allow {
			c.report(join(o.at, "Action"), "cannot be Allow for a RateBasedStatement; write Block or Count")
		}
		return
	}
	r.statement = c.statement(statement, standing{depth: 1, direct: r.action == block})
	r.ownAddress = ownAddress(r.statement)
}

// ownAddress says whether a statement is about the connection's address alone.
func ownAddress(m matcher) bool {
	switch m := m.(type) {
	case *setMatch:
		return true
	case anyOf:
		return len(m) > 0 && !slices.ContainsFunc(m, func(one matcher) bool { return !ownAddress(one) })
	}
	return false
}

// action compiles an action by its name.
func (c *compiler) action(r *rule, name string, spec value) {
	switch name {
	case "Allow", "Count":
		if handling, ok := spec.members["CustomRequestHandling"]; ok {
			c.report(handling.at, "is not supported: requests go on as they came; leave it out")
		}
		if c.empty(spec); name == "Count" {
			r.action = countOnly
		}
	case "Block":
		r.action = block
		if o := c.object(spec, "CustomResponse"); o.has("CustomResponse") {
			r.response = c.response(o.members["CustomResponse"])
		}
	case "Captcha", "Challenge":
		c.report(spec.at, "is not supported: there are no tokens of browsers here; write Block or Count")
	}
}

// statuses are those that AWS lets custom responses have.
//
// Source: https://docs.aws.amazon.com/waf/latest/developerguide/customizing-the-response-status-codes.html
var statuses = []int64{
	200, 201, 202, 204, 206, 300, 301, 302, 303, 304, 307, 308, 400, 401, 403, 404, 405, 408, 409, 411, 412, 413, 414, 415, 416, 421, 429, 500, 501, 502, 503, 504, 505,
}

// framing are fields that the gateway writes itself.
var framing = []string{"content-type", "content-length", "transfer-encoding", "connection", "keep-alive", "upgrade", "trailer", "te", "date"}

func (c *compiler) response(spec value) *Response {
	o := c.object(spec, "ResponseCode", "CustomResponseBodyKey", "ResponseHeaders")
	status := o.number("ResponseCode", 200, 599)
	if !slices.Contains(statuses, status) {
		c.report(join(o.at, "ResponseCode"), "%d is none of those that AWS has: %d", status, statuses)
	}
	r := &Response{Status: int(status)}
	seen := map[string]bool{}
	for _, item := range o.list("ResponseHeaders", 0, maxFields) {
		h := c.object(item, "Name", "Value")
		name, text := h.string("Name", 1, 64), h.string("Value", 1, 255)
		lower := strings.ToLower(name)
		switch {
		case strings.ContainsFunc(name, func(r rune) bool { return !isLabelRune(r) && !strings.ContainsRune("!#$%&'*+.^`|~", r) || r == ':' }):
			c.report(join(h.at, "Name"), "%q is no name of a field", name)
		case slices.Contains(framing, lower):
			c.report(join(h.at, "Name"), "%q is written by the gateway; leave it out", name)
		case seen[lower]:
			c.report(join(h.at, "Name"), "%q is given twice", name)
		case strings.ContainsFunc(text, func(r rune) bool { return r < 0x20 || r >= 0x7f }):
			c.report(join(h.at, "Value"), "may have printable ASCII characters only")
		}
		seen[lower] = true
		r.Fields = append(r.Fields, name+": "+text+"\r\n"...)
	}
	if o.has("CustomResponseBodyKey") {
		key := o.string("CustomResponseBodyKey", 1, 128)
		body, ok := c.responses[key]
		switch {
		case !ok:
			c.report(join(o.at, "CustomResponseBodyKey"), "%q is not in CustomResponseBodies", key)
		case status == 204 || status == 304:
			c.report(join(o.at, "CustomResponseBodyKey"), "a response with status %d has no body", status)
		}
		r.Body = []byte(body.members["Content"].text)
		r.ContentType = contentTypes[body.members["ContentType"].text]
	}
	return r
}

var contentTypes = map[string]string{"TEXT_PLAIN": "text/plain", "TEXT_HTML": "text/html", "APPLICATION_JSON": "application/json"}

// responseBodies checks CustomResponseBodies.
func (c *compiler) responseBodies(bodies value) {
	if bodies.kind != isObject || len(bodies.members) > maxResponses {
		c.report(bodies.at, "must be an object of at most %d bodies", maxResponses)
	}
	for _, key := range slices.Sorted(maps.Keys(bodies.members)) {
		body := bodies.members[key]
		b := c.object(body, "Content", "ContentType")
		content := b.string("Content", 1, maxResponseBytes)
		if b.choice("ContentType", true, "TEXT_PLAIN", "TEXT_HTML", "APPLICATION_JSON") == "APPLICATION_JSON" && !json.Valid([]byte(content)) {
			c.report(join(b.at, "Content"), "is no JSON")
		}
		c.responses[key] = body
	}
}
