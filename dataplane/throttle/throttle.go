package throttle

import (
	"github.com/tidegate/tidegate/limiter"
)

// Level is where a limit is set. AWS charges the levels in another order, but a
// request needs a token of every one, and here it gets all or none.
//
// Source: https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-request-throttling.html
type Level uint8

// Levels of Tidegate's own limits, in the order in which [Method.AppendCharges]
// appends them.
const (
	Account Level = iota
	Stage         // all methods of a stage together; AWS does not have it
	OfMethod
)

// Method is what requests to one method are charged, beside what their client
// is. The zero value is charged the account alone. It is immutable.
type Method struct {
	own   *limit
	stage *Limits
}

// AppendCharges appends the charges of a request: the account's first.
func (m *Method) AppendCharges(dst []limiter.Charge, account *limiter.Shared) []limiter.Charge {
	dst = append(dst, limiter.Charge{Shared: account})
	if m.stage != nil && m.stage.total != nil {
		dst = append(dst, m.stage.total.charge())
	}
	if m.own != nil {
		dst = append(dst, m.own.charge())
	}
	return dst
}

// AppendGuaranteed appends the charge of the guaranteed share of the method's
// stage, which must have one: see Reserved.
func (m *Method) AppendGuaranteed(dst []limiter.Charge) []limiter.Charge {
	return append(dst, m.stage.reserve.charge())
}

// Level says which limit the charge at index i of AppendCharges is.
func (m *Method) Level(i int) Level {
	switch {
	case i == 0:
		return Account
	case i == 1 && m.stage != nil && m.stage.total != nil:
		return Stage
	}
	return OfMethod
}

// Spend takes a token of every charge or of none, as [limiter.SpendAll] does.
// charges begin with those of AppendCharges. A request that only the account
// denies is served from the guaranteed share of its stage, if that has one:
// reserved says so. It neither blocks nor allocates.
func (s *Store) Spend(now, wall int64, shard int, m *Method, charges []limiter.Charge) (d limiter.Decision, reserved bool) {
	d = limiter.SpendAll(now, wall, shard, charges)
	if d.Allowed() || m.stage == nil || m.stage.reserve == nil {
		return d, false
	}
	charges[0] = m.stage.reserve.charge()
	second := limiter.SpendAll(now, wall, shard, charges)
	if !second.Allowed() {
		return d, false
	}
	s.account.Force(now)
	return second, true
}

// Reserved reports whether the method's stage has a guaranteed share.
func (m *Method) Reserved() bool { return m.stage != nil && m.stage.reserve != nil }

// limit is a bucket that outlives deployments with the limit that one of them
// gives it.
type limit struct {
	bucket *bucket
	limit  limiter.Limit
}

func (l *limit) charge() limiter.Charge {
	return limiter.Charge{Bucket: &l.bucket.Bucket, Limit: &l.limit}
}
