package main

import (
	"math"
	"regexp"
	"strconv"
	"strings"

	"github.com/tidegate/tidegate/dataplane/control"
)

// none is what takes a limit away.
const none = "none"

// parseRate reads requests per second.
func parseRate(text string) (float64, error) {
	rate, err := strconv.ParseFloat(text, 64)
	if err != nil || math.IsNaN(rate) || math.IsInf(rate, 0) || rate < 0 {
		return 0, usagef("rate %q: write requests per second, 0 or more, such as 100 or 0.5", text)
	}
	return rate, nil
}

// parseBurst reads the capacity of a token bucket.
func parseBurst(text string) (int, error) {
	burst, err := strconv.Atoi(text)
	if err != nil || burst < 0 {
		return 0, usagef("burst %q: write a whole number of requests, 0 or more", text)
	}
	return burst, nil
}

var quotaPattern = regexp.MustCompile(`^([0-9]{1,10})/(?i:(day|week|month))$`)

// parseQuota reads "5000/month".
func parseQuota(text string) (*control.QuotaSettings, error) {
	m := quotaPattern.FindStringSubmatch(text)
	if m == nil {
		return nil, usagef("quota %q: write N/day, N/week or N/month, such as 5000/month", text)
	}
	limit, err := strconv.ParseInt(m[1], 10, 64)
	if err != nil {
		return nil, usagef("quota %q: %v", text, err)
	}
	return &control.QuotaSettings{Limit: limit, Period: strings.ToUpper(m[2])}, nil
}

// limitPatch makes the operation that sets the limit at path to value, or takes
// it away.
func limitPatch(path, value string) (control.PatchOperation, error) {
	if value == none {
		return control.PatchOperation{Op: "remove", Path: path}, nil
	}
	var err error
	if strings.HasSuffix(path, "/burstLimit") {
		_, err = parseBurst(value)
	} else {
		_, err = parseRate(value)
	}
	return control.PatchOperation{Op: "replace", Path: path, Value: value}, err
}

// throttlePatch sets both parts of the limit at path.
func throttlePatch(path, rate, burst string) ([]control.PatchOperation, error) {
	first, err := limitPatch(path+"/rateLimit", rate)
	if err != nil {
		return nil, err
	}
	second, err := limitPatch(path+"/burstLimit", burst)
	return []control.PatchOperation{first, second}, err
}

func showRate(rate *control.Double) string {
	if rate == nil {
		return ""
	}
	return strconv.FormatFloat(float64(*rate), 'f', -1, 64)
}

func showBurst(burst *int) string {
	if burst == nil {
		return ""
	}
	return strconv.Itoa(*burst)
}

func showQuota(q *control.QuotaSettings) string {
	if q == nil {
		return ""
	}
	return strconv.FormatInt(q.Limit, 10) + "/" + strings.ToLower(q.Period)
}
