package corpus

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

// quiet is how long a server must say nothing to have said all.
const quiet = 150 * time.Millisecond

// explained are the messages that we serve and another refuses. None of them
// reaches a backend as it came.
var explained = map[string]string{
	"nginx cl-other-case":                   "it trims no tabs around values; RFC 9110 section 5.5 does",
	"nginx te-tab-before-value":             "the same",
	"net/http empty-line-before":            "it lets no empty line pass; RFC 9112 section 2.2 should",
	"net/http pipelined-empty-line-between": "the same",
	"net/http trailer-forbidden-announced":  "it reads Trailer; we drop it with all trailers",
	"haproxy upgrade-websocket-pipelined":   "it wants a Sec-WebSocket-Key; here Upgrade is dropped, for the route is none of a WebSocket",
	"net/http http10-expect":                "it knows expectations in HTTP/1.0; RFC 9110 section 10.1.1 ignores them",
}

// TestR8OthersOnTheSameBytes sends the raw messages to nginx, HAProxy and net/http
// themselves and logs where they decide otherwise. To be stricter is ours to
// choose; to serve what another refuses needs an explanation.
func TestR8OthersOnTheSameBytes(t *testing.T) {
	ng, ha := startNginx(t), startHAProxy(t)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		_, _ = io.WriteString(w, "GET "+sentinelTarget)
	}))
	defer server.Close()
	others := map[string]func() (net.Conn, error){
		"nginx":    func() (net.Conn, error) { return net.Dial("unix", ng.plain) },
		"haproxy":  func() (net.Conn, error) { return net.Dial("unix", ha.plain) },
		"net/http": func() (net.Conn, error) { return net.Dial("tcp", server.Listener.Addr().String()) },
	}
	all := messages(t)
	decisions := map[string][]string{}
	for name, connect := range others {
		decisions[name] = sendAll(t, all, connect)
	}
	for i, m := range all {
		ours := make([]string, len(m.Want.Answers))
		for j, a := range m.Want.Answers {
			ours[j] = fmt.Sprint(a.Status)
		}
		if m.Want.End == Open {
			ours = append(ours, "200") // the sentinel
		}
		for name := range others {
			if theirs := decisions[name][i]; theirs != strings.Join(ours, " ") {
				t.Logf("%-9s %-32s answers [%s], we [%s]", name, m.Name, theirs, strings.Join(ours, " "))
				if served(m) && strings.ContainsAny(theirs, "45") && explained[name+" "+m.Name] == "" {
					t.Errorf("%s refuses %s, which we serve: [%s], we [%s]", name, m.Name, theirs, strings.Join(ours, " "))
				}
			}
		}
	}
}

// served tells whether every request of the message is answered with 200.
func served(m *Message) bool {
	return !slices.ContainsFunc(m.Want.Answers, func(a Answer) bool { return a.Status != 200 }) && m.Want.End != Wait
}

// sendAll returns the statuses that each message and the sentinel got.
func sendAll(t *testing.T, all []*Message, connect func() (net.Conn, error)) []string {
	t.Helper()
	out := make([]string, len(all))
	slots := make(chan struct{}, 64)
	var wg sync.WaitGroup
	for i, m := range all {
		slots <- struct{}{}
		wg.Go(func() {
			defer func() { <-slots }()
			conn, err := connect()
			if err != nil {
				t.Error(err)
				return
			}
			defer conn.Close()
			_ = conn.SetWriteDeadline(time.Now().Add(patience))
			_, _ = conn.Write(append(m.Raw[:len(m.Raw):len(m.Raw)], sentinel...))
			out[i] = strings.Join(statuses(conn, m), " ")
		})
	}
	wg.Wait()
	return out
}

func statuses(conn net.Conn, m *Message) (got []string) {
	br := bufio.NewReader(conn)
	for {
		_ = conn.SetReadDeadline(time.Now().Add(quiet))
		head := len(got) < len(m.Want.Answers) && m.Want.Answers[len(got)].Head
		status, _, err := readAnswer(br, head)
		if err != nil {
			return got
		}
		if status >= 200 {
			got = append(got, fmt.Sprint(status))
		}
	}
}
