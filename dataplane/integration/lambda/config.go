package lambda

import (
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
)

// Bounds of AWS's: of what a function is sent and of what it answers, in bytes,
// and of its time.
//
// Source: https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html
const (
	MaxPayload = 6 << 20
	MaxTimeout = 15 * time.Minute
)

// Config says where functions are, and how much of them is used.
type Config struct {
	// Endpoint is the base URL of a service that has all functions, such as
	// http://127.0.0.1:4566. Empty, it is AWS's of each function's region.
	Endpoint string

	// Functions are functions that have an endpoint of their own, by name without
	// version and alias: the whole URL of the invocation. The Lambda runtime
	// interface emulator's is
	// http://127.0.0.1:9000/2015-03-31/functions/function/invocations. Requests
	// to them are not signed.
	Functions map[string]string

	// Region is that of functions that are given by name.
	Region string

	// RootCAs may certify endpoints; nil for the system's.
	RootCAs *x509.CertPool

	// Credentials sign the requests, if there are any. They are the host's: every
	// API on it can have the functions called that they may call.
	Credentials aws.CredentialsProvider

	// Timeout bounds an invocation whose context allows more; MaxTimeout if it is 0.
	Timeout time.Duration

	// MaxAnswer bounds answers, in bytes; MaxPayload if it is 0.
	MaxAnswer int

	// MaxCalls bounds the calls of one function that are under way at once;
	// DefaultMaxCalls if it is 0. More fail at once, so that one slow function
	// holds up no other.
	MaxCalls int
}

// DefaultMaxCalls is AWS's default of how many calls run at once, which there is
// of all functions of an account together.
const DefaultMaxCalls = 1000

// Bounds of connections. Idle ones are kept for the next call.
const (
	connectTimeout = 5 * time.Second
	idleTimeout    = 55 * time.Second
	maxIdle        = 512
	maxIdlePerHost = 128
	maxHeaderBytes = 16 << 10
)

// New makes a Client. It opens nothing.
func New(c Config) (*Client, error) {
	if c.MaxCalls == 0 {
		c.MaxCalls = DefaultMaxCalls
	}
	if c.MaxAnswer == 0 || c.MaxAnswer > MaxPayload {
		c.MaxAnswer = MaxPayload
	}
	if c.Timeout == 0 || c.Timeout > MaxTimeout {
		c.Timeout = MaxTimeout
	}
	if c.Region != "" && !isRegion.MatchString(c.Region) {
		return nil, fmt.Errorf("region %q: write an AWS region such as us-east-1", c.Region)
	}
	client := &Client{config: c, own: map[string]*url.URL{}, signer: v4.NewSigner(), under: map[string]int{}}
	var err error
	if c.Endpoint != "" {
		if client.base, err = parseEndpoint(c.Endpoint); err != nil {
			return nil, fmt.Errorf("endpoint: %w", err)
		}
	}
	for function, endpoint := range c.Functions {
		if client.own[function], err = parseEndpoint(endpoint); err != nil {
			return nil, fmt.Errorf("function %q: %w", function, err)
		}
	}
	if c.Credentials != nil {
		client.config.Credentials = aws.NewCredentialsCache(c.Credentials)
	}
	protocols := &http.Protocols{}
	protocols.SetHTTP1(true) // each call has its own connection, and waits for no other's
	client.http = http.Client{
		Transport: &http.Transport{
			DialContext:            (&net.Dialer{Timeout: connectTimeout}).DialContext,
			TLSHandshakeTimeout:    connectTimeout,
			TLSClientConfig:        &tls.Config{MinVersion: tls.VersionTLS12, RootCAs: c.RootCAs},
			Protocols:              protocols,
			IdleConnTimeout:        idleTimeout,
			MaxIdleConns:           maxIdle,
			MaxIdleConnsPerHost:    maxIdlePerHost,
			MaxResponseHeaderBytes: maxHeaderBytes,
			DisableCompression:     true, // small answers must not become large ones
		},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	return client, nil
}

func parseEndpoint(text string) (*url.URL, error) {
	u, err := url.Parse(text)
	if err != nil {
		return nil, err
	}
	if u.Scheme != "http" && u.Scheme != "https" || u.Host == "" || u.User != nil || u.RawQuery != "" || u.Fragment != "" {
		return nil, fmt.Errorf("%q: write http:// or https://, a host and a path, and nothing else", text)
	}
	return u, nil
}
