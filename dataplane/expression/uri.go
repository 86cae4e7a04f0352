package expression

import (
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"strings"
)

// firstFreePort is the lowest port an upstream may have besides 80 and 443.
// API Gateway allows "80, 443, 1024-65535".
const firstFreePort = 1024

// CheckURI checks the uri of an HTTP integration and returns the names of its
// {placeholders}. Its scheme is one of those given. A stage variable,
// ${stageVariables.name}, may stand for any other part. A placeholder may not
// stand in the host or port: the client would choose where the gateway connects.
func CheckURI(uri string, schemes ...string) (placeholders []string, err error) {
	scheme, rest, found := strings.Cut(uri, "://")
	if !found || !slices.Contains(schemes, strings.ToLower(scheme)) {
		return nil, fmt.Errorf("%.200q is not an %s:// address", uri, strings.Join(schemes, ":// or "))
	}
	for i := range len(rest) {
		if rest[i] <= ' ' || rest[i] >= 0x7f {
			return nil, fmt.Errorf("%.200q has a character that must be percent-encoded", uri)
		}
	}
	var plain strings.Builder
	end := -1 // of the authority, in plain
	for i := 0; i < len(rest); {
		switch c := rest[i]; {
		case strings.HasPrefix(rest[i:], "${"), c == '{':
			name, after, closed := strings.Cut(rest[i:], "}")
			if !closed {
				return nil, fmt.Errorf("%.200q: a brace is not closed", uri)
			}
			if name, err = placeholder(name); err != nil {
				return nil, err
			}
			if name != "" {
				if end < 0 {
					return nil, fmt.Errorf("{%s} may not stand in the host or port, where a client would choose the upstream; use ${stageVariables.…}", name)
				}
				placeholders = append(placeholders, name)
			}
			plain.WriteString(variableMark)
			i = len(rest) - len(after)
			continue
		case c == '}':
			return nil, fmt.Errorf("%.200q: a brace closes nothing", uri)
		case end < 0 && (c == '/' || c == '?' || c == '#'):
			end = plain.Len()
		}
		plain.WriteByte(rest[i])
		i++
	}
	text := plain.String()
	if end < 0 {
		end = len(text)
	}
	if err := checkAuthority(text[:end]); err != nil {
		return nil, err
	}
	u, err := url.Parse("http://host" + text[end:])
	if err != nil {
		return nil, fmt.Errorf("%.200q is not a URL: a path or query is not encoded as it should be", uri)
	}
	if u.Fragment != "" || strings.HasSuffix(text, "#") {
		return nil, errors.New(`"#" and what follows is never sent to an upstream; remove it`)
	}
	return placeholders, nil
}

// variableMark stands for a variable while a uri is checked.
const variableMark = "VAR"

// placeholder reads "{name" and "${stageVariables.name"; of the latter it
// returns "".
func placeholder(text string) (name string, err error) {
	if variable, ok := strings.CutPrefix(text, "${"); ok {
		variable, ok = strings.CutPrefix(variable, "stageVariables.")
		if !ok || !IsVariableName(variable) {
			return "", fmt.Errorf("%.200q is not a stage variable; write ${stageVariables.name}", text+"}")
		}
		return "", nil
	}
	name = text[1:]
	if base, greedy := strings.CutSuffix(name, "+"); greedy {
		return "", fmt.Errorf("a greedy parameter is written {%.200s} in a uri", base)
	}
	if !IsName(name) {
		return "", fmt.Errorf("%.200q is not a parameter: a name has letters, digits and ._$- only", text+"}")
	}
	return name, nil
}

func checkAuthority(authority string) error {
	if strings.Contains(authority, "@") {
		return errors.New("a user name or password in the address is not supported; map a literal Authorization header")
	}
	host, port := authority, ""
	if strings.HasPrefix(authority, "[") {
		address, after, closed := strings.Cut(authority, "]")
		if !closed || after != "" && after[0] != ':' {
			return fmt.Errorf("%.200q is not a host", authority)
		}
		host, port = address[1:], strings.TrimPrefix(after, ":")
		if !strings.Contains(host, ":") || !ConsistsOf(host, ":.") {
			return fmt.Errorf("%.200q is not an IPv6 address", host)
		}
	} else if before, after, found := strings.Cut(authority, ":"); found {
		host, port = before, after
		if port == "" {
			return fmt.Errorf("%.200q has an empty port", authority)
		}
	}
	if !strings.Contains(host, ":") && !ConsistsOf(host, "._-") {
		return fmt.Errorf("%.200q is not a host name", host)
	}
	if port == "" || strings.Contains(port, variableMark) {
		return nil
	}
	n, err := strconv.Atoi(port)
	if err != nil || n != 80 && n != 443 && (n < firstFreePort || n > 65535) {
		return fmt.Errorf("port %.200q is not allowed; use 80, 443 or %d to 65535", port, firstFreePort)
	}
	return nil
}
