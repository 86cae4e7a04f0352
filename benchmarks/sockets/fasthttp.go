package sockets

import (
	"bytes"
	"sync"

	"github.com/fasthttp/websocket"
	"github.com/valyala/fasthttp"
)

// plain is the server of the library's examples: a goroutine per connection,
// which waits in ReadMessage. A push is a loop over all connections.
type plain struct {
	upgrader websocket.FastHTTPUpgrader
	pushes   chan []byte

	mu    sync.Mutex
	conns []*conn
}

// conn lets one at a time write, as the library wants it.
type conn struct {
	*websocket.Conn
	mu sync.Mutex
}

// maxPushes is how many pushes may wait for those before them.
const maxPushes = 1024

func serveFastHTTP(o Order) error {
	p := &plain{pushes: make(chan []byte, maxPushes)}
	go p.push(max(o.Writers, 1))
	server := fasthttp.Server{Handler: p.serve}
	return server.ListenAndServe(o.Address)
}

func (p *plain) serve(ctx *fasthttp.RequestCtx) {
	switch {
	case websocket.FastHTTPIsWebSocketUpgrade(ctx):
		_ = p.upgrader.Upgrade(ctx, p.echo) // it has answered what is no proper wish
	case ctx.IsPost() && string(ctx.Path()) == PushPath:
		p.pushes <- bytes.Clone(ctx.PostBody())
	}
}

func (p *plain) echo(ws *websocket.Conn) {
	c := &conn{Conn: ws}
	p.mu.Lock()
	p.conns = append(p.conns, c)
	p.mu.Unlock()
	for {
		kind, message, err := c.ReadMessage()
		if err != nil || c.reply(kind, message) != nil {
			return
		}
	}
}

func (c *conn) reply(kind int, message []byte) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.WriteMessage(kind, message)
}

func (c *conn) push(message *websocket.PreparedMessage) {
	c.mu.Lock()
	defer c.mu.Unlock()
	_ = c.WritePreparedMessage(message) // who has gone is not missed
}

// push sends what is queued, one after the other.
func (p *plain) push(writers int) {
	for text := range p.pushes {
		message, err := websocket.NewPreparedMessage(websocket.TextMessage, text)
		if err != nil {
			panic(err) // it is in memory: does not fail
		}
		p.mu.Lock()
		conns := p.conns
		p.mu.Unlock()
		var wg sync.WaitGroup
		for first := range writers {
			wg.Go(func() {
				for i := first; i < len(conns); i += writers {
					conns[i].push(message)
				}
			})
		}
		wg.Wait()
	}
}
