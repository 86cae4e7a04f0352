package prefixlist

import (
	"bufio"
	"fmt"
	"io"
	"net/netip"
	"strings"
)

// maxLine bounds a line in bytes; a longer one is not of such a file.
const maxLine = 1024

// Read reads a list with one network a line. What follows a # is a comment, and
// empty lines are skipped. Errors name the file and the line; more than most
// networks are ErrTooMany.
func Read(file string, r io.Reader, most int) ([]netip.Prefix, error) {
	var list []netip.Prefix
	lines := bufio.NewScanner(r)
	lines.Buffer(make([]byte, 0, maxLine), maxLine)
	number := 0
	for lines.Scan() {
		number++
		text, _, _ := strings.Cut(lines.Text(), "#")
		if text = strings.TrimSpace(text); text == "" {
			continue
		}
		p, err := Parse(text)
		if err != nil {
			return nil, fmt.Errorf("%s:%d: %w", file, number, err)
		}
		if len(list) == most {
			return nil, fmt.Errorf("%s:%d: %w: %d", file, number, ErrTooMany, most)
		}
		list = append(list, p)
	}
	if err := lines.Err(); err != nil {
		return nil, fmt.Errorf("%s:%d: %w", file, number+1, err)
	}
	return list, nil
}
