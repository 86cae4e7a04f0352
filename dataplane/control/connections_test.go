package control

import (
	"fmt"
	"slices"
	"strings"
	"testing"
)

func TestConnections(t *testing.T) {
	b := newBench(t)
	wantJSON(t, "none", b.want(200, "GET", "/tidegate/connections", ""), `{"items":[],"totals":{"open":0,"messagesIn":0,"messagesOut":0,"queuedBytes":0}}`)
	for i := range 130 {
		b.gateway.connections.open = append(b.gateway.connections.open, Connection{
			ID: fmt.Sprintf("id%d=", i), APIID: []string{"a", "b"}[i%2], Stage: []string{"prod", "test", "dev"}[i%3], SourceIP: "192.0.2.1", UserAgent: "x",
			ConnectedAt: noon, LastActiveAt: noon, MessagesIn: 2,
		})
	}
	for query, sizes := range map[string][]int{"": {100, 30}, "maxResults=65&": {65, 65}, "apiId=a&": {65}, "apiId=b&stage=dev&maxResults=10&": {10, 10, 1}} {
		seen, token := map[string]bool{}, ""
		for i, size := range sizes {
			page := b.want(200, "GET", "/tidegate/connections?"+query+"nextToken="+token, "")
			for _, c := range page["items"].([]any) {
				seen[c.(map[string]any)["connectionId"].(string)] = true
			}
			if len(page["items"].([]any)) != size {
				t.Errorf("%q page %d has %d connections", query, i, len(page["items"].([]any)))
			}
			token, _ = page["nextToken"].(string)
		}
		total := b.want(200, "GET", "/tidegate/connections?"+query, "")["totals"].(map[string]any)
		if token != "" || total["open"] != float64(len(seen)) || total["messagesIn"] != float64(2*len(seen)) {
			t.Errorf("%q: %d seen, totals %v, token %q", query, len(seen), total, token)
		}
	}
	wantJSON(t, "one", b.want(200, "GET", "/tidegate/connections?maxResults=1", "")["items"].([]any)[0].(map[string]any),
		`{"connectionId":"id0=","apiId":"a","stage":"prod","sourceIp":"192.0.2.1","userAgent":"x","connectedAt":"2026-11-22T12:00:00Z","lastActiveAt":"2026-11-22T12:00:00Z","messagesIn":2,"messagesOut":0,"queuedBytes":0}`)

	b.want(200, "POST", "/tidegate/connections/id1%3D", "héllo")
	b.want(200, "POST", "/tidegate/connections/id1=", "")
	b.want(204, "DELETE", "/tidegate/connections/id1%3D", "")
	if !slices.Equal(b.gateway.connections.sent, []string{"id1=: héllo", "id1=: "}) {
		t.Errorf("sent %q", b.gateway.connections.sent)
	}
	const gone = "The connection is gone: it is closed, or never was"
	b.wantError("DELETE", "/tidegate/connections/id1=", "", 410, "GoneException", gone)
	b.wantError("POST", "/tidegate/connections/id1=", "x", 410, "GoneException", gone)
	b.gateway.connections.busy = "id2="
	b.wantError("POST", "/tidegate/connections/id2=", "x", 429, CodeLimitExceeded, "The client does not read what waits for it: try again later")
	b.wantError("POST", "/tidegate/connections/id2=", "\xff", 400, CodeBadRequest, "The message is not UTF-8 text")
	b.wantError("POST", "/tidegate/connections/id2=", strings.Repeat("x", 128<<10+1), 413, "PayloadTooLargeException", "The message is larger than a connection may be sent")
	b.wantError("GET", "/tidegate/connections?stage=prod", "", 400, CodeBadRequest, "A stage needs the API that it is of: give the parameter apiId")
	b.wantError("GET", "/tidegate/connections?maxResults=0", "", 400, CodeBadRequest, "Invalid maxResults: 0. It must be a number from 1 to 1000")
	b.wantError("GET", "/tidegate/connections?nextToken=x", "", 400, CodeBadRequest, "Invalid nextToken: it is none that was answered")
	b.wantError("GET", "/tidegate/connections?api=x", "", 400, CodeBadRequest, "parameter api is not supported yet")
	if log := b.log.String(); !strings.Contains(log, "operation=CloseConnection") || !strings.Contains(log, `connection="id1="`) || strings.Contains(log, "héllo") {
		t.Errorf("log\n%s", log)
	}
}
