package lambda

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"

	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
)

// Client invokes functions. Any goroutine may use it.
type Client struct {
	config Config
	base   *url.URL
	own    map[string]*url.URL // of Config.Functions
	http   http.Client
	signer *v4.Signer

	mu    sync.Mutex
	under map[string]int // calls under way, by function
}

// Close closes the connections that are idle.
func (c *Client) Close() { c.http.CloseIdleConnections() }

// Invoke calls a function, an ARN or a name as ParseURI returns it, and waits for
// what it answers. payload is JSON.
//
// A function that failed has answered: see [Answer.FunctionError]. The error,
// when there is no answer, is an *[Error].
func (c *Client) Invoke(ctx context.Context, function string, payload []byte) (Answer, error) {
	n, err := parseName(function)
	if err != nil {
		return Answer{}, &Error{Function: function, Status: http.StatusBadRequest, cause: err}
	}
	if len(payload) > MaxPayload {
		return Answer{}, &Error{Function: function, Status: http.StatusRequestEntityTooLarge, cause: fmt.Errorf("the payload has %d bytes, more than %d", len(payload), MaxPayload)}
	}
	if !c.enter(function) {
		return Answer{}, &Error{Function: function, Status: http.StatusTooManyRequests, cause: fmt.Errorf("%d calls are under way already", c.config.MaxCalls)}
	}
	defer c.leave(function)
	ctx, cancel := context.WithTimeout(ctx, c.config.Timeout)
	defer cancel()
	req, err := c.request(ctx, n, function, payload)
	if err != nil {
		return Answer{}, &Error{Function: function, cause: err}
	}
	resp, err := c.http.Do(req)
	if err != nil {
		return Answer{}, &Error{Function: function, cause: withoutURL(err)}
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(io.LimitReader(resp.Body, int64(c.config.MaxAnswer)+1))
	switch {
	case err != nil:
		return Answer{}, &Error{Function: function, cause: err}
	case len(body) > c.config.MaxAnswer:
		return Answer{}, &Error{Function: function, cause: fmt.Errorf("%w of %d bytes", errTooLarge, c.config.MaxAnswer)}
	case resp.StatusCode != http.StatusOK:
		return Answer{}, refusal(function, resp, body)
	}
	a := Answer{Payload: body, FunctionError: resp.Header.Get("X-Amz-Function-Error")}
	if c.base != nil || c.own[n.short] != nil {
		a.findError()
	}
	return a, nil
}

// enter counts a call of a function. It is false when there are too many.
func (c *Client) enter(function string) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.under[function] >= c.config.MaxCalls {
		return false
	}
	c.under[function]++
	return true
}

func (c *Client) leave(function string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.under[function]--; c.under[function] == 0 {
		delete(c.under, function)
	}
}

// request makes the request of an invocation, signed if there are credentials.
func (c *Client) request(ctx context.Context, n name, function string, payload []byte) (*http.Request, error) {
	target, own := c.own[n.short]
	sign := !own && c.config.Credentials != nil
	region := n.region
	if region == "" {
		region = c.config.Region
	}
	if region == "" && (sign || !own && c.base == nil) {
		return nil, errors.New("it is given by name, and no region is set: write its ARN, or set the region")
	}
	if !own {
		base := c.base
		if base == nil {
			base = &url.URL{Scheme: "https", Host: "lambda." + region + domainOf(region)}
		}
		target = base.JoinPath("2015-03-31", "functions", url.QueryEscape(function), "invocations")
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, target.String(), bytes.NewReader(payload))
	if err != nil {
		return nil, err
	}
	req.Header.Set("Content-Type", "application/json")
	if !sign {
		return req, nil
	}
	credentials, err := c.config.Credentials.Retrieve(ctx)
	if err != nil {
		return nil, fmt.Errorf("credentials: %w", err)
	}
	hash := sha256.Sum256(payload)
	if err := c.signer.SignHTTP(ctx, credentials, req, hex.EncodeToString(hash[:]), "lambda", region, time.Now()); err != nil {
		return nil, fmt.Errorf("sign: %w", err)
	}
	return req, nil
}

// domainOf returns the end of AWS's host names in a region.
func domainOf(region string) string {
	if strings.HasPrefix(region, "cn-") {
		return ".amazonaws.com.cn"
	}
	return ".amazonaws.com"
}

// withoutURL leaves out of an error where the call went, which Error says.
func withoutURL(err error) error {
	if u := (*url.Error)(nil); errors.As(err, &u) {
		return u.Err
	}
	return err
}
