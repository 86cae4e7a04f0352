package authorizer

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"io"
	"net"
	"net/http"
	"time"
)

// httpEndpoint is an authorizer that is sent its events by POST.
type httpEndpoint struct {
	url    string
	agent  string
	client *http.Client
}

// Bounds of connections to an authorizer. How many there are is bounded by the
// calls under way.
const (
	connectTimeout = 5 * time.Second
	idleTimeout    = 55 * time.Second
	maxIdle        = 64
	maxHeaderBytes = 16 << 10
)

// newClient makes the client of one authorizer, that shares no connection with
// another's. It opens nothing.
func newClient(roots *x509.CertPool) *http.Client {
	protocols := &http.Protocols{}
	protocols.SetHTTP1(true)
	return &http.Client{
		Transport: &http.Transport{
			DialContext:            (&net.Dialer{Timeout: connectTimeout}).DialContext,
			TLSHandshakeTimeout:    connectTimeout,
			TLSClientConfig:        &tls.Config{MinVersion: tls.VersionTLS12, RootCAs: roots},
			Protocols:              protocols,
			IdleConnTimeout:        idleTimeout,
			MaxIdleConns:           maxIdle,
			MaxIdleConnsPerHost:    maxIdle,
			MaxResponseHeaderBytes: maxHeaderBytes,
			DisableCompression:     true, // small answers must not become large ones
		},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

// ask implements endpoint.
func (e *httpEndpoint) ask(ctx context.Context, event []byte) Verdict {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, e.url, bytes.NewReader(event))
	if err != nil {
		return failed(err)
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("Accept", "application/json")
	req.Header.Set("User-Agent", e.agent)
	// To ask again changes nothing. So says a field that is not sent: without it a
	// connection that the endpoint closes meanwhile would fail the request.
	req.Header["Idempotency-Key"] = nil
	resp, err := e.client.Do(req)
	if err != nil {
		return noAnswer(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(io.LimitReader(resp.Body, MaxResult+1)) // also of a refusal, to use the connection again
	switch resp.StatusCode {
	case http.StatusUnauthorized:
		return Verdict{Outcome: Unauthorized}
	case http.StatusForbidden:
		return denied()
	case http.StatusOK:
	default:
		return failed(fmt.Errorf("%s answered with status %d", e.url, resp.StatusCode))
	}
	if err != nil {
		return noAnswer(fmt.Errorf("%s: %w", e.url, err))
	}
	v, err := parseResult(body)
	if err != nil {
		return misconfigured(fmt.Errorf("%s: %w", e.url, err))
	}
	return v
}
