package configs

import (
	"io/fs"
	"net/netip"
	"time"
)

// Host is the host file. Load fills every field: what the file leaves out has
// its default. A Host is not changed after Load, so goroutines may share it.
type Host struct {
	// Region is the AWS region name that ARNs, $context and the control
	// protocol show.
	Region string `yaml:"region"`
	// AccountID is the AWS account number that ARNs and $context show: 12
	// digits.
	AccountID string `yaml:"account_id"`
	// GatewayDomain is the domain under which every API has an address of its
	// own: `{apiId}.execute-api.{gateway_domain}`.
	GatewayDomain string `yaml:"gateway_domain"`
	// StateDir is the folder of the state store. One daemon at a time can use
	// it. It is made at start if its parent exists.
	StateDir string `yaml:"state_dir"`
	// Workers is the number of event loops; 0 means one per CPU.
	Workers int `yaml:"workers"`
	// Sandbox has the kernel refuse, from when the gateway serves, the system
	// calls that it never makes, to it and to what it starts. `false` leaves that
	// to others, such as systemd.
	Sandbox bool `yaml:"sandbox"`

	// Listeners are the addresses that API traffic arrives at.
	Listeners []Listener `yaml:"listeners"`
	// Admin is the listener for operators: metrics and health.
	Admin Admin `yaml:"admin"`
	// Control is the Unix socket of the control protocol.
	Control Control `yaml:"control"`
	// Domains map plain host names to APIs.
	Domains []Domain `yaml:"domains"`
	// TrustedProxies are the networks of proxies and load balancers in front,
	// such as 10.0.0.0/24. Many clients come by their addresses, so those are
	// never shut out. The rules of web ACLs believe whom they say they forward for.
	TrustedProxies []netip.Prefix `yaml:"trusted_proxies"`
	// KernelGate is the XDP program that refuses shut-out sources.
	KernelGate KernelGate `yaml:"kernel_gate"`
	// Tokens say which issuers of tokens the authorizers of APIs may use.
	Tokens Tokens `yaml:"tokens"`
	// Lambda says where the functions are that authorizers call.
	Lambda Lambda `yaml:"lambda"`
	// Authorizers bound the calls of custom authorizers.
	Authorizers Authorizers `yaml:"authorizers"`
	// WAF bounds what the rules of web ACLs may take.
	WAF WAF `yaml:"waf"`
	// WebSocket bounds the connections of WebSocket APIs, and those that are
	// passed on to WebSocket backends.
	WebSocket WebSocket `yaml:"websocket"`
	// Throttle is the account's limit, shared by every API of the host.
	Throttle Throttle `yaml:"throttle"`
	// Cache holds what the host gives to the response caches of stages.
	Cache Cache `yaml:"cache"`
	// Limits bound what one request, one connection and the host may use.
	Limits Limits `yaml:"limits"`
	// Overload says when the host sheds load.
	Overload Overload `yaml:"overload"`
	// Timeouts bound how long a client may take.
	Timeouts Timeouts `yaml:"timeouts"`
	// Upstream holds the settings of connections and requests to integration
	// endpoints.
	Upstream Upstream `yaml:"upstream"`
	// AccessLog says where the access log goes.
	AccessLog AccessLog `yaml:"access_log"`
}

// Listener is one address that API traffic arrives at.
type Listener struct {
	// Name identifies the listener in logs and metrics. A socket that systemd
	// passes with the same FileDescriptorName is used instead of the address.
	Name string `yaml:"name"`
	// Address is `host:port`, `:port` for every interface, or `unix:/path`.
	Address string `yaml:"address"`
	// TLS makes the listener speak HTTPS; without it the listener is
	// cleartext.
	TLS *TLS `yaml:"tls"`
	// Refusal is how the kernel gate refuses: `respond` with an HTTP answer 429
	// or 403, `reset`, or `drop` without a word. A listener with TLS cannot be
	// answered for in clear: there `respond` is `reset`.
	Refusal string `yaml:"refusal"`
	// Interfaces make the listener private: it serves private APIs alone, and
	// only what comes in by an interface of these names reaches it. They need
	// not exist yet. Its address takes an IP address and a port.
	Interfaces []string `yaml:"interfaces"`
	// Endpoint is the id of the VPC endpoint that a private listener stands
	// for, `vpce-` and letters or digits. Empty: one that is made of the name.
	Endpoint string `yaml:"endpoint"`
}

// TLS holds the settings of an HTTPS listener.
type TLS struct {
	// MinVersion is the oldest protocol version accepted: "1.2" or "1.3".
	MinVersion string `yaml:"min_version"`
	// Certificates are chosen by the client's server name (SNI); the first one
	// answers when none fits. The files are read again when they change.
	Certificates []Certificate `yaml:"certificates"`
}

// Certificate is a certificate chain and its private key, in PEM files.
type Certificate struct {
	// Cert is the file of the certificate chain, leaf first.
	Cert string `yaml:"cert"`
	// Key is the file of the private key.
	Key string `yaml:"key"`
}

// Admin is the listener for operators. It has no authentication: keep it on
// loopback or on a management network.
type Admin struct {
	// Address is `host:port`; it serves `/metrics`, `/healthz` and `/readyz`.
	// Empty switches the listener off.
	Address string `yaml:"address"`
}

// Control is the Unix socket of the control protocol.
type Control struct {
	// Socket is the path of the socket.
	Socket string `yaml:"socket"`
	// Mode is the socket's permission bits, in octal. Other users never get
	// access.
	Mode fs.FileMode `yaml:"mode"`
	// Group names the group whose members may change things. Empty: only root
	// and the daemon's own user may.
	Group string `yaml:"group"`
	// ReadGroup names a group whose members may look but not change.
	ReadGroup string `yaml:"read_group"`
}

// Domain maps a host name to APIs.
type Domain struct {
	// Name is an exact host name, "*.example.com" for every name one label
	// below it, or "*" for any host that has no mapping of its own.
	Name string `yaml:"name"`
	// Mappings choose the API by the start of the path; the longest base path
	// wins.
	Mappings []Mapping `yaml:"mappings"`
	// MutualTLS asks clients of the domain for a certificate. It takes a listener
	// with TLS; in cleartext, and to connections to other names, the domain
	// answers 403 then.
	MutualTLS *MutualTLS `yaml:"mutual_tls"`
}

// MutualTLS asks clients for a certificate. The files are read again when they
// change.
type MutualTLS struct {
	// Truststore is a PEM file of the authorities that may certify clients, at
	// most 1,000 in 1 MiB.
	Truststore string `yaml:"truststore"`
	// CRLs are files of certificate revocation lists, PEM or DER, whose authorities
	// are in the trust store. An authority without a list is not asked; a list that
	// is out of date refuses all of its authority's certificates.
	CRLs []string `yaml:"crls"`
}

// Mapping sends a base path of a domain to an API.
type Mapping struct {
	// BasePath is the start of the path, without slashes at its ends; empty
	// matches every path. It is removed before routing.
	BasePath string `yaml:"base_path"`
	// API is the name or the id of the API. An API that does not exist yet
	// answers 403 until it is deployed.
	API string `yaml:"api"`
	// Stage is the stage that answers. Empty: the next path segment names the
	// stage.
	Stage string `yaml:"stage"`
}

// Tokens say which issuers of tokens the authorizers of APIs may use, and where
// their keys are. Without it that is any issuer at a public https address.
type Tokens struct {
	// AllowHTTP lets issuers be at http:// URLs.
	AllowHTTP bool `yaml:"allow_http"`
	// AllowPrivate lets issuers be at loopback, private and link-local addresses.
	AllowPrivate bool `yaml:"allow_private"`
	// CAFile is a PEM file of certificate authorities to trust besides the
	// system's. Empty: the system's alone.
	CAFile string `yaml:"ca_file"`
	// Issuers have their keys elsewhere than their configuration says.
	Issuers []Issuer `yaml:"issuers"`
	// UserPools are issued by another than Amazon Cognito.
	UserPools []UserPool `yaml:"user_pools"`
}

// Issuer says where an issuer of tokens has its keys.
type Issuer struct {
	// Issuer is the `iss` of its tokens, a URL.
	Issuer string `yaml:"issuer"`
	// JWKSURI is the URL of its keys, a JSON Web Key Set.
	JWKSURI string `yaml:"jwks_uri"`
}

// UserPool says who issues the tokens of a user pool.
type UserPool struct {
	// Pool is the id or the ARN of the user pool, as authorizers name it.
	Pool string `yaml:"pool"`
	// Issuer is the `iss` of its tokens, a URL.
	Issuer string `yaml:"issuer"`
	// JWKSURI is the URL of its keys. Empty: where the issuer's configuration
	// says.
	JWKSURI string `yaml:"jwks_uri"`
}

// Lambda says where functions are. Calls are signed when the environment of the
// daemon has AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY.
type Lambda struct {
	// Endpoint is the base URL of a service that has all functions, such as
	// http://127.0.0.1:4566. Empty: AWS's of each function's region.
	Endpoint string `yaml:"endpoint"`
	// Functions have an endpoint of their own, such as a runtime emulator.
	Functions []Function `yaml:"functions"`
}

// Function is a function with an endpoint of its own.
type Function struct {
	// Name is that of the function, without version and alias.
	Name string `yaml:"name"`
	// URL is the whole URL of its invocation.
	URL string `yaml:"url"`
}

// WebSocket bounds WebSocket connections. The defaults are AWS's quotas where it
// has one.
type WebSocket struct {
	// Connections is how many may be open. 0: as many as fit.
	Connections int `yaml:"connections"`
	// ConnectRate is how many may begin in a second.
	ConnectRate int `yaml:"connect_rate"`
	// MessageBytes is the largest message, in either direction.
	MessageBytes int `yaml:"message_bytes"`
	// FrameBytes is the largest frame from a client.
	FrameBytes int `yaml:"frame_bytes"`
	// InFlight is how many messages of one connection integrations may be
	// working on at once; those that follow wait.
	InFlight int `yaml:"in_flight"`
	// QueueMessages is how many messages may wait for a slow client. One that
	// takes less is closed with 1013.
	QueueMessages int `yaml:"queue_messages"`
	// QueueBytes is how many bytes may wait for a slow client.
	QueueBytes int `yaml:"queue_bytes"`
	// BufferBytes is how many bytes may be held for all connections together.
	BufferBytes int `yaml:"buffer_bytes"`
	// Idle ends a connection on which no message went either way for so long.
	Idle time.Duration `yaml:"idle"`
	// Life ends a connection of that age.
	Life time.Duration `yaml:"life"`
	// Ping is how long a client may be silent before it is pinged; one that does
	// not answer three times is cut.
	Ping time.Duration `yaml:"ping"`
}

// Authorizers bound the calls of custom authorizers, each of them by itself.
type Authorizers struct {
	// Timeout is how long one may take.
	Timeout time.Duration `yaml:"timeout"`
	// MaxCalls bounds the calls under way at once.
	MaxCalls int `yaml:"max_calls"`
	// MaxWaiting bounds the requests that wait for them; more are answered 503.
	MaxWaiting int `yaml:"max_waiting"`
}

// Throttle is the account's limit, shared by every API of the host: a token
// bucket. UpdateAccount (`tidegate throttle account`) replaces it.
type Throttle struct {
	// RateLimit is the requests per second that refill the bucket.
	RateLimit float64 `yaml:"rate_limit"`
	// BurstLimit is the capacity of the bucket, in requests; 0 means half of
	// what a second refills, as AWS chooses it.
	BurstLimit int `yaml:"burst_limit"`
	// MethodBuckets bounds how many pairs of an API key and a method with a
	// throttle of its own in a usage plan are told apart at once; about 80 bytes
	// each. Beyond it the plan's throttle holds.
	MethodBuckets int `yaml:"method_buckets"`
}

// Cache holds what the host gives to the response caches of stages.
type Cache struct {
	// StageBytes bounds the memory of one stage's cache, which has the smaller
	// of this and the size that the stage asks for; at least 32 MiB. Memory is
	// taken as the cache fills, and given back only to other caches.
	StageBytes int `yaml:"stage_bytes"`
	// SaveDir is a folder that caches are written to at a clean stop and read
	// from at the next start. Empty: caches start empty.
	SaveDir string `yaml:"save_dir"`
}

// Limits bound what one request, one connection and the host may use. Sizes
// are bytes.
type Limits struct {
	// HeaderBytes bounds the sum of a request's header lines; beyond it the
	// answer is 431.
	HeaderBytes int `yaml:"header_bytes"`
	// HeaderCount bounds the number of header lines of a request.
	HeaderCount int `yaml:"header_count"`
	// URLBytes bounds the request target of regional APIs; beyond it the
	// answer is 414. Edge and private APIs have 8192 at most.
	URLBytes int `yaml:"url_bytes"`
	// BodyBytes bounds a request's body; beyond it the answer is 413.
	BodyBytes int `yaml:"body_bytes"`
	// ResponseBytes bounds the body of an integration's answer.
	ResponseBytes int `yaml:"response_bytes"`
	// IntegrationTimeout is the largest `timeoutInMillis` an integration may
	// ask for.
	IntegrationTimeout time.Duration `yaml:"integration_timeout"`
	// Connections bounds the client connections open at once; 0 means half of
	// the file descriptor limit (RLIMIT_NOFILE).
	Connections int `yaml:"connections"`
	// ConnectionsPerSource bounds those of one client address, or of one IPv6 /64;
	// more are reset. 0 bounds none. The addresses of `trusted_proxies` are free of
	// it.
	ConnectionsPerSource int `yaml:"connections_per_source"`
	// ReservedDescriptors are file descriptors that neither clients nor
	// integrations get: for the admin listener, the control socket and the files of
	// the daemon. 0 means a twentieth of the file descriptor limit, and 100 at
	// least.
	ReservedDescriptors int `yaml:"reserved_descriptors"`
	// InFlight bounds the requests that are served at once; beyond it the answer
	// is 503. 0 means as many as connections.
	InFlight int `yaml:"in_flight"`
	// ConnectionBufferBytes bounds what is buffered for one connection.
	ConnectionBufferBytes int `yaml:"connection_buffer_bytes"`
	// BufferBytes bounds what is buffered for all connections together.
	BufferBytes int `yaml:"buffer_bytes"`
}

// Timeouts bound how long a client may take.
type Timeouts struct {
	// FirstByte is the time from accept to the first byte of a request.
	FirstByte time.Duration `yaml:"first_byte"`
	// Header is the time from a request's first byte to the end of its header.
	Header time.Duration `yaml:"header"`
	// Idle is how long a keep-alive connection may stay silent between
	// requests.
	Idle time.Duration `yaml:"idle"`
	// Send is how long an answer may wait for the client to take more of it.
	Send time.Duration `yaml:"send"`
	// Drain is how long a stopping daemon waits for requests in flight.
	Drain time.Duration `yaml:"drain"`
	// TLSHandshake is the time from accept to the end of the TLS handshake.
	TLSHandshake time.Duration `yaml:"tls_handshake"`
	// BodyMinRate is the slowest upload accepted, in bytes per second, after a
	// grace of 5 s; 0 accepts any.
	BodyMinRate int `yaml:"body_min_rate"`
}

// AccessLog says where the access log goes.
type AccessLog struct {
	// Path is a file, "-" for standard output, or empty for no access log. The
	// file is opened again on SIGHUP, for log rotation.
	Path string `yaml:"path"`
	// Context names further $context variables to log, of what authorizers say
	// of callers: `authorizer.claims.email`, `authorizer.tenant`.
	Context []string `yaml:"context"`
}
