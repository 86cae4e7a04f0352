// Package corpus holds raw HTTP/1 messages that readers are known, or apt, to
// understand differently, with what a gateway must make of each: the answers,
// whether the connection goes on, and what reaches the backend.
//
// The messages are text files in testdata. A message is
//
//	## name
//	Why it is here. [rule]
//	| a line, sent with CRLF behind it
//	~ bytes, sent as they are
//	= 200 400 close
//	> POST /target @host "body"
//	+ Name: value
//	- Name
//
// Bytes may use \r, \n, \t, \\, \xNN and \*{N,text}, which is text N times. The
// verdict after "=" has the status of each answer ("/HEAD" if it answers HEAD)
// and then how it ends: "open" if the next request on the connection is
// answered, "close" if the gateway ends it, "wait" if the gateway takes what
// follows for part of the message. Each ">" is a request that must reach the
// backend, in order, with its own host unless another is given; "+" are fields
// it must have and "-" fields it must not.
package corpus

import (
	"embed"
	"fmt"
	"io/fs"
	"strconv"
	"strings"
)

//go:embed testdata/*.txt
var files embed.FS

// Message is one entry of the corpus.
type Message struct {
	Name string
	Why  string
	Raw  []byte
	Want Verdict
}

// Verdict is what a gateway makes of a message.
type Verdict struct {
	Answers  []Answer
	End      End
	Requests []Request // at the backend
}

// Answer is a final answer to the client.
type Answer struct {
	Status int
	Head   bool // to HEAD: without a body
}

// End is how a connection stands after a message.
type End string

// Ends.
const (
	Open  End = "open"
	Close End = "close"
	Wait  End = "wait"
)

// Request is a request as the backend gets it.
type Request struct {
	Method, Target string
	Host           string // empty for the backend's own
	Body           string
	Has            []string // "Name: value"
	Lacks          []string // names
}

// Messages returns the corpus. An error names the file and line.
func Messages() ([]*Message, error) {
	names, err := fs.Glob(files, "testdata/*.txt")
	if err != nil {
		return nil, err
	}
	var all []*Message
	seen := map[string]bool{}
	for _, name := range names {
		text, err := files.ReadFile(name)
		if err != nil {
			return nil, err
		}
		messages, err := parse(string(text))
		if err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		for _, m := range messages {
			if seen[m.Name] {
				return nil, fmt.Errorf("%s: %s: another message has this name", name, m.Name)
			}
			seen[m.Name] = true
		}
		all = append(all, messages...)
	}
	return all, nil
}

func parse(text string) (all []*Message, err error) {
	var m *Message
	for i, line := range strings.Split(text, "\n") {
		if name, ok := strings.CutPrefix(line, "## "); ok {
			m = &Message{Name: name}
			all = append(all, m)
			continue
		}
		if m == nil || line == "" {
			continue // what a file says about itself
		}
		if err := m.line(line); err != nil {
			return nil, fmt.Errorf("line %d: %s: %w", i+1, m.Name, err)
		}
	}
	for _, m := range all {
		if len(m.Raw) == 0 || m.Why == "" || m.Want.End == "" {
			return nil, fmt.Errorf("%s: it needs a reason, bytes and a verdict", m.Name)
		}
	}
	return all, nil
}

// line reads one line of the message.
func (m *Message) line(line string) error {
	rest := strings.TrimPrefix(line[1:], " ")
	switch line[0] {
	case '|', '~':
		raw, err := unescape(rest)
		if err != nil {
			return err
		}
		m.Raw = append(m.Raw, raw...)
		if line[0] == '|' {
			m.Raw = append(m.Raw, "\r\n"...)
		}
	case '=':
		return m.Want.parse(rest)
	case '>':
		r, err := parseRequest(rest)
		m.Want.Requests = append(m.Want.Requests, r)
		return err
	case '+', '-':
		if len(m.Want.Requests) == 0 {
			return fmt.Errorf("%q stands before any request", line)
		}
		r := &m.Want.Requests[len(m.Want.Requests)-1]
		field, err := unescape(rest)
		if line[0] == '+' {
			r.Has = append(r.Has, field)
		} else {
			r.Lacks = append(r.Lacks, field)
		}
		return err
	default:
		m.Why = strings.TrimSpace(m.Why + " " + line)
	}
	return nil
}

func (v *Verdict) parse(text string) error {
	for _, word := range strings.Fields(text) {
		switch end := End(word); end {
		case Open, Close, Wait:
			v.End = end
			continue
		}
		number, head := strings.CutSuffix(word, "/HEAD")
		status, err := strconv.Atoi(number)
		if err != nil {
			return fmt.Errorf("verdict %q: %w", text, err)
		}
		v.Answers = append(v.Answers, Answer{status, head})
	}
	return nil
}

// parseRequest reads `METHOD TARGET [@HOST] "BODY"`.
func parseRequest(text string) (r Request, err error) {
	head, body, ok := strings.Cut(text, ` "`)
	body, ok2 := strings.CutSuffix(body, `"`)
	words := strings.Fields(head)
	if !ok || !ok2 || len(words) < 2 || len(words) > 3 {
		return r, fmt.Errorf("request %q is not METHOD TARGET [@HOST] \"BODY\"", text)
	}
	r.Method = words[0]
	if r.Target, err = unescape(words[1]); err != nil {
		return r, err
	}
	if len(words) == 3 {
		r.Host = strings.TrimPrefix(words[2], "@")
	}
	r.Body, err = unescape(body)
	return r, err
}

// unescape undoes the escapes of the file format.
func unescape(s string) (string, error) {
	var out strings.Builder
	for {
		i := strings.IndexByte(s, '\\')
		if i < 0 {
			out.WriteString(s)
			return out.String(), nil
		}
		out.WriteString(s[:i])
		s = s[i+1:]
		if rest, ok := strings.CutPrefix(s, "*{"); ok {
			count, rest, ok := strings.Cut(rest, ",")
			text, rest, ok2 := strings.Cut(rest, "}")
			n, err := strconv.Atoi(count)
			if !ok || !ok2 || err != nil {
				return "", fmt.Errorf(`%q is not \*{N,text}`, s)
			}
			if text, err = unescape(text); err != nil {
				return "", err
			}
			out.WriteString(strings.Repeat(text, n))
			s = rest
			continue
		}
		switch {
		case s == "":
			return "", fmt.Errorf("a backslash ends the text; write it twice")
		case s[0] == '"':
			out.WriteByte('"')
			s = s[1:]
			continue
		}
		c, _, rest, err := strconv.UnquoteChar(`\`+s, 0)
		if err != nil {
			return "", fmt.Errorf("unknown escape before %q", s)
		}
		out.WriteByte(byte(c)) // only \r, \n, \t, \\ and \xNN are in use
		s = rest
	}
}
