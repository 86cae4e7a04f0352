package pipeline

// finish accounts for a request, once, when its answer has been written or
// cannot be.
func (t *transaction) finish() {
	w := t.worker
	t.active = false
	w.serving--
	w.done++
	t.body = shrink(t.body)
	t.request = shrink(t.request)
	t.held.reset()
	t.abortFill()
	t.fill.reset()
	if t.std.active {
		t.std.reset()
	}
	took := w.loop.Now() - t.x.Started
	if t.stage != nil && t.stage.Metrics != nil {
		t.stage.Metrics.Observe(w.loop.ID, t.status, took, t.latency)
	}
	if w.pipeline.log != nil {
		t.log(took)
	}
	t.endConnecting()
}

// keptBuffer is the largest buffer a transaction keeps, in bytes.
const keptBuffer = 32 << 10

func shrink(b []byte) []byte {
	if cap(b) > keptBuffer {
		return nil
	}
	return b
}
