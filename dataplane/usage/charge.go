package usage

import "github.com/tidegate/tidegate/limiter"

// AppendCharges appends what a request to a method is charged against: the
// throttle, which is the plan's unless the plan has one for the method, and
// behind it the quota; each if there is one. The charges point into the Client,
// which must not move while they are in use. now and wall are as package
// limiter says.
func (c *Client) AppendCharges(dst []limiter.Charge, method Overrides, now, wall int64) []limiter.Charge {
	c.throttle, c.bucket = c.plan.throttle, &c.account.bucket
	if t := method.of(c.plan); t != nil {
		c.override(t, now, wall)
	}
	if c.throttle != nil {
		dst = append(dst, limiter.Charge{Bucket: c.bucket, Limit: &c.throttle.limit})
	}
	if q := c.plan.quota; q != nil {
		c.quota, c.hasQuota = c.account.extended(*q, wall), true
		dst = append(dst, limiter.Charge{Counter: &c.account.quota, Quota: &c.quota})
	}
	return dst
}

// override charges the method's own bucket. When there is no room for one, the
// plan's throttle holds, or if it has none the method's, for all such methods
// together.
func (c *Client) override(t *throttle, now, wall int64) {
	if t.limit.Blocks() { // which takes no bucket
		c.throttle = t
		return
	}
	e, err := c.store.methods.LookupOrAdd(methodKey(t.method, c.key), now, wall)
	switch {
	case err == nil:
		c.throttle, c.bucket = t, &e.Bucket
	case c.throttle == nil:
		c.throttle = t
	}
}

// extended returns the quota with what was granted for the window that has
// wall.
func (a *account) extended(q limiter.Quota, wall int64) limiter.Quota {
	if a.grant.Load() == 0 {
		return q
	}
	if extra := a.extraAt(q.Period(), q.Period().Number(wall)); extra != 0 {
		return q.Extended(wall, extra)
	}
	return q
}

// Quota reports whether the last charge of AppendCharges is the quota.
func (c *Client) Quota() bool { return c.hasQuota }

// Override reports whether the throttle that AppendCharges charged is one for
// the method.
func (c *Client) Override() bool { return c.throttle != nil && c.throttle.method != 0 }
