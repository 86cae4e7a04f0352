// Package control serves the control socket: a Unix socket that speaks the
// AWS API Gateway control protocols (REST-JSON) for the operations the gateway has:
// version 2015-07-09 for REST APIs and, under /v2/, version 2018-11-29 for WebSocket
// APIs. Tidegate's own operations are under /tidegate/.
// It also holds the client that the command line uses.
//
// Every operation is served from, or edits, one immutable definition.Catalog.
// Who may call is decided by the kernel's word on the peer (SO_PEERCRED).
package control

import (
	"context"
	"net"
	"slices"
	"strings"
	"time"

	"github.com/tidegate/tidegate/dataplane/definition"
)

// Gateway is what the control socket controls. Its methods may be called from
// any goroutine.
type Gateway interface {
	// Catalog returns what is defined now.
	Catalog() *definition.Catalog

	// Update runs edit on the current catalog while no other Update runs. The
	// Change it returns is compiled, made durable and swapped in, all or
	// nothing. An error of edit is returned as it is; an error of compilation
	// is a *definition.InvalidError; after a *PartialError the change was made, and
	// after any other error it was not.
	Update(ctx context.Context, edit func(*definition.Catalog) (definition.Change, error)) error

	// Keys reads API keys. What the edit function of an Update reads there is
	// what its Change will be applied to.
	Keys() KeyReader

	// Usage returns what a key has used of a plan, counted to now: one element
	// for each day from…to (days since the Unix epoch, both included) that has
	// requests, in order of the days. Before them may come the newest day that
	// is earlier, from which the rest of a quota carries on.
	Usage(planID, keyID string, from, to int64) ([]definition.Usage, error)

	// Grant sets how many requests remain of a key's quota in the current
	// period. It fails with a *definition.InvalidError when the plan has none, and
	// with a *PartialError when the grant is in force and not on the disk.
	Grant(planID, keyID string, remaining int64) error

	// AccountThrottle returns the account's limit that is in force, with both
	// parts set.
	AccountThrottle() definition.Throttle

	// Offenders returns the n sources whose requests were denied most lately,
	// the most first.
	Offenders(n int) []Offender

	// FlushCache makes everything in a stage's cache unreachable. It does nothing
	// for a stage that has no cache.
	FlushCache(apiID, stage string) error

	// FlushAuthorizers forgets what the authorizers of a stage said of callers.
	FlushAuthorizers(apiID, stage string) error

	// Caches says how the caches of all stages are, those that have one, in a
	// slice of the caller's own.
	Caches() []CacheStatus

	// Upstream says how the integrations of all APIs are, in a slice of the
	// caller's own.
	Upstream() []UpstreamStatus

	// Gate returns the kernel gate, which may be off, and the steering of
	// private listeners.
	Gate() Gate

	// WAF returns the web application firewall.
	WAF() WAF

	// Connections returns the open connections of WebSocket APIs.
	Connections() Connections

	// AcknowledgeFallback ends the alarm of Status.Kept.Fallback.
	AcknowledgeFallback() error

	// Status says how the gateway is; its Caches and Unwell are filled in by the
	// server.
	Status() Status

	// Upgrade has another process take over, from the program file as it is now, and
	// returns when that serves. On an error everything is as it was.
	Upgrade(ctx context.Context) (Successor, error)

	// Drain stops accepting requests and returns when those in flight are
	// finished or ctx is done.
	Drain(ctx context.Context) error
}

// Successor is the process that serves now.
type Successor struct {
	PID     int    `json:"pid"`
	Version string `json:"version"`
}

// KeyReader reads API keys, with their values. There may be millions, so lists
// come in pages: at most limit keys in order of their ids, those behind the id
// after, and whether more follow. match picks keys; nil picks all. It must not
// read keys itself. The methods may be called from any goroutine, and what they
// return must not be changed.
type KeyReader interface {
	// Key returns a key by its id, KeyByValue by its value: nil without an
	// error when there is none.
	Key(id string) (*definition.APIKey, error)
	KeyByValue(value string) (*definition.APIKey, error)

	// Keys lists all keys, PlanKeys those of a usage plan.
	Keys(after string, limit int, match func(*definition.APIKey) bool) (keys []*definition.APIKey, more bool, err error)
	PlanKeys(planID, after string, limit int, match func(*definition.APIKey) bool) (keys []*definition.APIKey, more bool, err error)

	// PlansOf returns the ids of the usage plans that a key is in.
	PlansOf(keyID string) ([]string, error)
}

// Values of Status.State.
const (
	StateStarting = "starting"
	StateReady    = "ready"
	StateDraining = "draining"
)

// Status is the answer to GET /tidegate/status.
type Status struct {
	Version       string    `json:"version"`
	State         string    `json:"state"`
	StartedAt     time.Time `json:"startedAt"`
	Region        string    `json:"region"`
	AccountID     string    `json:"accountId"`
	GatewayDomain string    `json:"gatewayDomain"`
	Workers       int       `json:"workers"` // event loops

	Listeners []ListenerStatus `json:"listeners"`

	APIs        int `json:"apis"`
	Deployments int `json:"deployments"`
	Stages      int `json:"stages"`

	Connections      int    `json:"connections"`      // of clients, open now
	RequestsInFlight int    `json:"requestsInFlight"` // now
	Requests         uint64 `json:"requests"`         // since the start

	Kept *StateStatus `json:"kept,omitempty"` // the state file

	Overload *OverloadStatus `json:"overload,omitempty"`

	Gate *GateStatus `json:"gate,omitempty"`

	Caches []CacheStatus `json:"caches,omitempty"` // of the stages that have one, by names of API and stage

	Issuers     []IssuerStatus     `json:"issuers,omitempty"`     // of tokens, in order
	Authorizers []AuthorizerStatus `json:"authorizers,omitempty"` // custom ones, by API, stage and name

	Unwell []UpstreamStatus `json:"unwell,omitempty"` // integrations of which something is wrong, alone

	// Notes name what the host lacks or has switched off, for a person to read.
	Notes []string `json:"notes,omitempty"`
}

// ListenerStatus is one listener of the data plane.
type ListenerStatus struct {
	Name        string `json:"name"`
	Address     string `json:"address"` // host:port, or unix:/path
	TLS         bool   `json:"tls,omitempty"`
	Endpoint    string `json:"endpoint,omitempty"` // id of the VPC endpoint that a private listener stands for
	Refusal     string `json:"refusal,omitempty"`  // how the kernel gate refuses there; empty for a Unix socket
	Connections int    `json:"connections"`
}

// InvokeURL returns the address of a stage of an API on the first listener
// that has a port and serves the API, a private one or not: http://{apiId}.execute-api.{domain}:{port}/{stage}. It is
// empty when there is no such listener.
func (s *Status) InvokeURL(api *RestAPI, stage string) string {
	private := slices.Contains(api.EndpointConfiguration.Types, definition.EndpointPrivate)
	return s.address("http", api.ID, "/"+stage, private)
}

// WebSocketURL is InvokeURL of a WebSocket API: ws://… or wss://… Without a stage
// it is the address of the API.
func (s *Status) WebSocketURL(apiID, stage string) string {
	if stage != "" {
		stage = "/" + stage
	}
	return s.address("ws", apiID, stage, false)
}

func (s *Status) address(scheme, apiID, path string, private bool) string {
	for _, l := range s.Listeners {
		if private != (l.Endpoint != "") {
			continue
		}
		_, port, err := net.SplitHostPort(l.Address)
		if err != nil || port == "" || strings.HasPrefix(l.Address, "unix:") {
			continue
		}
		usual := "80"
		if l.TLS {
			scheme, usual = scheme+"s", "443"
		}
		host := apiID + ".execute-api." + s.GatewayDomain
		if port != usual {
			host = net.JoinHostPort(host, port)
		}
		return scheme + "://" + host + path
	}
	return ""
}
