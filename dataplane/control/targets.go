package control

import (
	"context"
	"slices"
	"time"
)

// UpstreamStatus is how the integrations of an API are, and what its requests to
// them take of what they may.
type UpstreamStatus struct {
	APIID            string        `json:"apiId"`
	APIName          string        `json:"apiName"`
	InFlight         int64         `json:"inFlight"`
	MaxInFlight      int64         `json:"maxInFlight"`
	Waiting          int64         `json:"waiting"`
	MaxWaiting       int64         `json:"maxWaiting"`
	BufferedBytes    int64         `json:"bufferedBytes"`
	MaxBufferedBytes int64         `json:"maxBufferedBytes"`
	Integrations     []TargetGroup `json:"integrations"`
}

// TargetGroup is the targets of an integration.
type TargetGroup struct {
	Endpoint string         `json:"endpoint"`        // host:port of its URI
	Breaker  string         `json:"breaker"`         // BreakerClosed, open or half-open
	Cause    string         `json:"cause,omitempty"` // why it is not closed, or was not the last time
	Until    *time.Time     `json:"until,omitempty"` // while it is open
	Targets  []TargetStatus `json:"targets"`         // none while its name is not resolved
}

// TargetStatus is how a target is.
type TargetStatus struct {
	Address     string     `json:"address"`
	State       string     `json:"state"`                 // TargetUp, ejected, trial or unhealthy
	Cause       string     `json:"cause,omitempty"`       // why it is not up, or was not the last time
	Until       *time.Time `json:"until,omitempty"`       // while it is ejected
	HealthCheck string     `json:"healthCheck,omitempty"` // what was wrong, while checks fail
	Requests    int64      `json:"requests"`              // that have ended
	Failures    int64      `json:"failures"`              // of them
	Retries     int64      `json:"retries"`               // that failed here and went to another target
}

// What is as it should be.
const (
	BreakerClosed = "closed"
	TargetUp      = "up"
)

func (s *Server) targets(*request) (int, any, error) {
	list := List[UpstreamStatus]{Items: s.gateway.Upstream()}
	if list.Items == nil {
		list.Items = []UpstreamStatus{}
	}
	return 200, list, nil
}

// unwell keeps the integrations of which something is wrong.
func unwell(all []UpstreamStatus) (some []UpstreamStatus) {
	for _, api := range all {
		api.Integrations = slices.DeleteFunc(slices.Clone(api.Integrations), func(g TargetGroup) bool {
			return g.Breaker == BreakerClosed && !slices.ContainsFunc(g.Targets, func(t TargetStatus) bool { return t.State != TargetUp })
		})
		if len(api.Integrations) > 0 {
			some = append(some, api)
		}
	}
	return some
}

// Targets lists the targets of all integrations, by API.
func (c *Client) Targets(ctx context.Context) ([]UpstreamStatus, error) {
	var list List[UpstreamStatus]
	err := c.call(ctx, "GET", "/tidegate/targets", nil, nil, &list)
	return list.Items, err
}
