// Package upstream speaks HTTP/1.1 to backends on the event loops that serve
// the clients: no goroutine, no lock and no hand-over between cores in the path
// of a request.
//
// A Target is one backend of one API, and is never shared with another. It has
// a pool of connections for each event loop. A connection goes back to its pool
// only when the answer ended exactly where its framing says; any doubt closes
// it, and so does any byte that arrives while it is idle.
package upstream
