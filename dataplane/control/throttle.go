package control

import (
	"math"
	"strconv"
	"strings"

	"github.com/tidegate/tidegate/dataplane/definition"
)

// Bounds of limits, those of the host file.
const (
	maxRate  = 1e9     // requests per second
	maxBurst = 1 << 30 // requests
)

// wireThrottle is nil for nil.
func wireThrottle(t *definition.Throttle) *ThrottleSettings {
	if t == nil {
		return nil
	}
	return &ThrottleSettings{BurstLimit: t.BurstLimit, RateLimit: (*Double)(t.RateLimit)}
}

// throttle reads what a caller sent, which at names in errors. Without any part
// it is nil: no limit.
func (t *ThrottleSettings) throttle(at string) (*definition.Throttle, error) {
	if t == nil || *t == (ThrottleSettings{}) {
		return nil, nil
	}
	if t.RateLimit != nil && !validRate(float64(*t.RateLimit)) {
		return nil, invalidRate(at + ".rateLimit")
	}
	if t.BurstLimit != nil && (*t.BurstLimit < 0 || *t.BurstLimit > maxBurst) {
		return nil, invalidBurst(at + ".burstLimit")
	}
	return &definition.Throttle{RateLimit: (*float64)(t.RateLimit), BurstLimit: t.BurstLimit}, nil
}

// patchThrottle applies an operation on …/rateLimit or …/burstLimit to t, which
// may be nil. What it returns is a copy, and nil when no part is left.
func patchThrottle(t *definition.Throttle, op PatchOperation) (*definition.Throttle, error) {
	var next definition.Throttle
	if t != nil {
		next = *t
	}
	var err error
	if strings.HasSuffix(op.Path, "/rateLimit") {
		next.RateLimit, err = patchRate(op)
	} else {
		next.BurstLimit, err = patchBurst(op)
	}
	if err != nil || next == (definition.Throttle{}) {
		return nil, err
	}
	return &next, nil
}

// patchRate is the rate that an operation sets, nil when it removes it.
func patchRate(op PatchOperation) (*float64, error) {
	if err := only(op, "add", "replace", "remove"); err != nil || op.Op == "remove" {
		return nil, err
	}
	v, err := strconv.ParseFloat(op.Value, 64)
	if err != nil || !validRate(v) {
		return nil, invalidRate(op.Path)
	}
	return &v, nil
}

func patchBurst(op PatchOperation) (*int, error) {
	if err := only(op, "add", "replace", "remove"); err != nil || op.Op == "remove" {
		return nil, err
	}
	v, err := strconv.Atoi(op.Value)
	if err != nil || v < 0 || v > maxBurst {
		return nil, invalidBurst(op.Path)
	}
	return &v, nil
}

func validRate(v float64) bool { return v >= 0 && v <= maxRate && !math.Signbit(v) } // not NaN either

func invalidRate(at string) error {
	return badRequest("Invalid value for %s: it must be a number of requests per second from 0 to %.0f", at, maxRate)
}

func invalidBurst(at string) error {
	return badRequest("Invalid value for %s: it must be a whole number of requests from 0 to %d", at, maxBurst)
}
