package session

import (
	"encoding/json"
	"errors"
	"strings"

	"github.com/tidegate/tidegate/dataplane/deploy"
	"github.com/tidegate/tidegate/dataplane/http1"
	"github.com/tidegate/tidegate/dataplane/integration/lambda"
	"github.com/tidegate/tidegate/dataplane/telemetry"
)

// functionInput returns what makes the payload of the call on another goroutine;
// what is the loop's has been copied. It is false if the definition makes none.
func (m *message) functionInput() (func() ([]byte, error), bool) {
	if m.route.Whole {
		e := m.functionEvent()
		return func() ([]byte, error) { return json.Marshal(e) }, true
	}
	text, ok := m.route.Request(nil, m.worker.scratch[:0], m.payload, templateInput{m})
	return func() ([]byte, error) { return text, nil }, ok
}

// functionEvent is what a function of a proxy integration is told.
func (m *message) functionEvent() *lambda.SocketEvent {
	s, client := m.session, m.session.client
	e := &lambda.SocketEvent{StageVariables: m.stage.Variables}
	c := &e.RequestContext
	c.RouteKey, c.EventType, c.MessageDirection = m.route.Key, eventNames[m.event], "IN"
	c.RequestID, c.MessageID = string(m.id), string(m.messageID)
	c.ExtendedRequestID = c.RequestID
	c.SetTime(m.worker.loop.Wall(m.started))
	c.Stage, c.APIID, c.DomainName = m.stage.Name, m.stage.APIID, client.Host
	c.ConnectedAt, c.ConnectionID = s.connectedAt/1e6, string(s.ID(nil))
	c.Identity = lambda.SocketIdentity{SourceIP: client.SourceIP, UserAgent: client.UserAgent, AccessKey: client.Identity.AccessKey}
	if u := client.Identity.User; u != nil {
		c.Identity.User, c.Identity.UserARN, c.Identity.Caller, c.Identity.AccountID = u.UserID, u.ARN, u.UserID, u.Account
	}
	c.Authorizer = authorizerContext(&client.Identity)
	switch m.event {
	case eventConnect:
		addRequest(e, m.head)
	case eventMessage:
		text := string(m.payload)
		e.Body = &text
	case eventDisconnect:
		e.AddHeader("Host", client.Host)
		if client.APIKey != "" {
			e.AddHeader("x-api-key", client.APIKey)
		}
		e.AddHeader("X-Forwarded-For", client.SourceIP)
		reason := string(m.reason)
		c.DisconnectStatusCode, c.DisconnectReason = int(m.end.Code), &reason
	}
	return e
}

// addRequest adds the header fields and the query of the wish to connect.
func addRequest(e *lambda.SocketEvent, r *http1.Request) {
	for i := range r.Len() {
		e.AddHeader(string(r.Name(i)), string(r.Value(i)))
	}
	for q := (http1.Query{Rest: r.Query}); q.Next(); {
		e.AddQuery(string(http1.AppendUnescaped(nil, q.Name)), string(http1.AppendUnescaped(nil, q.Value)))
	}
}

// functionAnswered is what became of the call, on the loop again.
func (m *message) functionAnswered(a lambda.Answer, err error) {
	m.latency = m.worker.loop.Now() - m.calledAt
	if err != nil {
		var refused *lambda.Error
		switch {
		case errors.As(err, &refused) && refused.Timeout():
			m.failed(TimedOut)
		case errors.As(err, &refused) && refused.Throttled():
			m.failed(Busy)
		case errors.As(err, &refused) && refused.Refused():
			m.failed(Misconfigured)
		default:
			m.failed(Unreachable)
		}
		return
	}
	if m.route.Whole {
		m.functionReturned(a)
		return
	}
	m.status = 200
	var message string
	if a.FunctionError != "" {
		message = a.Failure().Message
		m.count(telemetry.SocketIntegrationError)
	}
	m.answer = append(m.answer[:0], a.Payload...)
	switch {
	case m.event == eventMessage && m.route.Answers:
		m.respondFunction(message)
	case m.event == eventConnect && a.FunctionError != "":
		m.failed(BadAnswer)
	default:
		m.answered()
	}
}

// functionReturned reads what a function of a proxy integration returned.
func (m *message) functionReturned(a lambda.Answer) {
	result, ok := lambda.ParseSocketResult(a.Payload)
	if a.FunctionError != "" || !ok {
		m.count(telemetry.SocketIntegrationError)
		m.failed(BadAnswer)
		return
	}
	m.status = result.Status
	m.answer = append(m.answer[:0], result.Body...)
	for name, value := range result.Headers {
		if m.caller != nil && strings.EqualFold(name, protocolField) {
			m.request = append(m.request[:0], value...)
		}
	}
	m.answered()
}

// respondFunction is respond for a function that is called by templates.
func (m *message) respondFunction(failure string) {
	a := deploy.Answer{Status: []byte("200"), Error: []byte(failure), Body: m.answer, Message: m.payload}
	out, ok := m.route.Response(m.request[:0], m.worker.scratch[:0], &a, templateInput{m})
	if m.request = out; !ok {
		m.failed(Misconfigured)
		return
	}
	m.send(out)
	m.done()
}
