package front_test

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/tidegate/tidegate/configs"
	"github.com/tidegate/tidegate/internal/gatetest"
)

// host is the Host line of every request here.
const host = "Host: gate.test\r\n"

// echo answers with method, target and body.
func echo(t *testing.T) *gatetest.Backend {
	return gatetest.Answering(t, func(r *http.Request) string {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			return ""
		}
		text := fmt.Sprintf("%s %s %s", r.Method, r.RequestURI, body)
		length := len(text)
		if r.Method == http.MethodHead {
			text = ""
		}
		return fmt.Sprintf("HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s", length, text)
	})
}

// gate starts a gateway in front of address.
func gate(t *testing.T, address string, edit ...func(*configs.Host)) *gatetest.Gate {
	t.Helper()
	g := gatetest.Start(t, edit...)
	g.ProxyAll(address)
	return g
}

func send(t *testing.T, conn net.Conn, text string) {
	t.Helper()
	if _, err := io.WriteString(conn, text); err != nil {
		t.Fatal(err)
	}
}

// answer reads one final answer, whole.
func answer(t *testing.T, br *bufio.Reader, method string) (*http.Response, string) {
	t.Helper()
	for {
		resp, err := http.ReadResponse(br, &http.Request{Method: method})
		if err != nil {
			t.Fatalf("read answer: %v", err)
		}
		body, err := io.ReadAll(resp.Body)
		if err != nil {
			t.Fatalf("read body: %v after %d bytes", err, len(body))
		}
		if resp.StatusCode >= 200 {
			return resp, string(body)
		}
	}
}

// ends expects the end of the connection and nothing before it.
func ends(t *testing.T, br io.Reader) {
	t.Helper()
	rest, err := io.ReadAll(br)
	if len(rest) > 0 || err != nil && !reset(err) {
		t.Errorf("want the end of the connection, got %.200q, %v", rest, err)
	}
}

func reset(err error) bool {
	return errors.Is(err, io.ErrUnexpectedEOF) || strings.Contains(err.Error(), "connection reset") || strings.Contains(err.Error(), "broken pipe")
}

// within checks how long something took: no less than at, and no more than a
// coarse timer and a busy machine make of it.
func within(t *testing.T, what string, took, at time.Duration) {
	t.Helper()
	if took < at-50*time.Millisecond || took > at+1500*time.Millisecond {
		t.Errorf("%s after %v, want %v", what, took, at)
	}
}
