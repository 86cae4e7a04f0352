package waf

import (
	"encoding/base64"
	"encoding/json"
	"net/netip"
	"net/url"
	"regexp"
	"slices"
	"sort"
	"strings"

	"github.com/tidegate/tidegate/dataplane/waf/text"
)

// naive evaluates the document of a web ACL as it stands, as slowly and plainly
// as can be. It knows no views, bits or buffers.
type naive struct {
	document obj
	ipSets   map[string][]netip.Prefix
	counts   map[string]int // of rates: requests are all at one moment
}

// naiveRequest is a request in pieces.
type naiveRequest struct {
	method, path, query string
	hasQuery            bool
	headers             [][2]string
	body                string
	source              netip.Addr
}

func (n *naive) inspect(r *naiveRequest) (rule, action string, counted, labels []string) {
	all := slices.Clone(n.document["Rules"].(arr))
	sort.SliceStable(all, func(i, j int) bool { return all[i].(obj)["Priority"].(int) < all[j].(obj)["Priority"].(int) })
	for _, item := range all {
		rule := item.(obj)
		if !n.holds(rule["Name"].(string), rule["Statement"].(obj), r, labels) {
			continue
		}
		if list, ok := rule["RuleLabels"].(arr); ok {
			for _, l := range list {
				labels = append(labels, "awswaf:"+account+":webacl:shop:"+l.(obj)["Name"].(string))
			}
		}
		for action := range rule["Action"].(obj) {
			if action != "Count" {
				return rule["Name"].(string), action, counted, labels
			}
		}
		counted = append(counted, rule["Name"].(string))
	}
	for action := range n.document["DefaultAction"].(obj) {
		return "", action, counted, labels
	}
	panic("no default")
}

func (n *naive) holds(rule string, statement obj, r *naiveRequest, labels []string) bool {
	for kind, v := range statement {
		spec := v.(obj)
		switch kind {
		case "AndStatement":
			for _, s := range spec["Statements"].(arr) {
				if !n.holds(rule, s.(obj), r, labels) {
					return false
				}
			}
			return true
		case "OrStatement":
			for _, s := range spec["Statements"].(arr) {
				if n.holds(rule, s.(obj), r, labels) {
					return true
				}
			}
			return false
		case "NotStatement":
			return !n.holds(rule, spec["Statement"].(obj), r, labels)
		case "IPSetReferenceStatement":
			return slices.ContainsFunc(n.ipSets[spec["ARN"].(string)], func(p netip.Prefix) bool { return p.Contains(r.source) })
		case "LabelMatchStatement":
			return slices.ContainsFunc(labels, func(l string) bool { return naiveLabel(spec["Scope"].(string), spec["Key"].(string), l) })
		case "RateBasedStatement":
			return n.rate(rule, spec, r, labels)
		}
		for _, part := range naiveParts(spec["FieldToMatch"].(obj), r) {
			if naivePart(kind, spec, naiveTransform(spec["TextTransformations"].(arr), part)) {
				return true
			}
		}
	}
	return false
}

func naivePart(kind string, spec obj, part string) bool {
	switch kind {
	case "RegexMatchStatement":
		return regexp.MustCompile(spec["RegexString"].(string)).MatchString(part)
	case "SizeConstraintStatement":
		size, want := len(part), spec["Size"].(int)
		return map[string]bool{"EQ": size == want, "NE": size != want, "LT": size < want, "LE": size <= want, "GT": size > want, "GE": size >= want}[spec["ComparisonOperator"].(string)]
	}
	decoded, _ := base64.StdEncoding.DecodeString(spec["SearchString"].(string))
	needle := string(decoded)
	switch spec["PositionalConstraint"] {
	case "EXACTLY":
		return part == needle
	case "STARTS_WITH":
		return strings.HasPrefix(part, needle)
	case "ENDS_WITH":
		return strings.HasSuffix(part, needle)
	case "CONTAINS_WORD":
		return regexp.MustCompile(`(?s)(^|[^A-Za-z0-9_])` + regexp.QuoteMeta(needle) + `($|[^A-Za-z0-9_])`).MatchString(part)
	}
	return strings.Contains(part, needle)
}

func naiveTransform(list arr, part string) string {
	list = slices.Clone(list)
	sort.SliceStable(list, func(i, j int) bool { return list[i].(obj)["Priority"].(int) < list[j].(obj)["Priority"].(int) })
	for _, item := range list {
		t, _ := text.Parse(item.(obj)["Type"].(string))
		buf, at := t.Apply([]byte(part), 0)
		part = string(buf[at:])
	}
	return part
}

// naiveParts are the texts of a component.
func naiveParts(field obj, r *naiveRequest) (parts []string) {
	for kind, v := range field {
		spec := v.(obj)
		switch kind {
		case "Method":
			return []string{r.method}
		case "UriPath":
			return []string{r.path}
		case "QueryString":
			if r.hasQuery {
				return []string{r.query}
			}
		case "AllQueryArguments", "SingleQueryArgument":
			for _, pair := range strings.Split(r.query, "&") {
				name, value, _ := strings.Cut(pair, "=")
				decoded, _ := url.QueryUnescape(name)
				if pair != "" && (kind == "AllQueryArguments" || strings.EqualFold(decoded, spec["Name"].(string))) {
					parts = append(parts, value)
				}
			}
		case "SingleHeader":
			for _, h := range r.headers {
				if strings.EqualFold(h[0], spec["Name"].(string)) {
					parts = append(parts, h[1])
				}
			}
		case "Headers":
			return naivePairs(spec, r.headers, "IncludedHeaders", "ExcludedHeaders", true)
		case "Cookies":
			var cookies [][2]string
			for _, h := range r.headers {
				if !strings.EqualFold(h[0], "cookie") {
					continue
				}
				for _, pair := range strings.Split(h[1], ";") {
					name, value, _ := strings.Cut(strings.TrimSpace(pair), "=")
					if name+value != "" {
						cookies = append(cookies, [2]string{name, value})
					}
				}
			}
			return naivePairs(spec, cookies, "IncludedCookies", "ExcludedCookies", false)
		case "Body":
			if r.body != "" {
				return []string{r.body}
			}
		case "JsonBody":
			var root any
			d := json.NewDecoder(strings.NewReader(r.body))
			d.UseNumber()
			if strings.HasPrefix(r.body, "{") && d.Decode(&root) == nil {
				naiveJSON(root, "", spec, &parts)
			}
		}
	}
	return parts
}

func naivePairs(spec obj, pairs [][2]string, included, excluded string, fold bool) (parts []string) {
	pattern := spec["MatchPattern"].(obj)
	named := func(list any, name string) bool {
		names, _ := list.(arr)
		return slices.ContainsFunc(names, func(n any) bool {
			return n.(string) == name || fold && strings.EqualFold(n.(string), name)
		})
	}
	for _, p := range pairs {
		if _, all := pattern["All"]; !all && (pattern[included] != nil && !named(pattern[included], p[0]) || named(pattern[excluded], p[0])) {
			continue
		}
		if spec["MatchScope"] != "VALUE" {
			parts = append(parts, p[0])
		}
		if spec["MatchScope"] != "KEY" {
			parts = append(parts, p[1])
		}
	}
	return parts
}

// naiveJSON collects what is at or below an included path, which is given as a
// JSON Pointer.
func naiveJSON(v any, at string, spec obj, parts *[]string) {
	paths, some := spec["MatchPattern"].(obj)["IncludedPaths"].(arr)
	included := !some || slices.ContainsFunc(paths, func(p any) bool { return at == p.(string) || strings.HasPrefix(at, p.(string)+"/") })
	add := func(s string) {
		if included && spec["MatchScope"] != "KEY" {
			*parts = append(*parts, s)
		}
	}
	switch v := v.(type) {
	case map[string]any:
		for key, member := range v {
			if included && spec["MatchScope"] != "VALUE" {
				*parts = append(*parts, key)
			}
			naiveJSON(member, at+"/"+strings.NewReplacer("~", "~0", "/", "~1").Replace(key), spec, parts)
		}
	case []any:
		for i, item := range v {
			naiveJSON(item, at+"/"+string(rune('0'+i)), spec, parts)
		}
	case string:
		add(v)
	case json.Number:
		add(v.String())
	case bool:
		add(map[bool]string{true: "true", false: "false"}[v])
	case nil:
		add("null")
	}
}

func naiveLabel(scope, key, label string) bool {
	prefix := "awswaf:" + account + ":webacl:shop:"
	if strings.HasPrefix(key, "awswaf:") {
		if scope == "LABEL" {
			return label == key
		}
		return strings.HasPrefix(label, strings.TrimSuffix(key, ":")+":")
	}
	words, want := strings.Split(strings.TrimPrefix(label, prefix), ":"), strings.Split(strings.TrimSuffix(key, ":"), ":")
	if scope == "LABEL" {
		return len(words) >= len(want) && slices.Equal(words[len(words)-len(want):], want)
	}
	words = words[:len(words)-1]
	for i := range words {
		if i+len(want) <= len(words) && slices.Equal(words[i:i+len(want)], want) {
			return true
		}
	}
	return false
}

func (n *naive) rate(rule string, spec obj, r *naiveRequest, labels []string) bool {
	if scope, ok := spec["ScopeDownStatement"]; ok && !n.holds(rule, scope.(obj), r, labels) {
		return false
	}
	key := rule
	switch spec["AggregateKeyType"] {
	case "IP":
		p, _ := r.source.Prefix(64)
		if r.source.Is4() {
			p, _ = r.source.Prefix(32)
		}
		key += p.String()
	case "CUSTOM_KEYS":
		for _, k := range spec["CustomKeys"].(arr) {
			for kind, v := range k.(obj) {
				if kind == "HTTPMethod" {
					key += "|" + r.method
					continue
				}
				parts := naiveParts(obj{"SingleHeader": v.(obj)}, r)
				if len(parts) == 0 {
					return false
				}
				for _, p := range parts {
					key += "|" + naiveTransform(v.(obj)["TextTransformations"].(arr), p)
				}
			}
		}
	}
	n.counts[key]++
	return n.counts[key] > spec["Limit"].(int)
}
