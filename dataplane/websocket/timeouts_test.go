package websocket_test

import (
	"testing"
	"time"

	"github.com/tidegate/tidegate/dataplane/websocket"
	"github.com/tidegate/tidegate/internal/wstest"
)

// TestPings: silent peers are pinged, answers are not handed on, and a peer that
// never answers is lost.
func TestPings(t *testing.T) {
	t.Parallel()
	s := newServer(t, func(o *serverOptions) { o.limits.Ping = 200 * time.Millisecond })
	c, x := s.connect()
	for range 6 { // twice as many as may be missed
		f, err := c.Hear()
		if err != nil || f.Op != wstest.Ping || len(f.Payload) != 8 {
			t.Fatalf("%v, %v", f, err)
		}
		say(t, c, wstest.Frame{Op: wstest.Pong, Payload: f.Payload})
	}
	for range 3 {
		if f, err := c.Hear(); err != nil || f.Op != wstest.Ping {
			t.Fatalf("%v, %v", f, err)
		}
	}
	if e := x.end(); e.By != websocket.ByLoss || e.Code != websocket.Abnormal {
		t.Errorf("%+v", e)
	}
	s.stats("pings are counted", func(st websocket.Stats) bool { return st.Pings == 9 && st.Open == 0 })
}

// TestTimeouts: idle, old and stalling connections end.
func TestTimeouts(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		edit func(*websocket.Limits)
		say  []byte
		code websocket.Code
	}{
		"idle":  {func(l *websocket.Limits) { l.Idle = 300 * time.Millisecond }, nil, websocket.GoingAway},
		"old":   {func(l *websocket.Limits) { l.Life = 300 * time.Millisecond }, nil, websocket.GoingAway},
		"frame": {func(l *websocket.Limits) { l.Assembly = 300 * time.Millisecond }, wstest.Bytes(wstest.T("half"))[:8], websocket.PolicyViolation},
		"header": {func(l *websocket.Limits) { l.Assembly = 300 * time.Millisecond },
			wstest.Bytes(wstest.T("half"))[:1], websocket.PolicyViolation},
		"message": {func(l *websocket.Limits) { l.Assembly = 300 * time.Millisecond },
			wstest.Bytes(wstest.Frame{Op: wstest.Text, More: true}), websocket.PolicyViolation},
	} {
		s := newServer(t, func(o *serverOptions) { c.edit(&o.limits) })
		client, x := s.connect()
		_ = client.SayBytes(c.say, 0)
		expectClose(t, client, c.code)
		if e := x.end(); e.By != websocket.ByGateway || e.Code != c.code {
			t.Errorf("%s: %+v", name, e)
		}
	}
}
