package dataplane

import (
	"crypto/rand"
	"encoding/binary"

	"github.com/tidegate/tidegate/configs"
	"github.com/tidegate/tidegate/dataplane/session"
	"github.com/tidegate/tidegate/dataplane/telemetry"
	"github.com/tidegate/tidegate/dataplane/websocket"
)

// makeHub makes what holds the connections of WebSockets.
func (g *Gateway) makeHub(host *configs.Host) (err error) {
	w := &host.WebSocket
	perLoop := w.Connections / len(g.loops)
	if w.Connections == 0 {
		perLoop = maxConnectionsOfLoop
	}
	var instance [2]byte
	_, _ = rand.Read(instance[:]) // never fails
	g.hub, err = websocket.NewHub(g.loops, websocket.HubConfig{
		Key: g.store.Load().ConnectionSecret(), Instance: binary.BigEndian.Uint16(instance[:]),
		Connections: max(perLoop, 1), Buffer: int64(w.BufferBytes / len(g.loops)),
	})
	return err
}

// maxConnectionsOfLoop is what connection ids have room for.
const maxConnectionsOfLoop = 1 << 22

// makeSessions makes what the sessions of WebSocket APIs share.
func (g *Gateway) makeSessions(host *configs.Host, throttled *telemetry.Counters) *session.Sessions {
	w, limits := &host.WebSocket, websocket.AWSLimits()
	limits.Message, limits.Frame = w.MessageBytes, w.FrameBytes
	limits.QueueMessages, limits.QueueBytes = w.QueueMessages, w.QueueBytes
	limits.Idle, limits.Life, limits.Ping = w.Idle, w.Life, w.Ping
	return session.New(session.Config{
		Hub: g.hub, Limits: &limits, InFlight: w.InFlight, ConnectRate: w.ConnectRate,
		Throttle: g.throttle, Usage: g.usage, Lambda: g.lambda, Log: g.access, Throttled: throttled,
	})
}

// registerSockets shows the counts of the hub.
func (g *Gateway) registerSockets() {
	stat := func(of func(*websocket.Stats) int64) func() int64 {
		return func() int64 {
			s := g.hub.Stats()
			return of(&s)
		}
	}
	count := func(of func(*websocket.Stats) int64) func() uint64 {
		value := stat(of)
		return func() uint64 { return uint64(value()) }
	}
	r := g.registry
	r.GaugeFunc(telemetry.WebSocketsOpen, stat(func(s *websocket.Stats) int64 { return s.Open }))
	r.GaugeFunc(telemetry.WebSocketBytes, stat(func(s *websocket.Stats) int64 { return s.Held }))
	r.CounterFunc(telemetry.WebSocketsAccepted, count(func(s *websocket.Stats) int64 { return s.Connects }))
	r.CounterFunc(telemetry.WebSocketsRefused, count(func(s *websocket.Stats) int64 { return s.Refused }))
	r.CounterFunc(telemetry.WebSocketsSlow, count(func(s *websocket.Stats) int64 { return s.Slow }))
	labels := make([]string, len(closeCodes))
	for i, code := range closeCodes {
		labels[i] = code.String()
	}
	r.CountersFunc(telemetry.WebSocketCloses, labels, func(i int) uint64 {
		s := g.hub.Stats()
		return uint64(s.Closes(closeCodes[i]))
	})
}

// closeCodes are those that are counted by themselves; the last stands for all
// over 1015.
var closeCodes = []websocket.Code{
	websocket.Normal, websocket.GoingAway, websocket.ProtocolError, websocket.UnsupportedData, websocket.NoStatus, websocket.Abnormal,
	websocket.InvalidPayload, websocket.PolicyViolation, websocket.TooBig, websocket.MandatoryExtension, websocket.InternalError,
	websocket.ServiceRestart, websocket.TryAgainLater, websocket.BadGateway, 4999,
}
