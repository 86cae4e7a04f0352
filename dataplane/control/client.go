package control

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"syscall"
)

// Client calls the control socket of a running tidegate. A failed operation is
// an *Error; a socket that nobody answers is a *NotRunningError. Its methods
// may be called from any goroutine.
type Client struct {
	socket string
	http   *http.Client
}

// Dial makes a client of the socket at path. It connects with the first call.
func Dial(socket string) *Client {
	dialer := &net.Dialer{}
	return &Client{socket: socket, http: &http.Client{Transport: &http.Transport{
		DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
			return dialer.DialContext(ctx, "unix", socket)
		},
		DisableCompression: true,
	}}}
}

// Close closes connections that are kept for another call.
func (c *Client) Close() { c.http.CloseIdleConnections() }

// NotRunningError says that no tidegate answers at the socket.
type NotRunningError struct{ Socket string }

// Error says what to do.
func (e *NotRunningError) Error() string {
	return fmt.Sprintf("tidegate is not running (socket %s): start it with 'tidegate run'", e.Socket)
}

// call makes one call. in is sent as JSON unless it is []byte, which is sent
// as it is; out gets the answer unless it is nil.
func (c *Client) call(ctx context.Context, method, path string, query url.Values, in, out any) error {
	var body []byte
	switch v := in.(type) {
	case nil:
	case []byte:
		body = v
	default:
		var err error
		if body, err = json.Marshal(v); err != nil {
			return err
		}
	}
	most := maxBody
	if o, _, _, err := match(method, path); err == nil {
		most = o.maxBody()
	}
	if len(body) > most {
		return tooLarge(most)
	}
	target := "http://tidegate" + path
	if len(query) > 0 {
		target += "?" + query.Encode()
	}
	req, err := http.NewRequestWithContext(ctx, method, target, bytes.NewReader(body))
	if err != nil {
		return err
	}
	resp, err := c.http.Do(req)
	if err != nil {
		return c.explain(err)
	}
	defer func() { _ = resp.Body.Close() }()
	answer, err := io.ReadAll(resp.Body)
	if err != nil {
		return fmt.Errorf("control socket %s: %w", c.socket, err)
	}
	if resp.StatusCode >= 300 {
		return answeredError(resp, answer)
	}
	if out == nil || len(answer) == 0 {
		return nil
	}
	if err := json.Unmarshal(answer, out); err != nil {
		return fmt.Errorf("control socket %s: answer to %s %s: %w", c.socket, method, path, err)
	}
	return nil
}

func (c *Client) explain(err error) error {
	switch {
	case errors.Is(err, fs.ErrNotExist), errors.Is(err, syscall.ECONNREFUSED):
		return &NotRunningError{c.socket}
	case errors.Is(err, fs.ErrPermission):
		return fmt.Errorf("no permission to use the control socket %s: run this as root, as the user of tidegate, or as a member of its control group", c.socket)
	}
	var outer *url.Error
	if errors.As(err, &outer) {
		err = outer.Err
	}
	return fmt.Errorf("control socket %s: %w", c.socket, err)
}

func answeredError(resp *http.Response, answer []byte) error {
	var body struct {
		Message      string `json:"message"`
		ResourceType string `json:"resourceType"`
	}
	_ = json.Unmarshal(answer, &body)
	if body.Message == "" {
		body.Message = http.StatusText(resp.StatusCode)
	}
	code, _, _ := strings.Cut(resp.Header.Get("x-amzn-ErrorType"), ":")
	return &Error{Status: resp.StatusCode, Code: code, Message: body.Message, ResourceType: body.ResourceType}
}

// pathOf joins segments, each percent-encoded.
func pathOf(segments ...string) string {
	var b strings.Builder
	for _, s := range segments {
		b.WriteString("/" + url.PathEscape(s))
	}
	return b.String()
}

// all reads every page of a list.
func all[T any](ctx context.Context, c *Client, path string, query url.Values) ([]T, error) {
	items := []T{}
	query.Set("limit", strconv.Itoa(maxLimit))
	for {
		var list List[T]
		if err := c.call(ctx, "GET", path, query, nil, &list); err != nil {
			return nil, err
		}
		items = append(items, list.Items...)
		if list.Position == "" {
			return items, nil
		}
		query.Set("position", list.Position)
	}
}
