package scenarios

import (
	"context"

	"github.com/tidegate/tidegate/benchmarks/callers"
	"github.com/tidegate/tidegate/benchmarks/report"
)

const (
	checkMeasure       = "ns_per_check"
	checkAllocsMeasure = "allocs_per_check"
)

// auth compares finding out who calls with the SDK that signs, and with the library
// that verifies a bare signature, within this process.
func auth(ctx context.Context, b *bench) ([]report.Figure, error) {
	contestants, shut, err := callers.All()
	if err != nil {
		return nil, err
	}
	defer shut()
	if b.selfCheck {
		if contestants, err = callers.SelfCheck(); err != nil {
			return nil, err
		}
	}
	for _, c := range contestants { // warm up
		if _, err := c.Cost(warmUp / 50); err != nil {
			return nil, err
		}
	}
	err = interleave(ctx, b, contestants, func(c callers.Contestant) string { return c.Name },
		func(_ int, c callers.Contestant) (map[string]float64, error) {
			cost, err := c.Cost(b.window)
			return map[string]float64{checkMeasure: cost.Nanos, checkAllocsMeasure: cost.Allocs}, err
		})
	if err != nil {
		return nil, err
	}
	var figures []report.Figure
	for _, pair := range []struct{ figure, one, other string }{
		{"sigv4_vs_signer", callers.Verify, callers.Signer},
		{"jwt_cached_vs_verify", callers.JWTCached, callers.ES256},
		{"jwt_es256_vs_library", callers.JWTES256, callers.ES256},
		{"jwt_rs256_vs_library", callers.JWTRS256, callers.RS256},
		{"authorizer_cached_vs_verify", callers.Authorizer, callers.ES256},
	} {
		f, err := report.Ratio(pair.figure, b.samples, checkMeasure, pair.one, pair.other)
		if err != nil {
			return nil, err
		}
		figures = append(figures, f)
	}
	return append(figures,
		report.Max("sigv4_allocs", b.samples, checkAllocsMeasure, callers.Verify),
		report.Max("jwt_cached_allocs", b.samples, checkAllocsMeasure, callers.JWTCached),
		report.Max("authorizer_cached_allocs", b.samples, checkAllocsMeasure, callers.Authorizer)), nil
}
