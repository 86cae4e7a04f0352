package rivals

import (
	"context"
	"maps"
	"net/http"
	"slices"

	"github.com/tidegate/tidegate/benchmarks/firewall"
)

// protect puts a web ACL with its IP sets before a deployed API.
func (c *control) protect(ctx context.Context, id string, acl *firewall.ACL) error {
	for _, name := range slices.Sorted(maps.Keys(acl.IPSets)) {
		if err := c.call(ctx, http.MethodPut, "/tidegate/waf/ipsets/"+name+"?format=text", []byte(acl.IPSets[name]), nil); err != nil {
			return err
		}
	}
	if err := c.send(ctx, http.MethodPut, "/tidegate/waf/webacls/bench", map[string]string{"document": acl.Document}, nil); err != nil {
		return err
	}
	return c.patchStage(ctx, id, replace("/x-tidegate-web-acl", "bench"))
}
