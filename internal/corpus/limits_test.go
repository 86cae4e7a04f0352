package corpus

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/tidegate/tidegate/configs"
	"github.com/tidegate/tidegate/internal/gatetest"
)

// Limits of the host file, small enough to try every size up to them.
const (
	limitHeaderBytes = 1024
	limitHeaderCount = 40
	limitURL         = 1024
	limitBody        = 2048
	limitResponse    = 2048
)

// limit is one that bounds messages: the request of a size, and the status beyond.
type limit struct {
	name      string
	from, to  int // sizes: to is the limit
	request   func(size int) string
	beyond    int
	cutBeyond bool // instead of that status the answer may also break off
}

// fieldsOf makes field lines of so many bytes, Host among them.
func fieldsOf(size int) string {
	const host = "Host: gate.test\r\n"
	pad := size - len(host)
	if pad == 0 {
		return host
	}
	return host + "X: " + strings.Repeat("y", pad-len("X: \r\n")) + "\r\n"
}

func bodyLimits() []limit {
	post := "POST /prod/a HTTP/1.1\r\nHost: gate.test\r\n"
	return []limit{
		{"body_bytes", 0, limitBody, func(n int) string {
			return fmt.Sprintf("%sContent-Length: %d\r\n\r\n%s", post, n, strings.Repeat("b", n))
		}, 413, false},
		{"body_bytes in a chunk", 1, limitBody, func(n int) string {
			return fmt.Sprintf("%sTransfer-Encoding: chunked\r\n\r\n%x\r\n%s\r\n0\r\n\r\n", post, n, strings.Repeat("b", n))
		}, 413, false},
		{"body_bytes in chunks", 0, limitBody, func(n int) string {
			const each = 100
			return post + "Transfer-Encoding: chunked\r\n\r\n" + strings.Repeat("64\r\n"+strings.Repeat("b", each)+"\r\n", n/each) +
				strings.Repeat("1\r\nb\r\n", n%each) + "0\r\n\r\n"
		}, 413, false},
	}
}

func headLimits() []limit {
	return []limit{
		{"header_bytes", len(fieldsOf(17)) + 5, limitHeaderBytes, func(n int) string {
			return "GET /prod/a HTTP/1.1\r\n" + fieldsOf(n) + "\r\n"
		}, 431, false},
		{"header_count", 1, limitHeaderCount, func(n int) string {
			return "GET /prod/a HTTP/1.1\r\nHost: gate.test\r\n" + strings.Repeat("X: y\r\n", n-1) + "\r\n"
		}, 431, false},
		{"url_bytes", len("/prod/"), limitURL, func(n int) string {
			return "GET /prod/" + strings.Repeat("a", n-len("/prod/")) + " HTTP/1.1\r\nHost: gate.test\r\n\r\n"
		}, 414, false},
		{"url_bytes of a query", len("/prod/a?"), limitURL, func(n int) string {
			return "GET /prod/a?" + strings.Repeat("b", n-len("/prod/a?")) + " HTTP/1.1\r\nHost: gate.test\r\n\r\n"
		}, 414, false},
	}
}

func responseLimits() []limit {
	return []limit{
		{"response_bytes", 0, limitResponse, func(n int) string {
			return fmt.Sprintf("GET /prod/length?%d HTTP/1.1\r\nHost: gate.test\r\n\r\n", n)
		}, 502, false},
		{"response_bytes in chunks", 0, limitResponse, func(n int) string {
			return fmt.Sprintf("GET /prod/chunks?%d HTTP/1.1\r\nHost: gate.test\r\n\r\n", n)
		}, 502, true},
		{"response_bytes until the end", 0, limitResponse, func(n int) string {
			return fmt.Sprintf("GET /prod/close?%d HTTP/1.1\r\nHost: gate.test\r\n\r\n", n)
		}, 502, true},
	}
}

// sized answers with as many bytes as the query says, and ends them as the path
// says.
func sized(conn net.Conn) {
	br := bufio.NewReader(conn)
	for {
		r, err := http.ReadRequest(br)
		if err != nil {
			return
		}
		if _, err := io.Copy(io.Discard, r.Body); err != nil {
			return
		}
		n, _ := strconv.Atoi(r.URL.RawQuery)
		body := strings.Repeat("r", n)
		switch r.URL.Path {
		case "/chunks":
			if n > 0 {
				body = fmt.Sprintf("%x\r\n%s\r\n", n, body)
			}
			body = "Transfer-Encoding: chunked\r\n\r\n" + body + "0\r\n\r\n"
		case "/close":
			_, _ = io.WriteString(conn, "HTTP/1.1 200 OK\r\n\r\n"+body)
			return
		case "/length":
			body = fmt.Sprintf("Content-Length: %d\r\n\r\n%s", n, body)
		default:
			body = "Content-Length: 0\r\n\r\n"
		}
		if _, err := io.WriteString(conn, "HTTP/1.1 200 OK\r\n"+body); err != nil {
			return
		}
	}
}

// TestR11Limits tries every size up to each limit of the host file that bounds a
// message, one more, and many more: what is within is served, what is not gets the
// status of its limit, exactly from the first byte or line on.
func TestR11Limits(t *testing.T) {
	g := gatetest.Start(t, func(h *configs.Host) {
		h.Limits.HeaderBytes, h.Limits.HeaderCount, h.Limits.URLBytes = limitHeaderBytes, limitHeaderCount, limitURL
		h.Limits.BodyBytes, h.Limits.ResponseBytes = limitBody, limitResponse
	})
	g.Deploy("prod", gatetest.ProxyAll(gatetest.NewBackend(t, sized).Addr, 5000))
	var limits []limit
	limits = append(append(append(limits, headLimits()...), bodyLimits()...), responseLimits()...)
	for _, l := range limits {
		t.Run(l.name, func(t *testing.T) {
			t.Parallel()
			c := &limited{addr: g.Addr}
			defer c.close()
			for size := l.from; size <= l.to; size++ {
				if status, cut, err := c.ask(l.request(size)); err != nil || status != 200 || cut {
					t.Fatalf("%d of %d: %d, cut off %v, %v", size, l.to, status, cut, err)
				}
			}
			for _, size := range []int{l.to + 1, l.to + 2, l.to + 3, l.to + 64, 2 * l.to, 3*l.to + 1, 20 * l.to, 300 * l.to} {
				status, cut, err := c.ask(l.request(size))
				if err != nil || (status != l.beyond || cut) && !(l.cutBeyond && cut) {
					t.Errorf("%d of %d: %d, cut off %v, %v; want %d", size, l.to, status, cut, err, l.beyond)
				}
				if status != 502 {
					c.close()
				}
			}
		})
	}
}

// limited is a client with a connection that lasts as long as it can.
type limited struct {
	addr string
	conn net.Conn
	br   *bufio.Reader
}

func (c *limited) close() {
	if c.conn != nil {
		_ = c.conn.Close()
	}
	c.conn = nil
}

func (c *limited) ask(request string) (status int, cut bool, err error) {
	if c.conn == nil {
		if c.conn, err = net.Dial("tcp", c.addr); err != nil {
			return 0, false, err
		}
		c.br = bufio.NewReader(c.conn)
	}
	_ = c.conn.SetDeadline(time.Now().Add(2 * patience))
	_, _ = io.WriteString(c.conn, request) // may be refused before it is whole
	resp, err := http.ReadResponse(c.br, nil)
	if err != nil {
		return 0, false, err
	}
	_, err = io.Copy(io.Discard, resp.Body)
	if resp.Close || err != nil {
		c.close()
	}
	return resp.StatusCode, err != nil, nil
}
