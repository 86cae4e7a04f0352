package gate

import (
	"bufio"
	"io"
	"net/http"
	"strings"
	"testing"
)

// Every canned answer is HTTP as net/http reads it, fits its place, and has its
// seconds where the checksum can take them.
func TestAnswers(t *testing.T) {
	for i, text := range texts {
		a := canned(text)
		if len(text) > len(a.Text) || a.Seconds%2 != 0 {
			t.Errorf("answer %d: %d bytes, seconds at %d", i, len(text), a.Seconds)
		}
		filled := text
		if a.Seconds > 0 {
			filled = text[:a.Seconds] + "      42" + text[a.Seconds+8:]
		}
		resp, err := http.ReadResponse(bufio.NewReader(strings.NewReader(filled)), nil)
		if err != nil {
			t.Errorf("answer %d: %v", i, err)
			continue
		}
		body, err := io.ReadAll(resp.Body)
		if err != nil || int64(len(body)) != resp.ContentLength || !resp.Close {
			t.Errorf("answer %d: %q of %d bytes, %v", i, body, resp.ContentLength, err)
		}
		answer := Answer(i)
		if answer > LimitExceeded {
			answer -= forever
		}
		want := ""
		if a.Seconds > 0 {
			want = "42"
		}
		if resp.StatusCode != answer.Status() || resp.Header.Get("Retry-After") != want {
			t.Errorf("answer %d: %s, Retry-After %q", i, resp.Status, resp.Header.Get("Retry-After"))
		}
	}
}
