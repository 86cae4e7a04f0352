package control

import (
	"errors"
	"net/url"
	"slices"
	"strconv"
	"time"
	"unicode/utf8"
)

// Connections are the open connections of WebSocket APIs. Its methods may be
// called from any goroutine.
type Connections interface {
	// List returns at most limit connections that the filter lets pass, in an order
	// of its own: those behind the cursor, which is empty for the first ones. next
	// is the cursor of those behind them, and empty when there are none. What is
	// opened or closed meanwhile may be missing; the rest comes once. An error says
	// what is wrong with the cursor.
	List(f ConnectionFilter, cursor string, limit int) (list []Connection, next string, err error)

	// Totals counts what the filter lets pass.
	Totals(f ConnectionFilter) ConnectionTotals

	// Close begins to close a connection with the code 1000. It fails with
	// ErrConnectionGone if there is none of that id.
	Close(id string) error

	// Send sends a text message. It fails with ErrConnectionGone, with
	// ErrConnectionBusy if as many messages as there may be wait for the client, or
	// with ErrMessageTooLarge.
	Send(id, text string) error
}

// Errors of Connections.
var (
	ErrConnectionGone  = errors.New("the connection is closed, or never was")
	ErrConnectionBusy  = errors.New("the client does not read what waits for it")
	ErrMessageTooLarge = errors.New("the message is larger than a connection may be sent")
)

// ConnectionFilter lets connections pass. What is empty lets pass all.
type ConnectionFilter struct{ APIID, Stage string }

// Connection is one open connection.
type Connection struct {
	ID           string    `json:"connectionId"`
	APIID        string    `json:"apiId"`
	Stage        string    `json:"stage"`
	SourceIP     string    `json:"sourceIp"`
	UserAgent    string    `json:"userAgent,omitempty"`
	ConnectedAt  time.Time `json:"connectedAt"`
	LastActiveAt time.Time `json:"lastActiveAt"` // when a message came or went last
	MessagesIn   uint64    `json:"messagesIn"`   // from the client
	MessagesOut  uint64    `json:"messagesOut"`  // to the client
	Queued       int       `json:"queuedBytes"`  // that wait for the client to read
}

// ConnectionTotals are counts of connections. Those of messages are of the
// connections that are open.
type ConnectionTotals struct {
	Open        int    `json:"open"`
	MessagesIn  uint64 `json:"messagesIn"`
	MessagesOut uint64 `json:"messagesOut"`
	Queued      int    `json:"queuedBytes"`
}

// ConnectionList is a page of connections, with the totals of all pages.
type ConnectionList struct {
	Items     []Connection     `json:"items"`
	NextToken string           `json:"nextToken,omitempty"`
	Totals    ConnectionTotals `json:"totals"`
}

// Bounds on a page of connections.
const (
	usualConnections   = 100
	maxConnectionsPage = 1000
)

// maxSentMessage is AWS's limit on a message, in bytes. A host may allow less.
const maxSentMessage = 128 << 10

func (s *Server) listConnections(r *request) (int, any, error) {
	for name := range r.query {
		if !slices.Contains([]string{"apiId", "stage", "maxResults", "nextToken"}, name) {
			return 0, nil, unsupported("parameter " + name)
		}
	}
	f, err := connectionFilter(r.query)
	if err != nil {
		return 0, nil, err
	}
	limit := usualConnections
	if v := r.query.Get("maxResults"); v != "" {
		if limit, err = strconv.Atoi(v); err != nil || limit < 1 {
			return 0, nil, badRequest("Invalid maxResults: %s. It must be a number from 1 to %d", v, maxConnectionsPage)
		}
	}
	connections := s.gateway.Connections()
	list, next, err := connections.List(f, r.query.Get("nextToken"), min(limit, maxConnectionsPage))
	if err != nil {
		return 0, nil, badRequest("Invalid nextToken: %v", err)
	}
	if list == nil {
		list = []Connection{}
	}
	return 200, ConnectionList{Items: list, NextToken: next, Totals: connections.Totals(f)}, nil
}

func connectionFilter(q url.Values) (ConnectionFilter, error) {
	f := ConnectionFilter{APIID: q.Get("apiId"), Stage: q.Get("stage")}
	if f.Stage != "" && f.APIID == "" {
		return f, badRequest("A stage needs the API that it is of: give the parameter apiId")
	}
	return f, nil
}

func (s *Server) closeConnection(r *request) (int, any, error) {
	return 204, nil, connectionError(s.gateway.Connections().Close(r.params["connection"]))
}

// sendToConnection sends the body, as it is, as a text message.
func (s *Server) sendToConnection(r *request) (int, any, error) {
	switch {
	case len(r.body) > maxSentMessage:
		return 0, nil, connectionError(ErrMessageTooLarge)
	case !utf8.Valid(r.body):
		return 0, nil, badRequest("The message is not UTF-8 text")
	}
	return 200, nil, connectionError(s.gateway.Connections().Send(r.params["connection"], string(r.body)))
}

// connectionError answers as AWS's @connections API does.
func connectionError(err error) error {
	switch {
	case errors.Is(err, ErrConnectionGone):
		return &Error{Status: 410, Code: "GoneException", Message: "The connection is gone: it is closed, or never was"}
	case errors.Is(err, ErrConnectionBusy):
		return &Error{Status: 429, Code: CodeLimitExceeded, Message: "The client does not read what waits for it: try again later"}
	case errors.Is(err, ErrMessageTooLarge):
		return &Error{Status: 413, Code: "PayloadTooLargeException", Message: "The message is larger than a connection may be sent"}
	}
	return err
}
