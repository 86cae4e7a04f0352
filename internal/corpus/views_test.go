package corpus

import (
	"encoding/json"
	"fmt"
	"net/netip"
	"strings"
	"testing"

	"github.com/tidegate/tidegate/dataplane/definition"
	"github.com/tidegate/tidegate/dataplane/deploy"
	"github.com/tidegate/tidegate/dataplane/http1"
	"github.com/tidegate/tidegate/dataplane/route"
	"github.com/tidegate/tidegate/dataplane/waf"
)

// wallRules are the rules of a web ACL, and what each is about in other words. The
// path is the router's.
var wallRules = []struct {
	field, where, text string
	holds              func(path, query string) bool
}{
	{"UriPath", "EXACTLY", "/prod/pets/mine", func(path, _ string) bool { return path == "/prod/pets/mine" }},
	{"UriPath", "CONTAINS", "%2F", func(path, _ string) bool { return strings.Contains(path, "%2F") }},
	{"UriPath", "CONTAINS", "//", func(path, _ string) bool { return strings.Contains(path, "//") }},
	{"UriPath", "ENDS_WITH", "/", func(path, _ string) bool { return strings.HasSuffix(path, "/") }},
	{"UriPath", "STARTS_WITH", "/prod/files/", func(path, _ string) bool { return strings.HasPrefix(path, "/prod/files/") }},
	{"UriPath", "CONTAINS", "%70ets", func(path, _ string) bool { return strings.Contains(path, "%70ets") }},
	{"QueryString", "CONTAINS", "u=http://e/", func(_, query string) bool { return strings.Contains(query, "u=http://e/") }},
	{"QueryString", "STARTS_WITH", "a=%2F", func(_, query string) bool { return strings.HasPrefix(query, "a=%2F") }},
}

// wall is a web ACL with a rule for each.
type wall struct {
	acl  *waf.ACL
	in   waf.Input
	hits map[string]int
}

func newWall(t *testing.T) *wall {
	t.Helper()
	type object map[string]any
	var rules []object
	for i, r := range wallRules {
		rules = append(rules, object{"Name": fmt.Sprint(i), "Priority": i, "Action": object{"Block": object{}},
			"Statement": object{"ByteMatchStatement": object{"FieldToMatch": object{r.field: object{}}, "PositionalConstraint": r.where,
				"SearchString": []byte(r.text), "TextTransformations": []object{{"Priority": 0, "Type": "NONE"}}}}})
	}
	text, err := json.Marshal(object{"DefaultAction": object{"Allow": object{}}, "Rules": rules})
	if err != nil {
		t.Fatal(err)
	}
	acl, err := waf.Compile(&definition.WebACL{ID: "1", Name: "wall", Document: string(text)}, nil, nil,
		waf.Options{Store: waf.NewStore(waf.Settings{Shards: 1}), Region: "us-east-1", Account: "000000000000"})
	if err != nil {
		t.Fatal(err)
	}
	return &wall{acl: acl, in: waf.Input{Source: netip.MustParseAddrPort("192.0.2.1:1")}, hits: map[string]int{}}
}

// disagrees says whether the first rule that matches is another one than the path
// that is routed, and the query that is forwarded, would have.
func (w *wall) disagrees(r *http1.Request, routed []byte) error {
	w.in.Request, w.in.Method = r, r.Method
	verdict := w.acl.Inspect(&w.in, 0)
	got := w.acl.Rule(&verdict)
	w.hits[got]++
	want := ""
	for i, rule := range wallRules {
		if rule.holds("/prod"+string(routed), string(r.Query)) {
			want = fmt.Sprint(i)
			break
		}
	}
	if got != want {
		return fmt.Errorf("the web ACL blocks by rule %q, and by the routed path it would by %q", got, want)
	}
	return nil
}

// cacheKeys are the requests that keys were made for, as the router has them.
type cacheKeys map[string]string

// noCaller is a request of nobody.
type noCaller struct{ noContext }

func (noCaller) AppendCaller(dst []byte) ([]byte, bool) { return dst, true }

// disagrees says whether requests share a key that the router tells apart, or have
// two that it takes for one.
func (c cacheKeys) disagrees(method *deploy.Method, r *http1.Request, path []byte, match *route.Match) error {
	if method.Cache == nil {
		return nil
	}
	key, ok := method.Cache.AppendKey(nil, r, r.Verb, path, noCaller{noContext{path, match}})
	if !ok {
		return nil
	}
	routed := r.Verb.String() + " " + method.ResourcePath + " " + string(path)
	for _, pair := range [][2]string{{"key " + string(key), routed}, {"routed " + routed, string(key)}} {
		if before, seen := c[pair[0]]; seen && before != pair[1] {
			return fmt.Errorf("%.80q belongs to %.80q and to %.80q", pair[0], before, pair[1])
		}
		c[pair[0]] = pair[1]
	}
	return nil
}
