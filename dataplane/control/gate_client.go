package control

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"time"
)

// GateStatus says how the kernel gate and the private listeners are.
func (c *Client) GateStatus(ctx context.Context) (*GateStatus, error) {
	return answer[GateStatus](ctx, c, "GET", "/tidegate/gate/status", nil, nil)
}

// GateEntries lists who is kept out and who never is.
func (c *Client) GateEntries(ctx context.Context) ([]GateEntry, error) {
	var list List[GateEntry]
	err := c.call(ctx, "GET", "/tidegate/gate/list", nil, nil, &list)
	return list.Items, err
}

// GateStats returns what the kernel gate has counted.
func (c *Client) GateStats(ctx context.Context) (*GateStats, error) {
	return answer[GateStats](ctx, c, "GET", "/tidegate/gate/stats", nil, nil)
}

// Deny keeps a network out, for a time or until Allow.
func (c *Client) Deny(ctx context.Context, cidr string, length time.Duration, reason string, status int) (*DenyResult, error) {
	seconds := int64((length + time.Second - 1) / time.Second)
	return answer[DenyResult](ctx, c, "POST", "/tidegate/gate/deny", nil, DenyInput{CIDR: cidr, Seconds: seconds, Reason: reason, Status: status})
}

// Allow takes back what was denied within a network, and ends the sentences of
// its sources.
func (c *Client) Allow(ctx context.Context, cidr string) (*AllowResult, error) {
	return answer[AllowResult](ctx, c, "POST", "/tidegate/gate/allow", nil, DenyInput{CIDR: cidr})
}

// lines calls f with every line of an answer that is not empty, until it ends.
func (c *Client) lines(ctx context.Context, path string, f func([]byte) error) error {
	req, err := http.NewRequestWithContext(ctx, "GET", "http://tidegate"+path, nil)
	if err != nil {
		return err
	}
	resp, err := c.http.Do(req)
	if err != nil {
		return c.explain(err)
	}
	defer func() { _ = resp.Body.Close() }()
	if resp.StatusCode >= 300 {
		text, _ := io.ReadAll(resp.Body)
		return answeredError(resp, text)
	}
	in := bufio.NewReader(resp.Body)
	for {
		line, err := in.ReadBytes('\n')
		if text := bytes.TrimSpace(line); len(text) > 0 {
			if err := f(text); err != nil {
				return fmt.Errorf("control socket %s: %w", c.socket, err)
			}
		}
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return fmt.Errorf("control socket %s: %w", c.socket, err)
		}
	}
}
