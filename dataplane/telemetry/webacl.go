package telemetry

import "github.com/prometheus/client_golang/prometheus"

// RuleCount is what a rule of a web ACL has done, or several that share a metric
// name.
type RuleCount struct {
	WebACL  string // name
	Rule    string // metric name
	Allowed uint64
	Blocked uint64
	Counted uint64
}

// DefaultActionRule is the Rule of a web ACL's default action.
//
// Source: https://docs.aws.amazon.com/waf/latest/developerguide/waf-metrics.html
const DefaultActionRule = "Default_Action"

var webACLLabels = []string{"web_acl", "rule"}

// The metrics of web ACLs, under AWS's names.
var (
	descAllowed = prometheus.NewDesc("tidegate_allowed_requests_total", "Requests that a rule of a web ACL has allowed (AWS: AllowedRequests).", webACLLabels, nil)
	descBlocked = prometheus.NewDesc("tidegate_blocked_requests_total", "Requests that a rule of a web ACL has blocked (AWS: BlockedRequests).", webACLLabels, nil)
	descCounted = prometheus.NewDesc("tidegate_counted_requests_total", "Requests that a rule of a web ACL has matched and only counted (AWS: CountedRequests).", webACLLabels, nil)
)

// RulesFunc registers the metrics of web ACLs. counts is asked for at every
// scrape, from any goroutine; no two of what it returns may have the same WebACL
// and Rule.
func (r *Registry) RulesFunc(counts func() []RuleCount) {
	r.prometheus.MustRegister(webACLCollector(counts))
}

// webACLCollector shows all web ACLs.
type webACLCollector func() []RuleCount

// Describe implements prometheus.Collector.
func (c webACLCollector) Describe(out chan<- *prometheus.Desc) {
	out <- descAllowed
	out <- descBlocked
	out <- descCounted
}

// Collect implements prometheus.Collector.
func (c webACLCollector) Collect(out chan<- prometheus.Metric) {
	for _, n := range c() {
		counter := func(desc *prometheus.Desc, value uint64) {
			out <- prometheus.MustNewConstMetric(desc, prometheus.CounterValue, float64(value), n.WebACL, n.Rule)
		}
		counter(descAllowed, n.Allowed)
		counter(descBlocked, n.Blocked)
		counter(descCounted, n.Counted)
	}
}
