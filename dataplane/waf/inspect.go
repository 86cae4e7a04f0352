package waf

// Outcome is what becomes of a request.
type Outcome uint8

// Outcomes. The zero value lets nothing pass.
const (
	Unfinished  Outcome = iota // what is left is for a goroutine: see ACL.Go
	Allowed                    // other access controls are next
	Blocked                    // with the Verdict's Response
	Unavailable                // it could not be inspected: 503
)

// action is what a rule does with what it matches.
type action uint8

const (
	allow action = iota
	block
	countOnly
)

var actionNames = [...]string{allow: "ALLOW", block: "BLOCK", countOnly: "COUNT"}

// Verdict is what an ACL says of a request.
type Verdict struct {
	Outcome Outcome

	// OwnAddress says that it was blocked for the address of its connection, and
	// for nothing that it says of itself: only then may the address be sentenced.
	// It is never so for a trusted proxy.
	OwnAddress bool

	rule     int16     // that decided, -1 for none
	next     int16     // rule to go on with
	Response *Response // of a block; nil: 403 Forbidden
	Until    int64     // of a rate-based block: when a request would pass again, a now; else 0
	counted  bitset    // rules
	labels   bitset
	places   [2]place
}

// Inspect holds a request against the rules, in the order of their priorities.
// The first that matches and does not only count decides, else the default
// action. now is nanoseconds of a monotonic clock.
//
// It is for event loops: it neither blocks nor, in steady state, allocates. Rules
// that take a body, the Core Rule Set, or regular expressions on kilobytes of text
// it leaves to a goroutine: see [ACL.Go]. A request that is blocked without a Response is answered as AWS does: 403 with
// {"message":"Forbidden"} and x-amzn-ErrorType ForbiddenException, the gateway
// response WAF_FILTERED.
func (a *ACL) Inspect(in *Input, now int64) Verdict {
	in.begin(a, now)
	in.verdict = Verdict{rule: -1}
	a.run(in)
	return in.verdict
}

// run goes on from the rule that is next, with those that are due.
func (a *ACL) run(in *Input) {
	v := &in.verdict
	hasBody := in.Request.HasBody()
	due, firstBySet, firstByView := a.due.always, a.due.firstBySet, a.due.firstByView
	for from := int(v.next); ; {
		n := min(due.from(from), len(a.rules))
		// What comes before n may be due as well, once that is looked into.
		switch {
		case firstBySet < n:
			in.dueBySet(a, &due)
			firstBySet = len(a.rules)
			continue
		case firstByView < n:
			in.dueByView(a, &due)
			firstByView = len(a.rules)
			continue
		case n == len(a.rules):
			a.finish(in)
			return
		}
		from = n + 1
		r := &a.rules[n]
		if r.managed && !in.MayBlock || r.needsBody && hasBody && !(in.HaveBody && in.MayBlock) {
			v.next = int16(n)
			return
		}
		matched := r.statement.match(in, a)
		switch {
		case in.toolong:
			v.next = int16(n)
			return
		case in.failed:
			v.Outcome = Unavailable
			return
		}
		if !matched {
			continue
		}
		v.labels.union(&r.labels)
		in.tally(r.tally, r.action)
		in.sample(a.sampler, r, r.action)
		if r.action == countOnly {
			v.counted.add(n)
			continue
		}
		a.decide(in, r, n)
		return
	}
}

// finish applies the default action.
func (a *ACL) finish(in *Input) {
	in.tally(a.otherwise.tally, a.otherwise.action)
	in.sample(a.sampler, &a.otherwise, a.otherwise.action)
	a.decide(in, &a.otherwise, -1)
}

// decide ends an inspection by a rule.
func (a *ACL) decide(in *Input, r *rule, n int) {
	v := &in.verdict
	v.rule = int16(n)
	if v.Outcome = Allowed; r.action == allow {
		return
	}
	v.Outcome, v.Response = Blocked, r.response
	v.OwnAddress = r.ownAddress && !a.trusted(in.source)
	if r.rate != nil {
		v.Until = r.rate.until(in)
	}
}

// Rule returns the name of the rule that decided, empty for the default action.
func (a *ACL) Rule(v *Verdict) string {
	if v.rule < 0 {
		return ""
	}
	return a.rules[v.rule].name
}

// Counted calls f with the names of the rules that matched and only counted, in
// order.
func (a *ACL) Counted(v *Verdict, f func(name string)) {
	v.counted.each(func(n int) { f(a.rules[n].name) })
}

// Labels calls f with the labels that rules have given the request, fully
// qualified. f may not keep the bytes.
func (a *ACL) Labels(v *Verdict, f func(label []byte)) {
	v.labels.each(func(n int) { f([]byte(a.labels[n])) })
	var label [len(forwardCountry) + 8]byte
	for whose := range v.places {
		p := &v.places[whose]
		if p.known() {
			f(p.appendCountry(label[:0], whose))
		}
		if p.hasRegion() {
			f(p.appendRegion(label[:0], whose))
		}
	}
}
