// Package upstream speaks HTTP/1.1 to backends on the event loops that serve
// the clients: no goroutine, no lock and no hand-over between cores in the path
// of a request.
//
//	Call.Start -> API: may one more be under way? -> lane: which target? -> pool: which connection? -> conn
//
// A Group is what an integration names: targets of one API that can stand in for
// one another. It is never shared with another API. A Target is one address, with
// a pool of connections for each event loop. A connection goes back to its pool
// only when the answer ended exactly where its framing says; any doubt closes it,
// and so does any byte that arrives while it is idle.
//
// Each loop counts what becomes of its requests; when one fails, a goroutine
// begins to look at the counts of all loops, and hands each loop the targets that
// are asked from then on. Package health has the rules.
package upstream
