package front

import "github.com/tidegate/tidegate/dataplane/http1"

// Handler answers the requests of one Exchange, one after the other. All calls
// come on the exchange's event loop and must not block. After Serve or Refuse
// the handler writes an answer and calls Finish, or calls Abort; unless Gone
// comes first.
type Handler interface {
	// Serve starts on the request whose head is Exchange.Request.
	Serve()
	// Refuse answers a message that broke the protocol or a limit. If Serve came
	// before, its answer may have begun.
	Refuse(http1.Fault)
	// Body brings body bytes, decoded, after WantBody. data is valid during the
	// call. With last the body is whole.
	Body(data []byte, last bool)
	// Drained says that everything written so far has been sent.
	Drained()
	// Gone says that the client cannot be answered any more.
	Gone()
}
