package corpus

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"os"
	"slices"
	"strings"
	"testing"
	"time"
)

// sentinel is sent behind every message: the next request on the connection,
// which must be answered on its own or not at all.
const (
	sentinel       = "GET /prod/sentinel HTTP/1.1\r\nHost: gate.test\r\n\r\n"
	sentinelTarget = "/sentinel"
)

// maxBody is the limit that the messages are written for.
const maxBody = 4096

// patience bounds what should happen at once; waits is how long a message that
// is not whole must stay unanswered.
const (
	patience = 5 * time.Second
	waits    = 20 * time.Millisecond
)

// delivery writes a message in pieces of its own choice. It stops when the
// other side does not take more.
type delivery func(conn net.Conn, raw []byte) error

func whole(conn net.Conn, raw []byte) error {
	_, err := conn.Write(raw)
	return err
}

// bytewise sends byte by byte; of long messages, the middle in pieces.
func bytewise(conn net.Conn, raw []byte) error {
	const ends, piece = 400, 97
	for len(raw) > 0 {
		n := 1
		if len(raw) > 2*ends {
			n = piece
		}
		if _, err := conn.Write(raw[:n]); err != nil {
			return err
		}
		raw = raw[n:]
	}
	return nil
}

// randomly cuts at a few random places and lets each piece arrive.
func randomly(r *rand.Rand) delivery {
	return func(conn net.Conn, raw []byte) error {
		cuts := []int{0, len(raw)}
		for range 1 + r.IntN(4) {
			cuts = append(cuts, r.IntN(len(raw)+1))
		}
		slices.Sort(cuts)
		for i, at := range cuts[1:] {
			if _, err := conn.Write(raw[cuts[i]:at]); err != nil {
				return err
			}
			time.Sleep(200 * time.Microsecond)
		}
		return nil
	}
}

// outcome is what a client saw of a message.
type outcome struct {
	answers []Answer
	end     End
}

// play sends a message and the sentinel, and reads the answers.
func play(conn net.Conn, m *Message, deliver delivery) (outcome, error) {
	defer conn.Close()
	_ = conn.SetDeadline(time.Now().Add(patience))
	if deliver(conn, m.Raw) == nil {
		_, _ = io.WriteString(conn, sentinel) // may be refused: read what was said before
	}
	var got outcome
	br := bufio.NewReader(conn)
	for {
		if m.Want.End == Wait && len(got.answers) == len(m.Want.Answers) {
			return got.wait(conn, br)
		}
		head := len(got.answers) < len(m.Want.Answers) && m.Want.Answers[len(got.answers)].Head
		status, body, err := readAnswer(br, head)
		switch {
		case errors.Is(err, os.ErrDeadlineExceeded):
			return got, fmt.Errorf("neither an answer nor the end after %v, and %v", got.answers, patience)
		case err != nil && got.answers == nil && !ended(err):
			return got, err
		case err != nil:
			got.end = Close
			return got, nil
		case status < 200:
		case body == "GET "+sentinelTarget:
			got.end = Open
			return got, nil
		default:
			got.answers = append(got.answers, Answer{status, head})
		}
	}
}

func readAnswer(br *bufio.Reader, head bool) (status int, body string, err error) {
	method := "GET"
	if head {
		method = "HEAD"
	}
	resp, err := http.ReadResponse(br, &http.Request{Method: method})
	if err != nil {
		return 0, "", err
	}
	text, err := io.ReadAll(resp.Body)
	return resp.StatusCode, string(text), err
}

// wait expects silence, and then nothing but the end when the client ends.
func (o *outcome) wait(conn net.Conn, br *bufio.Reader) (outcome, error) {
	_ = conn.SetReadDeadline(time.Now().Add(waits))
	if b, err := br.Peek(1); !errors.Is(err, os.ErrDeadlineExceeded) {
		return *o, fmt.Errorf("it was not waited for the rest: %q, %v", b, err)
	}
	_ = conn.SetReadDeadline(time.Now().Add(patience))
	if err := conn.(interface{ CloseWrite() error }).CloseWrite(); err != nil {
		return *o, err
	}
	if b, err := io.ReadAll(br); len(b) > 0 || err != nil && !ended(err) {
		return *o, fmt.Errorf("half a message was answered: %q, %v", b, err)
	}
	o.end = Wait
	return *o, nil
}

// ended tells whether an error is the other side's end of the connection.
func ended(err error) bool {
	return errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) || strings.Contains(err.Error(), "connection reset")
}

// seen is a request as it arrived behind a gateway.
type seen struct {
	Request
	header http.Header
	raw    []byte
}

// judge compares what happened with the golden verdict.
func judge(t *testing.T, m *Message, got outcome, err error, requests []seen) {
	t.Helper()
	if err != nil {
		t.Errorf("%s: %v", m.Name, err)
		return
	}
	if got.end != m.Want.End || !slices.Equal(got.answers, m.Want.Answers) {
		t.Errorf("%s: %v %s, want %v %s\n%s\n%.300q", m.Name, got.answers, got.end, m.Want.Answers, m.Want.End, m.Why, m.Raw)
	}
	if len(requests) != len(m.Want.Requests) {
		t.Errorf("%s: %d requests reached the backend, want %d: %.300q", m.Name, len(requests), len(m.Want.Requests), requests)
		return
	}
	for i, r := range requests {
		if diff := r.differs(&m.Want.Requests[i]); diff != "" {
			t.Errorf("%s: request %d at the backend: %s\n%.300q", m.Name, i, diff, r.raw)
		}
	}
}

// differs says how a request is not what it should be.
func (s *seen) differs(want *Request) string {
	if s.Method != want.Method || s.Target != want.Target || s.Host != want.Host || s.Body != want.Body {
		return fmt.Sprintf("%s %.80s host %q body %.80q, want %s %.80s host %q body %.80q",
			s.Method, s.Target, s.Host, s.Body, want.Method, want.Target, want.Host, want.Body)
	}
	for _, field := range want.Has {
		name, value, _ := strings.Cut(field, ":")
		if !slices.Contains(s.header.Values(name), strings.TrimSpace(value)) {
			return fmt.Sprintf("it lacks %q: %q", field, s.header)
		}
	}
	for _, name := range want.Lacks {
		if values := s.header.Values(name); values != nil {
			return fmt.Sprintf("it has %s: %q", name, values)
		}
	}
	return ""
}
