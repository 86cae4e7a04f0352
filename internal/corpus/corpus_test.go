package corpus

import (
	"net/http"
	"strings"
	"testing"
)

// minMessages is the least that the corpus may have.
const minMessages = 400

func messages(t testing.TB) []*Message {
	t.Helper()
	all, err := Messages()
	if err != nil {
		t.Fatal(err)
	}
	return all
}

func TestCorpusIsWhole(t *testing.T) {
	all := messages(t)
	if len(all) < minMessages {
		t.Errorf("%d messages, want %d", len(all), minMessages)
	}
	rules := map[string]bool{}
	for _, m := range all {
		for _, rule := range strings.FieldsFunc(m.Why, func(r rune) bool { return strings.ContainsRune(" []", r) }) {
			rules[rule] = true
		}
		for _, a := range m.Want.Answers {
			if http.StatusText(a.Status) == "" {
				t.Errorf("%s: status %d", m.Name, a.Status)
			}
		}
		if m.Want.End == Close && len(m.Want.Answers) == 0 {
			t.Errorf("%s: closed without an answer", m.Name)
		}
	}
	for _, rule := range []string{"F1", "F2", "F3", "F4", "F5", "F6", "F7", "F8", "F9", "F10", "F11", "F12", "F13", "F14", "F15"} {
		if !rules[rule] {
			t.Errorf("no message for rule %s", rule)
		}
	}
}

func TestUnescape(t *testing.T) {
	for _, row := range []struct{ text, want string }{
		{`a\r\n\t\\\x00\xff`, "a\r\n\t\\\x00\xff"},
		{`\*{3,ab}c\*{2,\r\n}`, "abababc\r\n\r\n"},
		{`\"`, `"`},
	} {
		if got, err := unescape(row.text); err != nil || got != row.want {
			t.Errorf("%s: got %q, %v", row.text, got, err)
		}
	}
	for _, text := range []string{`\`, `\q`, `\*{a,b}`, `\*{3,b`, `\xg0`} {
		if got, err := unescape(text); err == nil {
			t.Errorf("%s: got %q", text, got)
		}
	}
}

func TestParseErrors(t *testing.T) {
	for _, text := range []string{
		"## a\nwhy\n| x\n", "## a\nwhy\n= 200 open\n", "## a\n| x\n= 200 open\n", "## a\nwhy\n| x\n= two open\n",
		"## a\nwhy\n| x\n= 200 open\n> GET\n", "## a\nwhy\n| x\n= 200 open\n+ X: y\n",
	} {
		if _, err := parse(text); err == nil {
			t.Errorf("%q: no error", text)
		}
	}
}
