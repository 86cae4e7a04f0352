package corpus

import (
	"embed"
	"fmt"
	"io/fs"
	"strconv"
	"strings"
)

//go:embed testdata/answers/*.txt
var answerFiles embed.FS

// Response is an answer of a backend that is apt to be taken for another one, or
// for more than one, and what a gateway must make of it. In testdata/answers it is
//
//	## name
//	Why it is here.
//	? HEAD
//	| a line, sent with CRLF behind it
//	~ bytes, sent as they are
//	& bytes, sent in a write of their own, later
//	. the backend closes the connection then
//	= 200 keep "body"
//
// "?" has the method, GET if it is missing; "? POST early" announces a body and
// sends half of it, so that the answer is an early one. The verdict has the status
// and the body at the client, and whether the connection to the backend is used
// again: "keep" or "drop". With "cut" the client gets a status and part of the
// body, and sees that it is not whole.
type Response struct {
	Name   string
	Why    string
	Method string
	Early  bool
	Now    string
	Later  string
	Closes bool

	Status int
	Body   string
	Reused bool
	Cut    bool
}

// Responses returns the answers of the corpus. An error names the file and line.
func Responses() (all []*Response, err error) {
	names, err := fs.Glob(answerFiles, "testdata/answers/*.txt")
	if err != nil {
		return nil, err
	}
	seen := map[string]bool{}
	for _, name := range names {
		text, err := answerFiles.ReadFile(name)
		if err != nil {
			return nil, err
		}
		responses, err := parseResponses(string(text))
		if err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		for _, r := range responses {
			if seen[r.Name] {
				return nil, fmt.Errorf("%s: %s: another answer has this name", name, r.Name)
			}
			seen[r.Name] = true
		}
		all = append(all, responses...)
	}
	return all, nil
}

func parseResponses(text string) (all []*Response, err error) {
	var r *Response
	for i, line := range strings.Split(text, "\n") {
		if name, ok := strings.CutPrefix(line, "## "); ok {
			r = &Response{Name: name, Method: "GET"}
			all = append(all, r)
			continue
		}
		if r == nil || line == "" {
			continue
		}
		if err := r.line(line); err != nil {
			return nil, fmt.Errorf("line %d: %s: %w", i+1, r.Name, err)
		}
	}
	for _, r := range all {
		if r.Why == "" || r.Now == "" && !r.Closes || r.Status == 0 {
			return nil, fmt.Errorf("%s: it needs a reason, bytes and a verdict", r.Name)
		}
	}
	return all, nil
}

func (r *Response) line(line string) error {
	rest := strings.TrimPrefix(line[1:], " ")
	switch line[0] {
	case '|', '~', '&':
		raw, err := unescape(strings.ReplaceAll(rest, "EVIL", evilAnswer))
		switch line[0] {
		case '|':
			r.Now += raw + "\r\n"
		case '~':
			r.Now += raw
		default:
			r.Later += raw
		}
		return err
	case '?':
		r.Method, rest, _ = strings.Cut(rest, " ")
		if r.Early = rest == "early"; !r.Early && rest != "" {
			return fmt.Errorf("%q is not METHOD or METHOD early", line)
		}
	case '.':
		r.Closes = true
	case '=':
		return r.verdict(rest)
	default:
		r.Why = strings.TrimSpace(r.Why + " " + line)
	}
	return nil
}

// evilAnswer is written EVIL: a whole answer, for whoever reads next.
const evilAnswer = `HTTP/1.1 200 OK\r\nX-Victim: EVIL\r\nContent-Length: 4\r\n\r\nEVIL`

// verdict reads `STATUS keep|drop|cut "BODY"`.
func (r *Response) verdict(text string) (err error) {
	words, body, quoted := strings.Cut(text, ` "`)
	status, end, _ := strings.Cut(words, " ")
	if r.Status, err = strconv.Atoi(status); err != nil {
		return fmt.Errorf("verdict %q: %w", text, err)
	}
	r.Reused, r.Cut = end == "keep", end == "cut"
	if !r.Reused && !r.Cut && end != "drop" {
		return fmt.Errorf("verdict %q is not STATUS keep|drop|cut \"BODY\"", text)
	}
	if quoted {
		r.Body, err = unescape(strings.TrimSuffix(body, `"`))
	}
	return err
}
