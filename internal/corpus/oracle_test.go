package corpus

import (
	"bytes"
	"fmt"
	"net"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/tidegate/tidegate/dataplane/http1"
	"github.com/tidegate/tidegate/internal/gatetest"
)

// oracle is a transport without a thought for speed: a goroutine for each
// connection and the whole of it in one buffer, which is read again from the
// start of the request whenever more has come.
type oracle struct {
	mu       sync.Mutex
	requests []seen
}

var oracleLimits = http1.Limits{Target: 10240, Header: 20480, Count: 100}

// maxEdgeTarget is the limit of the API, which is an edge API.
const maxEdgeTarget = 8192

func (o *oracle) serve(conn net.Conn) {
	var in []byte
	buf := make([]byte, 4096)
	for {
		for {
			used, answer, open := o.step(in)
			if used == 0 && open {
				break
			}
			if answer != "" {
				_, _ = conn.Write([]byte(answer))
			}
			if !open {
				_ = conn.(*net.TCPConn).CloseWrite()
				for err := error(nil); err == nil; {
					_, err = conn.Read(buf)
				}
				return
			}
			in = in[used:]
		}
		n, err := conn.Read(buf)
		if err != nil {
			return
		}
		in = append(in, buf[:n]...)
	}
}

// step takes one request off the front of in. It returns 0 and open when the
// request has not come whole.
func (o *oracle) step(in []byte) (used int, answer string, open bool) {
	n := http1.HeadEnd(in, 0)
	if n == 0 {
		if len(in) < oracleLimits.Max() {
			return 0, "", true
		}
		return 0, plain(http1.OversizedHead(in, oracleLimits).Status(), ""), false
	}
	var r http1.Request
	fault := r.Parse(bytes.Clone(in[:n]), oracleLimits)
	if fault == 0 && r.ContentLength > maxBody {
		fault = http1.FaultBodySize
	}
	if fault != 0 {
		return n, plain(fault.Status(), ""), false
	}
	body, length, fault := bodyOf(&r, in[n:])
	forward, status, text := decide(&r)
	takesBody := forward != nil && forward.Method != "GET" && forward.Method != "HEAD" && forward.Method != "OPTIONS"
	if r.HasBody() && takesBody {
		switch {
		case fault != 0:
			return n, plain(fault.Status(), ""), false
		case length < 0:
			return 0, "", true
		}
		forward.Body = string(body)
	}
	if forward != nil {
		o.forward(&r, forward, takesBody)
	}
	if r.Verb == http1.HEAD {
		answer = fmt.Sprintf("HTTP/1.1 %d x\r\nContent-Length: %d\r\n\r\n", status, len(text))
	} else {
		answer = plain(status, text)
	}
	if r.HasBody() && !takesBody {
		switch {
		case fault != 0 || r.ExpectContinue: // the body may come or not
			return n, answer, false
		case length < 0:
			return 0, "", true
		}
	}
	return n + length, answer, r.KeepAlive
}

func plain(status int, text string) string {
	return fmt.Sprintf("HTTP/1.1 %d x\r\nContent-Length: %d\r\n\r\n%s", status, len(text), text)
}

// bodyOf returns the body and its length on the wire, -1 when it is not whole.
func bodyOf(r *http1.Request, in []byte) (body []byte, length int, fault http1.Fault) {
	if !r.Chunked {
		n := max(int(r.ContentLength), 0)
		if len(in) < n {
			return nil, -1, 0
		}
		return in[:n], n, 0
	}
	var c http1.Chunked
	body, n, fault := c.Compact(bytes.Clone(in))
	switch {
	case fault != 0:
		return nil, 0, fault
	case int64(len(body))+c.Announced() > maxBody:
		return nil, 0, http1.FaultBodySize
	case !c.Done():
		return nil, -1, 0
	}
	return body, n, 0
}

// decide is the document's, written out. forward is nil if the answer is the
// gateway's own.
func decide(r *http1.Request) (forward *Request, status int, text string) {
	path, ok := strings.CutPrefix(string(r.Path), "/prod")
	if !ok || path != "" && path[0] != '/' {
		return nil, 403, ""
	}
	if len(r.Target) > maxEdgeTarget {
		return nil, 414, ""
	}
	verb := r.Verb
	if override := http1.ParseVerb(r.Get(http1.XHTTPMethodOverride)); override != http1.VerbOther {
		verb = override
	}
	if verb == http1.VerbOther {
		return nil, 403, ""
	}
	path = "/" + strings.TrimSuffix(strings.TrimLeft(path, "/"), "/")
	if path == "/health" && verb == http1.GET {
		return nil, 200, `{"status":"ok"}`
	}
	forward = &Request{Method: verb.String()}
	if rest, ok := strings.CutPrefix(path, "/host/"); ok && rest != "" {
		path = "/" + rest
		forward.Host = string(r.Get(http1.Host))
	} else if rest, ok := strings.CutPrefix(path, "/sub/"); ok && rest != "" {
		path = "/" + strings.TrimLeft(rest, "/")
	}
	if len(r.Query) > 0 {
		path += "?" + string(r.Query)
	}
	forward.Target = path
	return forward, 200, forward.Method + " " + forward.Target
}

// hopByHop are the fields that a proxy keeps to itself, and those that this
// gateway writes anew.
var hopByHop = []string{"connection", "keep-alive", "proxy-connection", "proxy-authorization", "te", "trailer", "transfer-encoding",
	"upgrade", "expect", "host", "content-length", "x-http-method-override", "x-amzn-requestid", "x-forwarded-for"}

// kept are the fields that Connection cannot name away.
var kept = []string{"host", "authorization", "x-api-key", "forwarded", "content-type"}

func (o *oracle) forward(r *http1.Request, to *Request, takesBody bool) {
	if to.Target == sentinelTarget {
		return
	}
	nominated := map[string]bool{}
	for i := range r.Len() {
		if r.ID(i) == http1.Connection {
			for _, option := range strings.Split(strings.ToLower(string(r.Value(i))), ",") {
				nominated[strings.TrimSpace(option)] = true
			}
		}
	}
	header := http.Header{}
	via := ""
	for i := range r.Len() {
		name, value := strings.ToLower(string(r.Name(i))), string(r.Value(i))
		if name == "x-forwarded-for" {
			via += value + ", "
		}
		if named := nominated[name] && !slices.Contains(kept, name) && !strings.HasPrefix(name, "x-forwarded-"); !named && !slices.Contains(hopByHop, name) {
			header.Add(name, value)
		}
	}
	header.Set("X-Forwarded-For", via+"127.0.0.1")
	if takesBody {
		header.Set("Content-Length", fmt.Sprint(len(to.Body)))
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	o.requests = append(o.requests, seen{Request: *to, header: header})
}

func (o *oracle) take() []seen {
	o.mu.Lock()
	defer o.mu.Unlock()
	requests := o.requests
	o.requests = nil
	return requests
}

// TestR8Oracle: the transport that is too simple to be wrong decides alike.
func TestR8Oracle(t *testing.T) {
	o := &oracle{}
	addr := gatetest.NewBackend(t, o.serve).Addr
	for _, m := range messages(t) {
		got, err := play(dial(t, addr, false), m, whole)
		judge(t, m, got, err, o.take())
	}
}
