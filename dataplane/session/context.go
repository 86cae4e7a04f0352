package session

import (
	"encoding/json"
	"strconv"
	"strings"
	"time"

	"github.com/tidegate/tidegate/dataplane/auth"
	"github.com/tidegate/tidegate/dataplane/integration/proxy"
	"github.com/tidegate/tidegate/dataplane/jsonpath"
)

// Param implements proxy.Input: a route has no path.
func (m *message) Param(int) []byte { return nil }

// AppendBody implements proxy.Input.
func (m *message) AppendBody(dst []byte, path *jsonpath.Path) ([]byte, bool) {
	value, outcome := path.Find(m.payload)
	if outcome != jsonpath.Found || jsonpath.IsNull(value) {
		return dst, false
	}
	return jsonpath.AppendText(dst, value), true
}

// AppendContext implements proxy.Input.
func (m *message) AppendContext(dst []byte, v proxy.ContextVar, name string) []byte {
	s, w, client := m.session, m.worker, m.session.client
	switch v {
	case proxy.ContextRequestID, proxy.ContextExtendedRequestID:
		return append(dst, m.id...)
	case proxy.ContextMessageID:
		return append(dst, m.messageID...)
	case proxy.ContextRouteKey:
		return append(dst, m.route.Key...)
	case proxy.ContextEventType:
		return append(dst, eventNames[m.event]...)
	case proxy.ContextMessageDirection:
		return append(dst, "IN"...)
	case proxy.ContextConnectionID:
		return s.ID(dst)
	case proxy.ContextConnectedAt:
		return strconv.AppendInt(dst, s.connectedAt/int64(time.Millisecond), 10)
	case proxy.ContextDomainName:
		return append(dst, client.Host...)
	case proxy.ContextDomainPrefix:
		prefix, _, _ := strings.Cut(client.Host, ".")
		return append(dst, prefix...)
	case proxy.ContextSourceIP:
		return append(dst, client.SourceIP...)
	case proxy.ContextUserAgent:
		return append(dst, client.UserAgent...)
	case proxy.ContextRequestTime:
		return time.Unix(0, w.loop.Wall(m.started)).UTC().AppendFormat(dst, "02/Jan/2006:15:04:05 -0700")
	case proxy.ContextRequestTimeEpoch:
		return strconv.AppendInt(dst, w.loop.Wall(m.started)/int64(time.Millisecond), 10)
	case proxy.ContextDisconnectStatusCode:
		if m.event == eventDisconnect {
			return strconv.AppendInt(dst, int64(m.end.Code), 10)
		}
		return dst
	case proxy.ContextDisconnectReason:
		if m.event == eventDisconnect {
			return append(dst, m.reason...)
		}
		return dst
	}
	return AppendIdentity(dst, &client.Identity, v, name)
}

// AppendIdentity appends a $context variable about who calls, nothing if there is
// none.
func AppendIdentity(dst []byte, id *auth.Identity, v proxy.ContextVar, name string) []byte {
	switch user := id.User; v {
	case proxy.ContextAuthorizer:
		return id.AppendContext(dst, name)
	case proxy.ContextAccessKey:
		return append(dst, id.AccessKey...)
	case proxy.ContextAccountID:
		if user != nil {
			return append(dst, user.Account...)
		}
	case proxy.ContextUser:
		if user != nil {
			return append(dst, user.UserID...)
		}
	case proxy.ContextUserARN:
		if user != nil {
			return append(dst, user.ARN...)
		}
	}
	return dst
}

// templateInput is a message as templates see it.
type templateInput struct{ *message }

// AppendContext implements template.Input.
func (t templateInput) AppendContext(dst []byte, number int, rest string) []byte {
	return t.message.AppendContext(dst, proxy.ContextVar(number), rest)
}

// authorizerContext is what an authorizer said of who connected, as functions are
// told: principalId, and the context that it gave.
func authorizerContext(id *auth.Identity) json.RawMessage {
	if id.Verdict == nil {
		return nil
	}
	values := map[string]any{"principalId": id.Verdict.PrincipalID, "integrationLatency": id.Verdict.Latency / int64(time.Millisecond)}
	for _, v := range id.Verdict.Context {
		if values[v.Name] = v.Text; v.Null {
			values[v.Name] = nil
		}
	}
	text, err := json.Marshal(values)
	if err != nil {
		return nil
	}
	return text
}
