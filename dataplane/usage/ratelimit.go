package usage

import (
	"strconv"

	"github.com/tidegate/tidegate/limiter"
)

// second is in nanoseconds, as all times are.
const second = int64(1e9)

// maxInteger is the largest Integer of a structured field (RFC 9651 §3.3.1).
const maxInteger = 999_999_999_999_999

// AppendRateLimit appends the RateLimit-Policy and RateLimit fields of the
// limits that the last AppendCharges has charged, each with its line end;
// nothing when there are none.
//
// Source: https://datatracker.ietf.org/doc/draft-ietf-httpapi-ratelimit-headers/10/
func (c *Client) AppendRateLimit(dst []byte, now, wall int64) []byte {
	if c.throttle == nil && !c.hasQuota {
		return dst
	}
	const separator = ", "
	var start, end int64 // of the quota's window
	if c.hasQuota {
		p := c.quota.Period()
		number := p.Number(wall)
		start, end = p.Start(number), p.Start(number+1)
	}

	dst = append(dst, "RateLimit-Policy: "...)
	if c.throttle != nil {
		dst = append(dst, c.throttle.policy...)
	}
	if c.hasQuota {
		if c.throttle != nil {
			dst = append(dst, separator...)
		}
		dst = append(dst, `"quota"`...)
		dst = appendParameter(dst, ";q=", c.quota.Allowance(wall))
		dst = appendParameter(dst, ";w=", (end-start)/second)
	}

	dst = append(dst, "\r\nRateLimit: "...)
	if c.throttle != nil {
		dst = append(dst, `"throttle"`...)
		dst = appendParameter(dst, ";r=", c.bucket.Remaining(now, c.throttle.limit))
		dst = appendParameter(dst, ";t=", seconds(c.bucket.Debt(now)))
	}
	if c.hasQuota {
		if c.throttle != nil {
			dst = append(dst, separator...)
		}
		left := c.quota.Allowance(wall) - c.account.quota.Used(wall, c.quota)
		dst = append(dst, `"quota"`...)
		dst = appendParameter(dst, ";r=", max(0, left))
		dst = appendParameter(dst, ";t=", seconds(end-wall))
	}
	return append(dst, "\r\n"...)
}

// throttlePolicy is the part of RateLimit-Policy that does not change: a bucket
// fills up within w seconds. A limit that blocks has no such time.
func throttlePolicy(l limiter.Limit) string {
	dst := appendParameter([]byte(`"throttle"`), ";q=", l.Burst())
	if !l.Blocks() {
		dst = appendParameter(dst, ";w=", seconds(l.Burst()*l.Interval()))
	}
	return string(dst)
}

func appendParameter(dst []byte, name string, value int64) []byte {
	return strconv.AppendInt(append(dst, name...), min(value, maxInteger), 10)
}

// seconds rounds up.
func seconds(nanos int64) int64 { return (nanos + second - 1) / second }
