package configs

import (
	"fmt"
	"net"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
)

var (
	regionPattern  = regexp.MustCompile(`^[a-z]{2,}(-[a-z]+)*-\d{1,2}$`)
	accountPattern = regexp.MustCompile(`^\d{12}$`)
	namePattern    = regexp.MustCompile(`^[A-Za-z0-9_-]{1,64}$`)
)

// maxSocketPathBytes is what fits in sockaddr_un.sun_path with its NUL; see
// unix(7).
const maxSocketPathBytes = 107

// validate reports every value of h that is out of range or at odds with
// another.
func validate(r *report, h *Host) {
	if !regionPattern.MatchString(h.Region) {
		r.failAt("region", fmt.Sprintf("%q is not a region name", h.Region), "write one like us-east-1")
	}
	if !accountPattern.MatchString(h.AccountID) {
		r.failAt("account_id", fmt.Sprintf("%q is not an account number", h.AccountID), "write 12 digits in quotes, for example \"000000000000\"")
	}
	if !isHostName(h.GatewayDomain) {
		r.failAt("gateway_domain", fmt.Sprintf("%q is not a domain name", h.GatewayDomain), "write a name without scheme and port, for example api.example.com")
	}
	if h.StateDir == "" {
		r.failAt("state_dir", "empty", "name a folder, for example /var/lib/tidegate")
	}
	between(r, "workers", h.Workers, 0, 1024)
	validateListeners(r, h)
	validateControl(r, &h.Control)
	validateDomains(r, h)
	validateKernelGate(r, h)
	if rate := h.Throttle.RateLimit; !(rate > 0 && rate <= 1e9) {
		r.failAt("throttle.rate_limit", fmt.Sprintf("%g is out of range", rate), "write requests per second, more than 0 and at most 1e9")
	}
	between(r, "throttle.burst_limit", h.Throttle.BurstLimit, 0, 1<<30)
	between(r, "throttle.method_buckets", h.Throttle.MethodBuckets, 1, 1<<28)
	between(r, "cache.stage_bytes", h.Cache.StageBytes, 32<<20, 1<<40)
	validateCallers(r, h)
	validateWAF(r, &h.WAF)
	validateLimits(r, &h.Limits)
	validateOverload(r, &h.Overload)
	validateWebSocket(r, &h.WebSocket)
	validateTimes(r, h)
}

func validateListeners(r *report, h *Host) {
	if len(h.Listeners) == 0 {
		r.failAt("listeners", "empty", "name at least one listener, or leave the key out for 127.0.0.1:8080")
	}
	names, addresses := map[string]string{}, map[string]string{}
	for i := range h.Listeners {
		at, l := fmt.Sprintf("listeners[%d]", i), &h.Listeners[i]
		if !namePattern.MatchString(l.Name) {
			r.failAt(at+".name", fmt.Sprintf("%q is not a listener name", l.Name), "use letters, digits, - and _, for example public")
		}
		unique(r, names, l.Name, at+".name")
		validateAddress(r, at+".address", l.Address, true)
		validatePrivate(r, at, l)
		if !strings.HasSuffix(l.Address, ":0") && !l.Private() { // port 0 is another port each time
			unique(r, addresses, l.Address, at+".address")
		}
		if l.TLS != nil {
			validateTLS(r, at+".tls", l.TLS)
		}
	}
	validateRefusals(r, h.Listeners)
	validateShares(r, h.Listeners)
	if h.Admin.Address != "" {
		validateAddress(r, "admin.address", h.Admin.Address, false)
		if !strings.HasSuffix(h.Admin.Address, ":0") {
			unique(r, addresses, h.Admin.Address, "admin.address")
		}
	}
}

func validateAddress(r *report, at, address string, unix bool) {
	example := "write host:port, for example 127.0.0.1:8080"
	if unix {
		example += ", or unix:/path"
	}
	if path, ok := strings.CutPrefix(address, "unix:"); ok && unix {
		switch {
		case path == "":
			r.failAt(at, "no path after unix:", example)
		case len(path) > maxSocketPathBytes:
			r.failAt(at, fmt.Sprintf("the path has %d bytes and %d fit", len(path), maxSocketPathBytes), "choose a shorter path")
		}
		return
	}
	host, port, err := net.SplitHostPort(address)
	if err != nil {
		r.failAt(at, fmt.Sprintf("%q is not an address", address), example)
		return
	}
	if n, err := strconv.ParseUint(port, 10, 16); err != nil || strconv.FormatUint(n, 10) != port {
		r.failAt(at, fmt.Sprintf("%q is not a port", port), "write a number from 1 to 65535, or 0 for any free port")
	}
	if host != "" && net.ParseIP(hostWithoutZone(host)) == nil && !isHostName(host) {
		r.failAt(at, fmt.Sprintf("%q is not a host", host), example)
	}
}

func hostWithoutZone(host string) string {
	ip, _, _ := strings.Cut(host, "%")
	return ip
}

func validateTLS(r *report, at string, t *TLS) {
	if !slices.Contains([]string{"1.2", "1.3"}, t.MinVersion) {
		r.failAt(at+".min_version", fmt.Sprintf("%q is not supported", t.MinVersion), "write \"1.2\" or \"1.3\"")
	}
	if len(t.Certificates) == 0 {
		r.failAt(at+".certificates", "empty", "name at least one {cert: file, key: file}")
	}
	for i, c := range t.Certificates {
		entry := fmt.Sprintf("%s.certificates[%d]", at, i)
		if c.Cert == "" {
			r.failAt(entry+".cert", "empty", "name the PEM file of the certificate chain")
		}
		if c.Key == "" {
			r.failAt(entry+".key", "empty", "name the PEM file of the private key")
		}
	}
}

func validateControl(r *report, c *Control) {
	switch {
	case c.Socket == "":
		r.failAt("control.socket", "empty", "name a path, for example /run/tidegate/control.sock")
	case len(c.Socket) > maxSocketPathBytes:
		r.failAt("control.socket", fmt.Sprintf("the path has %d bytes and %d fit", len(c.Socket), maxSocketPathBytes), "choose a shorter path")
	}
	if c.Mode&0o007 != 0 {
		r.failAt("control.mode", fmt.Sprintf("%#o lets every user of the host in", uint32(c.Mode)), "write \"0660\" and name a group")
	}
	if c.Mode&0o600 != 0o600 {
		r.failAt("control.mode", fmt.Sprintf("%#o keeps the owner out", uint32(c.Mode)), "write \"0660\" or \"0600\"")
	}
}

func validateLimits(r *report, l *Limits) {
	const gib = 1 << 30
	between(r, "limits.header_bytes", l.HeaderBytes, 256, 1<<20)
	between(r, "limits.header_count", l.HeaderCount, 1, 10000)
	between(r, "limits.url_bytes", l.URLBytes, 64, 1<<20)
	between(r, "limits.body_bytes", l.BodyBytes, 0, gib)
	between(r, "limits.response_bytes", l.ResponseBytes, 1, gib)
	between(r, "limits.connections", l.Connections, 0, 1<<24)
	between(r, "limits.connections_per_source", l.ConnectionsPerSource, 0, 1<<24)
	between(r, "limits.reserved_descriptors", l.ReservedDescriptors, 0, 1<<20)
	between(r, "limits.in_flight", l.InFlight, 0, 1<<24)
	between(r, "limits.connection_buffer_bytes", l.ConnectionBufferBytes, 4096, gib)
	between(r, "limits.buffer_bytes", l.BufferBytes, 4096, 1<<40)
	if need := l.HeaderBytes + l.URLBytes; l.ConnectionBufferBytes < need {
		r.failAt("limits.connection_buffer_bytes", fmt.Sprintf("%d cannot hold a header of header_bytes + url_bytes", l.ConnectionBufferBytes), fmt.Sprintf("write at least %d", need))
	}
	if l.BufferBytes < l.ConnectionBufferBytes {
		r.failAt("limits.buffer_bytes", fmt.Sprintf("%d is less than connection_buffer_bytes", l.BufferBytes), fmt.Sprintf("write at least %d", l.ConnectionBufferBytes))
	}
}

func validateWebSocket(r *report, w *WebSocket) {
	const gib = 1 << 30
	between(r, "websocket.connections", w.Connections, 0, 1<<24)
	between(r, "websocket.connect_rate", w.ConnectRate, 1, 1<<20)
	between(r, "websocket.message_bytes", w.MessageBytes, 1024, 16<<20)
	between(r, "websocket.frame_bytes", w.FrameBytes, 1024, 16<<20)
	between(r, "websocket.in_flight", w.InFlight, 1, 1024)
	between(r, "websocket.queue_messages", w.QueueMessages, 1, 1<<16)
	between(r, "websocket.queue_bytes", w.QueueBytes, 1024, gib)
	between(r, "websocket.buffer_bytes", w.BufferBytes, 16<<20, 1<<40)
	if w.FrameBytes > w.MessageBytes {
		r.failAt("websocket.frame_bytes", fmt.Sprintf("%d is more than message_bytes", w.FrameBytes), fmt.Sprintf("write at most %d", w.MessageBytes))
	}
	if w.QueueBytes < w.MessageBytes {
		r.failAt("websocket.queue_bytes", fmt.Sprintf("%d cannot hold a message of message_bytes", w.QueueBytes), fmt.Sprintf("write at least %d", w.MessageBytes))
	}
}

// validateTimes checks every duration. The longest one allowed, a day, is far
// beyond any use and catches a wrong unit.
func validateTimes(r *report, h *Host) {
	t, u := &h.Timeouts, &h.Upstream
	for _, d := range []struct {
		field string
		value time.Duration
		least time.Duration
	}{
		{"limits.integration_timeout", h.Limits.IntegrationTimeout, 50 * time.Millisecond},
		{"timeouts.first_byte", t.FirstByte, time.Millisecond},
		{"timeouts.header", t.Header, time.Millisecond},
		{"timeouts.idle", t.Idle, time.Millisecond},
		{"timeouts.send", t.Send, time.Millisecond},
		{"timeouts.drain", t.Drain, 0},
		{"timeouts.tls_handshake", t.TLSHandshake, time.Millisecond},
		{"waf.timeout", h.WAF.Timeout, time.Millisecond},
		{"authorizers.timeout", h.Authorizers.Timeout, time.Millisecond},
		{"websocket.idle", h.WebSocket.Idle, time.Second},
		{"websocket.life", h.WebSocket.Life, time.Second},
		{"websocket.ping", h.WebSocket.Ping, time.Second},
		{"upstream.connect_timeout", u.ConnectTimeout, time.Millisecond},
		{"upstream.idle_timeout", u.IdleTimeout, time.Millisecond},
		{"upstream.dns_refresh", u.DNSRefresh, time.Second},
		{"upstream.outliers.window", u.Outliers.Window, time.Second},
		{"upstream.outliers.ejection", u.Outliers.Ejection, time.Second},
		{"upstream.outliers.max_ejection", u.Outliers.MaxEjection, u.Outliers.Ejection},
		{"upstream.breaker.open", u.Breaker.Open, time.Second},
		{"upstream.breaker.max_open", u.Breaker.MaxOpen, u.Breaker.Open},
	} {
		if d.value < d.least || d.value > 24*time.Hour {
			r.failAt(d.field, fmt.Sprintf("%s is out of range", d.value), fmt.Sprintf("write a duration from %s to 24h", d.least))
		}
	}
	between(r, "timeouts.body_min_rate", t.BodyMinRate, 0, 1<<30)
	validateUpstream(r, u)
}

func validateUpstream(r *report, u *Upstream) {
	o, b := &u.Outliers, &u.Breaker
	for _, n := range []struct {
		field       string
		value       int
		least, most int
	}{
		{"max_connections", u.MaxConnections, 1, 1 << 20},
		{"max_in_flight", u.MaxInFlight, 1, 1 << 20},
		{"max_waiting", u.MaxWaiting, 0, 1 << 20},
		{"max_buffered_bytes", u.MaxBufferedBytes, 1 << 16, 1 << 40},
		{"retry_percent", u.RetryPercent, 0, 100},
		{"outliers.failures", o.Failures, 0, 1 << 20},
		{"outliers.failure_percent", o.FailurePercent, 0, 100},
		{"outliers.min_requests", o.MinRequests, 1, 1 << 20},
		{"outliers.max_percent", o.MaxPercent, 0, 50},
		{"breaker.failure_percent", b.FailurePercent, 0, 100},
		{"breaker.min_requests", b.MinRequests, 1, 1 << 20},
	} {
		between(r, "upstream."+n.field, n.value, n.least, n.most)
	}
	for i, status := range u.FailureStatuses {
		between(r, fmt.Sprintf("upstream.failure_statuses[%d]", i), status, 400, 599)
	}
}

func between(r *report, field string, n, least, most int) {
	if n < least || n > most {
		r.failAt(field, fmt.Sprintf("%d is out of range", n), fmt.Sprintf("write a number from %d to %d", least, most))
	}
}

// unique reports value at field if it was seen before, and remembers it.
func unique(r *report, seen map[string]string, value, field string) {
	if first, twice := seen[value]; twice {
		r.failAt(field, fmt.Sprintf("%q is used twice, first by %s", value, first), "choose another")
		return
	}
	seen[value] = field
}
