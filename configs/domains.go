package configs

import (
	"fmt"
	"net"
	"regexp"
	"strings"
)

var (
	labelPattern    = regexp.MustCompile(`^[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?$`)
	basePathPattern = regexp.MustCompile(`^[A-Za-z0-9$_.+!*'()-]+(/[A-Za-z0-9$_.+!*'()-]+)*$`)
	stagePattern    = regexp.MustCompile(`^[A-Za-z0-9_-]{1,128}$`)
)

// validateDomains checks names and base paths.
// https://docs.aws.amazon.com/apigateway/latest/developerguide/rest-api-mappings.html
func validateDomains(r *report, h *Host) {
	names := map[string]string{}
	for i := range h.Domains {
		at, d := fmt.Sprintf("domains[%d]", i), &h.Domains[i]
		validateDomainName(r, at+".name", d.Name, h.GatewayDomain)
		unique(r, names, d.Name, at+".name")
		if len(d.Mappings) == 0 {
			r.failAt(at+".mappings", "empty", "name at least one {api: NAME}")
		}
		paths := map[string]string{}
		for j := range d.Mappings {
			entry, m := fmt.Sprintf("%s.mappings[%d]", at, j), &d.Mappings[j]
			validateMapping(r, entry, m)
			unique(r, paths, m.BasePath, entry+".base_path")
		}
	}
}

func validateDomainName(r *report, at, name, gatewayDomain string) {
	if name == "*" || net.ParseIP(name) != nil {
		return
	}
	host := strings.TrimPrefix(name, "*.")
	if !isHostName(host) {
		r.failAt(at, fmt.Sprintf("%q is not a host name", name), "write a name without scheme, port and path, \"*.example.com\" or \"*\"")
		return
	}
	if own := "execute-api." + gatewayDomain; host == own || strings.HasSuffix(host, "."+own) {
		r.failAt(at, fmt.Sprintf("%q belongs to the addresses of the APIs themselves", name), "choose a name outside "+own)
	}
}

func validateMapping(r *report, at string, m *Mapping) {
	if m.BasePath != "" && !basePathPattern.MatchString(m.BasePath) {
		r.failAt(at+".base_path", fmt.Sprintf("%q is not a base path", m.BasePath), "write path segments without slashes at the ends, for example orders or shop/orders")
	}
	if m.API == "" {
		r.failAt(at+".api", "empty", "name an API by its name or id")
	}
	if m.Stage != "" && !stagePattern.MatchString(m.Stage) {
		r.failAt(at+".stage", fmt.Sprintf("%q is not a stage name", m.Stage), "use letters, digits, - and _")
	}
}

// isHostName reports whether s is a lower- or upper-case DNS name of at most
// 253 bytes (RFC 1035 2.3.1; underscores are in use, so they pass).
func isHostName(s string) bool {
	if s == "" || len(s) > 253 {
		return false
	}
	for label := range strings.SplitSeq(strings.ToLower(s), ".") {
		if !labelPattern.MatchString(label) {
			return false
		}
	}
	return true
}
