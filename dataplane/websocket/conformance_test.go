package websocket_test

import (
	"testing"

	"github.com/tidegate/tidegate/internal/wstest"
)

// TestConformance says every case of wstest to an engine that echoes.
func TestConformance(t *testing.T) {
	for _, textOnly := range []bool{false, true} {
		name := "text and binary"
		if textOnly {
			name = "text alone"
		}
		t.Run(name, func(t *testing.T) {
			s := newServer(t, func(o *serverOptions) { o.limits.TextOnly = textOnly; o.loops = 2 })
			l := s.options.limits
			wstest.Run(t, wstest.Options{Frame: l.Frame, Message: l.Message, Fragments: l.Fragments, TextOnly: textOnly},
				func() (*wstest.Client, error) { return wstest.Dial(s.addr, "/") })
		})
	}
}
