package configs

import "time"

// Upstream holds the settings of connections and requests to integration endpoints.
type Upstream struct {
	// ConnectTimeout bounds the TCP and TLS handshakes together.
	ConnectTimeout time.Duration `yaml:"connect_timeout"`
	// IdleTimeout is how long an unused connection is kept. Keep it below the
	// endpoint's own keep-alive timeout.
	IdleTimeout time.Duration `yaml:"idle_timeout"`
	// MaxConnections bounds the connections to one target of an integration.
	MaxConnections int `yaml:"max_connections"`
	// DNSRefresh is how often the name of an endpoint is resolved again.
	DNSRefresh time.Duration `yaml:"dns_refresh"`
	// CAFile is a PEM file of certificate authorities to trust besides the
	// system's, also at the endpoints of authorizers and functions. Empty: the
	// system's alone.
	CAFile string `yaml:"ca_file"`
	// MaxInFlight bounds the requests of one API that are under way to its
	// integrations at once, those that wait among them. A stage can have a lower
	// bound of its own.
	MaxInFlight int `yaml:"max_in_flight"`
	// MaxWaiting bounds the requests of one API that wait for a connection.
	MaxWaiting int `yaml:"max_waiting"`
	// MaxBufferedBytes bounds what is held of one API's requests until they are
	// answered.
	MaxBufferedBytes int `yaml:"max_buffered_bytes"`
	// FailureStatuses are those that say that a target is not well, besides
	// connections that fail, break or time out.
	FailureStatuses []int `yaml:"failure_statuses"`
	// RetryPercent bounds the requests that are sent again to another target, of an
	// API's requests in ten seconds; 0 is none. What has not reached a target at all
	// is sent to another one in any case.
	RetryPercent int `yaml:"retry_percent"`
	// Outliers says when a target is not asked for a while.
	Outliers Outliers `yaml:"outliers"`
	// Breaker says when none of an integration's targets is asked for a while.
	Breaker Breaker `yaml:"breaker"`
}

// Outliers says when a target that does worse than the others of its integration
// is ejected: not asked for a while.
type Outliers struct {
	// Failures in a row eject a target; 0 never does.
	Failures int `yaml:"failures"`
	// FailurePercent of a target's requests in a window eject it, if that is twice
	// as much as the others'; 0 never does.
	FailurePercent int `yaml:"failure_percent"`
	// MinRequests is how many there have to be in the window for that.
	MinRequests int `yaml:"min_requests"`
	// Window is the time that is looked back upon.
	Window time.Duration `yaml:"window"`
	// Ejection is the length of the first one, which doubles each time it is
	// repeated.
	Ejection time.Duration `yaml:"ejection"`
	// MaxEjection is the longest.
	MaxEjection time.Duration `yaml:"max_ejection"`
	// MaxPercent is how many of the targets may be out at once, for their health
	// checks too.
	MaxPercent int `yaml:"max_percent"`
}

// Breaker says when the circuit breaker of an integration opens: when all of its
// targets fail. Until it closes requests are answered 503 at once.
type Breaker struct {
	// FailurePercent is what each target's requests reach in the window of outliers;
	// 0 never opens it.
	FailurePercent int `yaml:"failure_percent"`
	// MinRequests is how many there have to be in the window, of all targets.
	MinRequests int `yaml:"min_requests"`
	// SingleTargets has it open also for integrations with one target. Without that
	// clients go on seeing what became of each request, as with AWS.
	SingleTargets bool `yaml:"single_targets"`
	// Open is how long it stays open the first time, which doubles each time it is
	// repeated.
	Open time.Duration `yaml:"open"`
	// MaxOpen is the longest.
	MaxOpen time.Duration `yaml:"max_open"`
}
