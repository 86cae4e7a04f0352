package pipeline

import (
	"github.com/tidegate/tidegate/dataplane/http1"
	"github.com/tidegate/tidegate/dataplane/integration/mock"
)

// joinLimit is the largest body that is copied behind its head to be written
// with it, in bytes.
const joinLimit = 8 << 10

// startHead begins the head of the answer: status line, date, ids.
func (t *transaction) startHead(status int) []byte {
	t.status = status
	b := http1.AppendStatus(t.worker.scratch[:0], status)
	return t.appendIDs(b)
}

func (t *transaction) appendIDs(b []byte) []byte {
	return t.appendRequestIDs(t.worker.appendDate(b, t.x.Started))
}

// appendRequestIDs appends what every answer says of the request alone.
func (t *transaction) appendRequestIDs(b []byte) []byte {
	b = append(b, "x-amzn-RequestId: "...)
	b = append(b, t.requestID...)
	b = append(b, "\r\nx-amz-apigw-id: "...)
	b = append(b, t.extendedID...)
	return t.appendLimits(append(b, "\r\n"...))
}

// appendConnection says whether the connection stays, where the version does
// not.
func (t *transaction) appendConnection(b []byte) []byte {
	if !t.x.KeepAlive() {
		return append(b, "Connection: close\r\n"...)
	}
	if t.x.Request.Minor == 0 {
		return append(b, "Connection: keep-alive\r\n"...)
	}
	return b
}

// answerWhole ends the head, writes it with the whole body, and finishes.
func (t *transaction) answerWhole(b, body []byte) {
	b = t.appendConnection(b)
	if !http1.NoBody(t.status, http1.VerbOther) {
		b = http1.AppendContentLength(b, int64(len(body)))
	}
	b = append(b, "\r\n"...)
	if http1.NoBody(t.status, t.x.Request.Verb) {
		body = nil
	}
	t.answering = answerPlain
	t.bodyBytes = int64(len(body))
	t.write(b, body)
	t.end()
}

// write writes a, which is the scratch buffer, and b.
func (t *transaction) write(a, b []byte) {
	if len(b) <= joinLimit {
		a, b = append(a, b...), nil
	}
	if cap(a) <= 4*scratchSize {
		t.worker.scratch = a[:0]
	}
	t.x.Write(a, b)
}

// end accounts for the request and lets the exchange go.
func (t *transaction) end() {
	t.finish()
	t.x.Finish()
}

// mock answers from the definition.
func (t *transaction) mock() {
	r := &t.x.Request
	a, outcome := t.method.Mock.Answer(r.Get(http1.ContentType), r.Get(http1.Accept))
	switch outcome {
	case mock.UnsupportedMediaType:
		t.reject(UnsupportedMediaType)
		return
	case mock.ConfigurationError:
		t.reject(Misconfigured)
		return
	}
	b := t.startHead(a.Status)
	b = append(b, "Content-Type: "...)
	b = append(b, a.ContentType...)
	b = append(b, "\r\n"...)
	for i := range a.Headers {
		b = append(b, a.Headers[i].Name...)
		b = append(b, ": "...)
		b = append(b, a.Headers[i].Value...)
		b = append(b, "\r\n"...)
	}
	t.answerWhole(b, a.Body)
}
