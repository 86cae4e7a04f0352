package pipeline

import (
	"math"

	"github.com/tidegate/tidegate/dataplane/integration/proxy"
)

// held is the beginning of a request's body, or all of it, which was needed
// before the integration was called.
type held struct {
	bytes   []byte
	waiting bool // Body calls are for it
	until   int  // how many bytes are enough
	then    step // what proceeds with them
	any     bool // the body has been asked for
	whole   bool // nothing more comes
}

// wholeBody is enough only when the body ends. The front bounds it.
const wholeBody = math.MaxInt

func (h *held) reset() { *h = held{bytes: shrink(h.bytes)[:0]} }

// hold collects the body until there are so many bytes of it, and then proceeds
// from a step.
func (t *transaction) hold(until int, then step) {
	t.held.waiting, t.held.until, t.held.then = true, until, then
	if !t.held.any {
		t.held.any = true
		t.x.WantBody()
		return
	}
	t.x.ResumeBody()
}

// keep takes body bytes that are held.
func (t *transaction) keep(data []byte, last bool) {
	h := &t.held
	h.bytes = append(h.bytes, data...)
	if h.whole = last; !last && len(h.bytes) < h.until {
		return
	}
	h.waiting = false
	if !last {
		t.x.PauseBody()
	}
	t.proceed(h.then)
}

// forwardHeld calls the backend with the body that is held, and has the rest of
// it follow.
func (t *transaction) forwardHeld() {
	h := &t.held
	if h.whole {
		t.appendRequest(proxy.Body{Length: int64(len(h.bytes))})
		if len(h.bytes) <= collectLimit {
			t.request = append(t.request, h.bytes...)
			t.start(true)
			return
		}
		t.streaming = true
		t.start(false)
		t.stream(h.bytes, true)
		return
	}
	t.streaming, t.rechunk = true, t.x.Request.Chunked
	t.appendRequest(proxy.Body{Length: t.x.Request.ContentLength, Chunked: t.rechunk})
	t.start(false)
	t.stream(h.bytes, false)
	t.x.ResumeBody()
}
