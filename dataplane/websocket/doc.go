// Package websocket is the engine under WebSocket APIs and WebSocket
// pass-through: RFC 6455 on the event loops of the data plane.
//
// A connection that is parked is a Conn of some hundred bytes and a registration
// with the poller: no goroutine, no buffer, no timer of its own. Frames are read
// from the loop's shared buffer and unmasked where they lie; only the part of a
// message that has not come whole is held, within bounds. Whatever is sent during
// one event leaves at its end, in one write per connection.
//
//	request -> Upgrade -> Hub.Reserve -> Conn.Accept -> messages … -> OnClose
//	                           |              \-> Conn.Pass -> frames … -> OnClose
//	                           \-> Conn.Abandon
//
// A Hub gives connections ids that cannot be forged, and is the door through
// which any goroutine reaches the connection that an id names. Everything else
// happens on the connection's event loop.
//
// There are no extensions: permessage-deflate is never agreed to, as on AWS.
package websocket
