package cache

import (
	"encoding/binary"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/tidegate/tidegate/dataplane/definition"
	"github.com/tidegate/tidegate/dataplane/http1"
)

// Policy is how a stage caches: its cache and its settings.
type Policy struct {
	stage    *Stage
	standard bool
	forAll   *definition.CacheSetting
	settings map[string]*definition.CacheSetting // by method
	prefix   []byte                              // of keys: the deployment
}

// Compile makes the policy of a stage, nil when it has no cache. stages may be
// nil: then the settings are only checked.
func Compile(st *definition.Stage, stages *Stages) (*Policy, error) {
	if !st.CacheClusterEnabled {
		return nil, nil
	}
	switch st.CacheMode {
	case "", definition.CacheModeAWS, definition.CacheModeStandard:
	default:
		return nil, fmt.Errorf("cache mode %q: write %s or %s", st.CacheMode, definition.CacheModeAWS, definition.CacheModeStandard)
	}
	p := &Policy{
		standard: st.CacheMode == definition.CacheModeStandard, settings: map[string]*definition.CacheSetting{},
		prefix: appendPart(nil, st.DeploymentID),
	}
	for key, setting := range st.MethodSettings {
		if key == definition.AllMethods {
			p.forAll = setting.Caching
			continue
		}
		name, err := definition.MethodName(key)
		if err != nil {
			return nil, err
		}
		p.settings[name] = setting.Caching
	}
	if stages == nil {
		stages = NewStages(Options{})
	}
	var err error
	p.stage, err = stages.stage(st)
	return p, err
}

// Stage returns the cache.
func (p *Policy) Stage() *Stage { return p.stage }

// Method compiles the caching of a method, nil when it is off. params are the
// names of the resource path's parameters, in order; callerFields the header
// fields that the method's authorization knows callers by, in lower case.
func (p *Policy) Method(res *definition.Resource, m *definition.Method, params, callerFields []string) (*Method, error) {
	if p == nil {
		return nil, nil
	}
	setting, own := p.settings[res.Path+" "+m.HTTPMethod]
	if !own {
		setting = p.forAll
	}
	off := setting == nil || !setting.Enabled
	if verb := verbOf(m.HTTPMethod); off && p.standard && verb != http1.VerbOther && !verb.Safe() && p.enabled() {
		off, setting = false, &definition.CacheSetting{} // it stores nothing, and invalidates
	}
	if off || setting.TTLSeconds == 0 && !p.standard {
		return nil, nil
	}
	if !own && !p.standard && m.HTTPMethod != "GET" { // AWS: what is on for all is on for GET
		return nil, nil
	}
	namespace := m.Integration.CacheNamespace
	if namespace == "" {
		namespace = res.ID
	}
	out := &Method{
		Stage: p.stage, Standard: p.standard, TTL: int64(setting.TTLSeconds) * int64(time.Second),
		OpenInvalidation: setting.OpenInvalidation, Strategy: setting.UnauthorizedStrategy,
		verb: verbOf(m.HTTPMethod), prefix: appendPart(slices.Clone(p.prefix), namespace), distrusted: distrusted,
		allCallers: m.Integration.CacheAcrossCallers,
	}
	if m.AuthorizationType != "" && m.AuthorizationType != definition.AuthNone {
		out.perCaller = !out.allCallers
		out.callerFields = callerFields
		for _, name := range callerFields { // judged by the gateway, and in the key
			out.distrusted &^= http1.NewSet(http1.FindID([]byte(name)))
		}
	}
	if !m.APIKeyRequired { // then the key is the backend's to judge, and not the gateway's
		out.distrusted |= http1.NewSet(http1.XAPIKey)
	}
	if p.standard { // the target URI and Vary tell entries apart, and nothing is mapped
		out.prefix = p.prefix
		if m.Integration.Type != definition.IntegrationHTTPProxy {
			return nil, nil
		}
		return out, nil
	}
	for _, name := range m.Integration.CacheKeyParameters {
		if err := out.declare(name, m, params); err != nil {
			return nil, fmt.Errorf("cacheKeyParameters: %w", err)
		}
	}
	return out, nil
}

// enabled reports whether any method is cached.
func (p *Policy) enabled() bool {
	on := p.forAll != nil && p.forAll.Enabled
	for _, s := range p.settings {
		on = on || s != nil && s.Enabled
	}
	return on
}

// verbOf is VerbOther for ANY.
func verbOf(name string) http1.Verb {
	if name == definition.MethodAny {
		return http1.VerbOther
	}
	return http1.ParseVerb([]byte(name))
}

// declare adds a parameter to what entries are told apart by.
func (m *Method) declare(name string, of *definition.Method, params []string) error {
	source := name
	if strings.HasPrefix(name, "integration.request.") {
		mapped, ok := of.Integration.RequestParameters[name]
		if !ok {
			return fmt.Errorf("%s is not mapped in requestParameters", name)
		}
		source = mapped
	}
	rest, ok := strings.CutPrefix(source, "method.request.")
	if !ok {
		if strings.HasPrefix(source, "'") || strings.HasPrefix(source, "stageVariables.") {
			return nil // the same for every request
		}
		return fmt.Errorf("%s is %s, which differs with every request: name a parameter of the request", name, source)
	}
	place, param, _ := strings.Cut(rest, ".")
	switch place {
	case "path":
		i := slices.Index(params, param)
		if i < 0 {
			return fmt.Errorf("%s: the resource's path has no parameter {%s}", name, param)
		}
		m.params = append(m.params, parameter{source: fromPath, index: i})
	case "querystring", "multivaluequerystring":
		m.params = append(m.params, parameter{source: fromQuery, name: param})
	case "header", "multivalueheader":
		id := http1.FindID([]byte(param))
		m.params = append(m.params, parameter{source: fromHeader, name: strings.ToLower(param), id: id})
		m.declared |= http1.NewSet(id)
	default:
		return fmt.Errorf("%s is no header, path or querystring parameter", name)
	}
	return nil
}

// appendPart appends a part of a key so that no other parts give the same bytes.
func appendPart[T string | []byte](dst []byte, part T) []byte {
	dst = binary.AppendUvarint(dst, uint64(len(part)))
	return append(dst, part...)
}
