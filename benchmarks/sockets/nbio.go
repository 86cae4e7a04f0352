package sockets

import (
	"net/http"

	"github.com/lesismal/nbio/logging"
	"github.com/lesismal/nbio/nbhttp"
	"github.com/lesismal/nbio/nbhttp/websocket"
)

// nbioConnections is above nbio's default, which is less than benchmarks open.
const nbioConnections = 100_000

func serveNbio(o Order) error {
	logging.SetLevel(logging.LevelError)
	upgrader := websocket.NewUpgrader()
	upgrader.OnMessage(func(c *websocket.Conn, kind websocket.MessageType, message []byte) {
		_ = c.WriteMessage(kind, message)
	})
	engine := nbhttp.NewEngine(nbhttp.Config{
		Network: "tcp", Addrs: []string{o.Address}, MaxLoad: nbioConnections,
		Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.Header.Get("Upgrade") != "" {
				_, _ = upgrader.Upgrade(w, r, nil) // it has answered what is no proper wish
			}
		}),
	})
	if err := engine.Start(); err != nil {
		return err
	}
	select {}
}
