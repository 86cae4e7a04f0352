package control

import (
	"cmp"
	"slices"
	"strconv"
	"strings"

	"github.com/tidegate/tidegate/dataplane/definition"
)

// Values of cacheClusterStatus. AWS takes minutes between them.
const (
	cacheAvailable    = "AVAILABLE"
	cacheNotAvailable = "NOT_AVAILABLE"
)

var cacheStrategies = []string{definition.CacheFailWith403, definition.CacheSucceedWithHeader, definition.CacheSucceedWithoutHeader}

// cacheCluster is what CreateStage and CreateDeployment say about a stage's
// cache. nil leaves as it is.
type cacheCluster struct {
	enabled *bool
	size    *string
}

// problems lists the violated constraints. input is the name that AWS gives the
// request in its errors.
func (c cacheCluster) problems(input string) []string {
	if c.size == nil || slices.Contains(definition.CacheSizes, *c.size) {
		return nil
	}
	return []string{mustBeOneOf(input+".cacheClusterSize", *c.size, definition.CacheSizes...)}
}

// asks says whether anything but what a stage has anyway is asked for.
func (c cacheCluster) asks() bool {
	return c.enabled != nil && *c.enabled || c.size != nil
}

func (c cacheCluster) apply(st *definition.Stage) {
	if c.enabled != nil {
		st.CacheClusterEnabled = *c.enabled
	}
	if c.size != nil {
		st.CacheClusterSize = *c.size
	}
}

// wireCache prints a stage's cache. Its size stays while it is off, for when it
// is switched on again, but is not shown then.
func wireCache(st *definition.Stage, out *Stage) {
	out.CacheClusterStatus = cacheNotAvailable
	if st.CacheClusterEnabled {
		out.CacheClusterEnabled, out.CacheClusterStatus = true, cacheAvailable
		out.CacheClusterSize = cmp.Or(st.CacheClusterSize, definition.CacheSizes[0])
	}
	if st.CacheMode != definition.CacheModeAWS {
		out.CacheMode = st.CacheMode
	}
}

func patchCacheCluster(st *definition.Stage, op PatchOperation) (err error) {
	if err := only(op, "add", "replace"); err != nil {
		return err
	}
	if op.Path == "/cacheClusterEnabled" {
		st.CacheClusterEnabled, err = patchFlag(op)
		return err
	}
	if !slices.Contains(definition.CacheSizes, op.Value) {
		return badRequest("Invalid cache cluster size: %s. Must be one of: [%s]", op.Value, strings.Join(definition.CacheSizes, ", "))
	}
	st.CacheClusterSize = op.Value
	return nil
}

// patchCacheMode returns the mode that an operation sets, empty for AWS's.
func patchCacheMode(op PatchOperation) (string, error) {
	if err := only(op, "add", "replace", "remove"); err != nil {
		return "", err
	}
	switch {
	case op.Op == "remove", op.Value == definition.CacheModeAWS:
		return "", nil
	case op.Value == definition.CacheModeStandard:
		return op.Value, nil
	}
	return "", badRequest("Invalid value for %s: it must be %s or %s", op.Path, definition.CacheModeAWS, definition.CacheModeStandard)
}

// cacheSetting is how a method is cached: what it says, or AWS's defaults.
func cacheSetting(m *definition.MethodSetting) definition.CacheSetting {
	if m.Caching == nil {
		return definition.CacheSetting{TTLSeconds: definition.DefaultCacheTTL}
	}
	return *m.Caching
}

// editCache changes a copy: the setting that m begins with is in the catalog.
func editCache(m *definition.MethodSetting, edit func(*definition.CacheSetting)) {
	next := cacheSetting(m)
	edit(&next)
	m.Caching = &next
}

func patchCacheEnabled(m *definition.MethodSetting, op PatchOperation) error {
	return patchCacheFlag(m, op, func(c *definition.CacheSetting, on bool) { c.Enabled = on })
}

func patchCacheEncrypted(m *definition.MethodSetting, op PatchOperation) error {
	return patchCacheFlag(m, op, func(c *definition.CacheSetting, on bool) { c.Encrypted = on })
}

func patchCacheAuthorization(m *definition.MethodSetting, op PatchOperation) error {
	return patchCacheFlag(m, op, func(c *definition.CacheSetting, on bool) { c.OpenInvalidation = !on })
}

func patchCacheFlag(m *definition.MethodSetting, op PatchOperation, set func(*definition.CacheSetting, bool)) error {
	on, err := patchFlag(op)
	if err == nil {
		editCache(m, func(c *definition.CacheSetting) { set(c, on) })
	}
	return err
}

func patchCacheTTL(m *definition.MethodSetting, op PatchOperation) error {
	ttl, err := strconv.Atoi(op.Value)
	if err != nil || ttl < 0 || ttl > definition.MaxCacheTTL {
		return badRequest("Invalid value for %s: it must be a whole number of seconds from 0 to %d", op.Path, definition.MaxCacheTTL)
	}
	editCache(m, func(c *definition.CacheSetting) { c.TTLSeconds = ttl })
	return nil
}

func patchCacheStrategy(m *definition.MethodSetting, op PatchOperation) error {
	if !slices.Contains(cacheStrategies, op.Value) {
		return badRequest("Invalid value for %s: it must be one of %s", op.Path, strings.Join(cacheStrategies, ", "))
	}
	editCache(m, func(c *definition.CacheSetting) { c.UnauthorizedStrategy = op.Value })
	return nil
}
