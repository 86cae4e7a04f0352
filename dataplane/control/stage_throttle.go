package control

import (
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/tidegate/tidegate/dataplane/definition"
)

// throttlingPattern is the path of a method's limit: the key of its setting,
// then the part.
var throttlingPattern = regexp.MustCompile(`^/([^/]+/[^/]+)/throttling/(?:rateLimit|burstLimit)$`)

// patchMethodThrottle sets a part of the limit of the method that key names. A
// method need not be there: it may come with the next deployment.
func patchMethodThrottle(st *definition.Stage, op PatchOperation, key string) error {
	if err := only(op, "add", "replace"); err != nil {
		return err
	}
	if !isMethodSettingKey(key) {
		return badRequest("Invalid method setting path: %s. Must be one of: [%s]", op.Path, stagePaths)
	}
	if v, err := strconv.ParseFloat(op.Value, 64); err == nil && v == -1 {
		op.Op = "remove" // Terraform's way to inherit
	}
	key = keptKey(st.MethodSettings, key)
	next := definition.MethodSetting{}
	if have := st.MethodSettings[key]; have != nil {
		next = *have
	} else if all := st.MethodSettings[definition.AllMethods]; all != nil {
		next = *all // settings are full copies, not overlays
	}
	limit, err := patchThrottle(&next.Throttle, op)
	if err != nil {
		return err
	}
	next.Throttle = definition.Throttle{}
	if limit != nil {
		next.Throttle = *limit
	}
	if st.MethodSettings == nil {
		st.MethodSettings = map[string]*definition.MethodSetting{}
	}
	st.MethodSettings[key] = &next
	return nil
}

// removeMethodSetting removes a setting whole, and says whether there was one.
func removeMethodSetting(st *definition.Stage, key string) bool {
	key = keptKey(st.MethodSettings, key)
	if st.MethodSettings[key] == nil {
		return false
	}
	delete(st.MethodSettings, key)
	return true
}

// isMethodSettingKey tells a resource path and a verb from what names nothing.
func isMethodSettingKey(key string) bool {
	path, verb, _ := strings.Cut(key, "/")
	return key == definition.AllMethods || path != "*" && isVerb(verb)
}

func isVerb(verb string) bool {
	return verb == definition.MethodAny || slices.Contains(definition.Verbs, verb)
}

// keptKey is the key under which the setting of a method is kept. It stays as it
// was first written: the slash that a resource path begins with is optional.
func keptKey(settings map[string]*definition.MethodSetting, key string) string {
	method := func(key string) string { return strings.TrimPrefix(unescape(key), "/") }
	for kept := range settings {
		if method(kept) == method(key) {
			return kept
		}
	}
	return key
}

// wireMethodSettings prints each setting whole, as AWS does; what it leaves open
// is the account's.
func (s *Server) wireMethodSettings(st *definition.Stage) map[string]MethodSetting {
	out := make(map[string]MethodSetting, len(st.MethodSettings))
	if len(st.MethodSettings) == 0 {
		return out
	}
	account := s.gateway.AccountThrottle()
	for key, setting := range st.MethodSettings {
		limit := account
		if setting.Throttle.RateLimit != nil {
			limit.RateLimit = setting.Throttle.RateLimit
		}
		if setting.Throttle.BurstLimit != nil {
			limit.BurstLimit = setting.Throttle.BurstLimit
		}
		out[key] = MethodSetting{
			ThrottlingBurstLimit: *limit.BurstLimit, ThrottlingRateLimit: Double(*limit.RateLimit),
			CacheTTLInSeconds: 300, RequireAuthorizationForCacheControl: true,
			UnauthorizedCacheControlHeaderStrategy: "SUCCEED_WITH_RESPONSE_HEADER",
		}
	}
	return out
}

// ourPrefix begins the paths that AWS does not have.
const ourPrefix = "/x-tidegate-"

// patchOwnSetting sets what a stage has beyond AWS.
func patchOwnSetting(st *definition.Stage, op PatchOperation) (err error) {
	switch op.Path {
	case "/x-tidegate-throttle":
		if err = only(op, "remove"); err == nil {
			st.Throttle = nil
		}
	case "/x-tidegate-throttle/rateLimit", "/x-tidegate-throttle/burstLimit":
		st.Throttle, err = patchThrottle(st.Throttle, op)
	case "/x-tidegate-guaranteed-rate":
		st.GuaranteedRate, err = patchRate(op)
	case "/x-tidegate-rate-limit-headers":
		st.HideLimits = false
		if err = only(op, "add", "replace", "remove"); err == nil && op.Op != "remove" {
			var show bool
			show, err = patchFlag(op)
			st.HideLimits = !show
		}
	default:
		err = unknownPath(op, "/x-tidegate-throttle", "/x-tidegate-throttle/rateLimit", "/x-tidegate-throttle/burstLimit", "/x-tidegate-guaranteed-rate", "/x-tidegate-rate-limit-headers")
	}
	return err
}
