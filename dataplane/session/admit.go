package session

import (
	"github.com/tidegate/tidegate/dataplane/telemetry"
	"github.com/tidegate/tidegate/dataplane/throttle"
)

// refusal is an error message of the gateway's own.
type refusal string

// Texts of AWS's.
const (
	forbidden     refusal = "Forbidden"
	internalError refusal = "Internal server error"
	tooMany       refusal = "Too Many Requests"
	overQuota     refusal = "Limit Exceeded"
)

// refuse answers a message that no integration gets.
func (m *message) refuse(r refusal) {
	m.fault = string(r)
	m.count(telemetry.SocketClientError)
	m.sendError(r)
	m.done()
}

// sendError tells the client what is wrong, and who is to be asked about it.
func (m *message) sendError(r refusal) {
	w := m.worker
	w.errorText = m.session.AppendError(w.errorText[:0], string(r), m.id)
	m.send(w.errorText)
}

// AppendError appends the body of an error message, as AWS spells it.
func (s *Session) AppendError(dst []byte, text string, requestID []byte) []byte {
	dst = append(append(dst, `{"message": "`...), text...)
	dst = s.ID(append(dst, `", "connectionId":"`...))
	dst = append(append(dst, `", "requestId":"`...), requestID...)
	return append(dst, `"}`...)
}

// admit takes a token of every limit that the message is under, or of none.
func (m *message) admit() (refusal, bool) {
	w, r := m.worker, m.route
	c := w.config
	now := w.loop.Now()
	wall := w.loop.Wall(now)
	charges := r.Throttle.AppendCharges(w.charges[:0], c.Throttle.Account())
	common := len(charges)
	client := &m.client
	if r.KeyRequired {
		key := m.session.client.APIKey
		ok := false
		if m.stage.Plans != nil && key != "" {
			w.keyText = append(w.keyText[:0], key...)
			*client, ok = c.Usage.Find(w.keyText, m.stage.Plans)
		}
		if !ok {
			return forbidden, false
		}
		charges = client.AppendCharges(charges, r.Overrides, now, wall)
	}
	w.charges = charges[:0]
	d, _ := c.Throttle.Spend(now, wall, w.loop.ID, &r.Throttle, charges)
	if d.Allowed() {
		if r.KeyRequired {
			c.Usage.Count(w.loop.ID, client, wall)
		}
		return "", true
	}
	limit, text := telemetry.LimitMethod, tooMany
	switch {
	case r.KeyRequired && d.Denied >= common && client.Quota() && d.Denied == len(charges)-1:
		limit, text = telemetry.LimitQuota, overQuota
	case d.Denied >= common:
		limit = telemetry.LimitPlan
	case r.Throttle.Level(d.Denied) == throttle.Account:
		limit = telemetry.LimitAccount
	case r.Throttle.Level(d.Denied) == throttle.Stage:
		limit = telemetry.LimitStage
	}
	if c.Throttled != nil {
		c.Throttled.Add(w.loop.ID, int(limit), 1)
	}
	return text, false
}
