package control

import (
	"encoding/json"
	"maps"
	"strings"

	"github.com/tidegate/tidegate/dataplane/definition"
)

// routeSettingsInput is what a body says of a route, or of all of them. What is
// nil stays as it is.
type routeSettingsInput struct {
	ThrottlingBurstLimit   *int            `json:"throttlingBurstLimit"`
	ThrottlingRateLimit    *Double         `json:"throttlingRateLimit"`
	DetailedMetricsEnabled *bool           `json:"detailedMetricsEnabled"`
	DataTraceEnabled       json.RawMessage `json:"dataTraceEnabled"`
	LoggingLevel           *string         `json:"loggingLevel"`
}

// setting is what have, which may be nil, becomes.
func (in *routeSettingsInput) setting(at string, have *definition.RouteSetting) (*definition.RouteSetting, error) {
	var next definition.RouteSetting
	if have != nil {
		next = *have
	}
	if in == nil {
		return &next, nil
	}
	if err := (refusals{"dataTraceEnabled": in.DataTraceEnabled}).check(at); err != nil {
		return nil, err
	}
	if level := optional(in.LoggingLevel); level != "" && !strings.EqualFold(level, "OFF") {
		return nil, unsupported("loggingLevel " + level + " of " + at)
	}
	if in.DetailedMetricsEnabled != nil {
		next.DetailedMetrics = *in.DetailedMetricsEnabled
	}
	limits := &ThrottleSettings{BurstLimit: in.ThrottlingBurstLimit, RateLimit: in.ThrottlingRateLimit}
	limit, err := limits.throttle(at)
	if err != nil {
		return nil, err
	}
	if limit != nil && limit.BurstLimit != nil {
		next.Throttle.BurstLimit = limit.BurstLimit
	}
	if limit != nil && limit.RateLimit != nil {
		next.Throttle.RateLimit = limit.RateLimit
	}
	return &next, nil
}

// applySettings puts the settings of routes into st. Those of one route must be of
// one that there is, or that the stage serves.
func (in *webSocketStageInput) applySettings(c *definition.Catalog, st *definition.Stage) (err error) {
	if in.DefaultRouteSettings != nil {
		if st.DefaultRouteSetting, err = in.DefaultRouteSettings.setting("defaultRouteSettings", st.DefaultRouteSetting); err != nil {
			return err
		}
	}
	settings := maps.Clone(st.RouteSettings)
	for key, one := range in.RouteSettings {
		served := c.Deployments[definition.DeploymentKey{APIID: st.APIID, ID: st.DeploymentID}]
		if c.APIs[st.APIID].Body.WebSocket.Route(key) == nil && (served == nil || served.Body.WebSocket.Route(key) == nil) {
			return missing("Route", "Unable to find Route by key %s within the provided RouteSettings", key)
		}
		if settings == nil {
			settings = map[string]*definition.RouteSetting{}
		}
		if settings[key], err = one.setting("routeSettings."+key, settings[key]); err != nil {
			return err
		}
	}
	st.RouteSettings = settings
	return nil
}

func wireRouteSettings(s *definition.RouteSetting) RouteSettings {
	out := RouteSettings{LoggingLevel: "OFF"}
	if s != nil {
		out.DetailedMetricsEnabled, out.ThrottlingBurstLimit, out.ThrottlingRateLimit = s.DetailedMetrics, s.Throttle.BurstLimit, (*Double)(s.Throttle.RateLimit)
	}
	return out
}

func (s *Server) deleteRouteSettings(r *request) (int, any, error) {
	err := s.update(func(c *definition.Catalog) (definition.Change, error) {
		st, err := s.webSocketStage(c, r)
		if err != nil {
			return definition.Change{}, err
		}
		key := r.params["route"]
		if st.RouteSettings[key] == nil {
			return definition.Change{}, missing("RouteSettings", "Unable to find Route by key %s within the provided RouteSettings", key)
		}
		next := *st
		next.RouteSettings, next.LastUpdatedDate = without(st.RouteSettings, key), s.now().UTC()
		return definition.Change{PutStages: []*definition.Stage{&next}}, nil
	})
	return 204, nil, err
}
