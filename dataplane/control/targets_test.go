package control

import "testing"

// TestTargets: all are listed, and the status has those of which something is wrong.
func TestTargets(t *testing.T) {
	b := newBench(t)
	if items := b.want(200, "GET", "/tidegate/targets", "")["item"].([]any); len(items) != 2 {
		t.Errorf("%v", items)
	}
	unwell := b.want(200, "GET", "/tidegate/status", "")["unwell"].([]any)
	if len(unwell) != 1 || unwell[0].(map[string]any)["apiName"] != "ill" || len(unwell[0].(map[string]any)["integrations"].([]any)) != 2 {
		t.Errorf("%v", unwell)
	}
}
