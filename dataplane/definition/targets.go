package definition

import (
	"fmt"
	"net"
	"net/netip"
	"strconv"
	"strings"
	"time"
)

// MaxTargets is how many targets an integration can have.
const MaxTargets = 64

// HealthCheck says how the targets of an integration are asked whether they are
// well. AWS does not have it.
type HealthCheck struct {
	Path      string   `json:"path"`      // and query, of a GET; 200 to 399 is well
	Interval  Duration `json:"interval"`  // 1s to 5m
	Timeout   Duration `json:"timeout"`   // of each, at most the interval
	Healthy   int      `json:"healthy"`   // so many in a row bring a target back
	Unhealthy int      `json:"unhealthy"` // and so many take it out
}

// Duration is written with a unit: "5s".
type Duration time.Duration

// MarshalText implements encoding.TextMarshaler.
func (d Duration) MarshalText() ([]byte, error) { return []byte(time.Duration(d).String()), nil }

// UnmarshalText implements encoding.TextUnmarshaler.
func (d *Duration) UnmarshalText(text []byte) error {
	v, err := time.ParseDuration(string(text))
	if err != nil {
		return fmt.Errorf(`%q is not a duration; write a number with a unit, such as "5s"`, text)
	}
	*d = Duration(v)
	return nil
}

// NewHealthCheck returns what holds where a document says nothing.
func NewHealthCheck() *HealthCheck {
	return &HealthCheck{Interval: Duration(5 * time.Second), Timeout: Duration(2 * time.Second), Healthy: 2, Unhealthy: 3}
}

// HealthCheckFields are the names that Set knows.
var HealthCheckFields = map[string]bool{"path": true, "interval": true, "timeout": true, "healthy": true, "unhealthy": true}

// Set sets a field that a document gives as text. An error says how to write it.
func (h *HealthCheck) Set(name, text string) (err error) {
	count := func(to *int) error {
		n, err := strconv.Atoi(text)
		if err != nil || n < 1 || n > 100 {
			return fmt.Errorf("must be a whole number from 1 to 100: so many checks in a row")
		}
		*to = n
		return nil
	}
	switch name {
	case "path":
		if !strings.HasPrefix(text, "/") || strings.ContainsFunc(text, func(c rune) bool { return c <= ' ' || c >= 0x7f || c == '#' }) {
			return fmt.Errorf("%q is not a path; write one that begins with /, such as /healthz", text)
		}
		h.Path = text
	case "interval":
		if err = h.Interval.UnmarshalText([]byte(text)); err == nil && (h.Interval < Duration(time.Second) || h.Interval > Duration(5*time.Minute)) {
			err = fmt.Errorf("%s is out of range; write a duration from 1s to 5m", text)
		}
	case "timeout":
		if err = h.Timeout.UnmarshalText([]byte(text)); err == nil && (h.Timeout < Duration(10*time.Millisecond) || h.Timeout > Duration(time.Minute)) {
			err = fmt.Errorf("%s is out of range; write a duration from 10ms to 1m", text)
		}
	case "healthy":
		return count(&h.Healthy)
	case "unhealthy":
		return count(&h.Unhealthy)
	}
	return err
}

// Check says what is wrong with fields that do not fit together.
func (h *HealthCheck) Check() error {
	switch {
	case h.Path == "":
		return fmt.Errorf("path is missing; name what a target answers when it is well, such as /healthz")
	case h.Timeout > h.Interval:
		return fmt.Errorf("timeout %s is longer than interval %s", time.Duration(h.Timeout), time.Duration(h.Interval))
	}
	return nil
}

// CheckTarget says what is wrong with a target of an integration as a document has
// it. With a stage variable that is for the stage to know.
func CheckTarget(text string) error {
	if strings.Contains(text, "${stageVariables.") {
		return nil
	}
	_, err := ParseTarget(text)
	return err
}

// ParseTarget returns host:port in lower case.
func ParseTarget(text string) (string, error) {
	host, port, err := net.SplitHostPort(text)
	if err != nil || host == "" || port == "" {
		return "", fmt.Errorf("%q is not a target; write host:port, such as 10.0.0.1:8080, without a scheme or a path", text)
	}
	if _, err := netip.ParseAddr(host); err != nil && strings.ContainsFunc(host, notOfHost) {
		return "", fmt.Errorf("%q is not a target: %q is neither an address nor a host name", text, host)
	}
	if n, err := strconv.ParseUint(port, 10, 16); err != nil || n == 0 {
		return "", fmt.Errorf("%q is not a target: port %q is not a number from 1 to 65535", text, port)
	}
	return strings.ToLower(text), nil
}

func notOfHost(c rune) bool {
	return !(c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || c == '-' || c == '.' || c == '_')
}
