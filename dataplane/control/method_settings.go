package control

import (
	"cmp"
	"regexp"
	"slices"
	"strings"

	"github.com/tidegate/tidegate/dataplane/definition"
)

// methodSettingLeaves end the path of a method setting:
// /{resourcePath}/{METHOD}/{leaf}. Those without patch are not supported yet.
var methodSettingLeaves = []struct {
	leaf  string
	patch func(*definition.MethodSetting, PatchOperation) error
}{
	{"metrics/enabled", nil},
	{"logging/dataTrace", nil},
	{"logging/loglevel", nil},
	{"throttling/burstLimit", patchMethodThrottle},
	{"throttling/rateLimit", patchMethodThrottle},
	{"caching/ttlInSeconds", patchCacheTTL},
	{"caching/enabled", patchCacheEnabled},
	{"caching/dataEncrypted", patchCacheEncrypted},
	{"caching/requireAuthorizationForCacheControl", patchCacheAuthorization},
	{"caching/unauthorizedCacheControlHeaderStrategy", patchCacheStrategy},
}

// methodSettingPattern is the path of a method setting: its key, then the leaf.
var methodSettingPattern = func() *regexp.Regexp {
	var leaves []string
	for _, l := range methodSettingLeaves {
		leaves = append(leaves, l.leaf)
	}
	return regexp.MustCompile(`^/([^/]+/[^/]+)/(` + strings.Join(leaves, "|") + `)$`)
}()

// patchMethodSetting applies op if its path is that of a method setting which is
// supported, and says whether it is. A method need not be there: it may come
// with the next deployment.
func patchMethodSetting(st *definition.Stage, op PatchOperation) (known bool, err error) {
	match := methodSettingPattern.FindStringSubmatch(op.Path)
	if match == nil {
		return false, nil
	}
	for _, l := range methodSettingLeaves {
		if l.leaf == match[2] && l.patch != nil {
			return true, setMethod(st, match[1], op, l.patch)
		}
	}
	return false, nil
}

func setMethod(st *definition.Stage, key string, op PatchOperation, patch func(*definition.MethodSetting, PatchOperation) error) error {
	if err := only(op, "add", "replace"); err != nil {
		return err
	}
	if !isMethodSettingKey(key) {
		return badRequest("Invalid method setting path: %s. Must be one of: [%s]", op.Path, stagePaths)
	}
	key = keptKey(st.MethodSettings, key)
	next := firstSetting(st, key)
	if err := patch(&next, op); err != nil {
		return err
	}
	if st.MethodSettings == nil {
		st.MethodSettings = map[string]*definition.MethodSetting{}
	}
	st.MethodSettings[key] = &next
	return nil
}

// firstSetting is a copy of the setting that key has. One that is not there yet
// begins as a copy of the one for all methods: settings are full copies, not
// overlays. But in AWS's mode that one has only GET cached, so that a method with
// another verb has to ask for it by itself.
func firstSetting(st *definition.Stage, key string) definition.MethodSetting {
	if have := st.MethodSettings[key]; have != nil {
		return *have
	}
	all := st.MethodSettings[definition.AllMethods]
	if all == nil {
		return definition.MethodSetting{}
	}
	next := *all
	if next.Caching != nil && st.CacheMode != definition.CacheModeStandard && !strings.HasSuffix(key, "/GET") {
		cache := *next.Caching
		cache.Enabled = false
		next.Caching = &cache
	}
	return next
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
		cache := cacheSetting(setting)
		out[key] = MethodSetting{
			ThrottlingBurstLimit: *limit.BurstLimit, ThrottlingRateLimit: Double(*limit.RateLimit),
			CachingEnabled: cache.Enabled, CacheTTLInSeconds: cache.TTLSeconds, CacheDataEncrypted: cache.Encrypted,
			RequireAuthorizationForCacheControl:    !cache.OpenInvalidation,
			UnauthorizedCacheControlHeaderStrategy: cmp.Or(cache.UnauthorizedStrategy, definition.CacheSucceedWithHeader),
		}
	}
	return out
}
