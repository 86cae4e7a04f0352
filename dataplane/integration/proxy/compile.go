package proxy

import (
	"fmt"
	"maps"
	"net/netip"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/tidegate/tidegate/dataplane/definition"
	"github.com/tidegate/tidegate/dataplane/http1"
	"github.com/tidegate/tidegate/dataplane/jsonpath"
)

// Scope is what an integration's definition may refer to.
type Scope struct {
	APIID     string
	Variables map[string]string // of the stage
	Params    []string          // names of the resource's path parameters, in order
	Context   map[string]string // $context variables that the stage fixes
	Route     bool              // of a WebSocket API: "route.request." names what came, a message among it

	shared map[string]*shared // by authority, for all methods compiled in the scope
}

// Compile resolves an integration of type HTTP or HTTP_PROXY for a stage.
func Compile(m *definition.Method, scope *Scope) (p Program, err error) {
	in := m.Integration
	p.passThrough = in.Type == definition.IntegrationHTTPProxy
	p.drop = requestDrop
	if in.HTTPMethod != definition.MethodAny {
		p.verb = http1.ParseVerb([]byte(in.HTTPMethod))
	}
	c := compiler{scope: scope}
	paths, err := c.requestMappings(&p, in.RequestParameters)
	if err != nil {
		return p, err
	}
	if err := p.targets(in.Targets, scope.Variables); err != nil {
		if !stageVariable.MatchString(strings.Join(in.Targets, ",")) {
			return p, err
		}
		p.Unresolved = err
	}
	if err := c.uri(&p, in.URI, paths); err != nil {
		err = fmt.Errorf("uri %q: %w", in.URI, err)
		if !stageVariable.MatchString(in.URI) {
			return p, err
		}
		p.Unresolved = err // the variables may come yet, as on AWS
	}
	p.Endpoint.Insecure = in.InsecureSkipVerification
	if !p.passThrough {
		p.responses, err = c.responses(m)
	}
	return p, err
}

// targets finds who stands in for the URI's host.
func (p *Program) targets(list []string, variables map[string]string) error {
	if len(list) == 0 {
		return nil
	}
	var all []string
	for pair := range strings.SplitSeq(Resolve(strings.Join(list, ","), variables), ",") {
		target, err := definition.ParseTarget(pair)
		if err != nil {
			return fmt.Errorf("x-tidegate-targets: %w", err)
		}
		if slices.Contains(all, target) {
			return fmt.Errorf("x-tidegate-targets: %q stands twice", target)
		}
		all = append(all, target)
	}
	if len(all) > definition.MaxTargets {
		return fmt.Errorf("x-tidegate-targets: %d targets are more than the %d there can be", len(all), definition.MaxTargets)
	}
	p.Endpoint.Targets = strings.Join(all, ",")
	return nil
}

type compiler struct{ scope *Scope }

// sharedFor returns what the methods with an endpoint write alike.
func (s *Scope) sharedFor(authority string) *shared {
	if s.shared == nil {
		s.shared = map[string]*shared{}
	}
	same := s.shared[authority]
	if same == nil {
		same = &shared{
			host:  "Host: " + authority + "\r\n",
			agent: "User-Agent: AmazonAPIGateway_" + s.APIID + "\r\n",
			apiID: "X-Amzn-Apigateway-Api-Id: " + s.APIID + "\r\n",
		}
		s.shared[authority] = same
	}
	return same
}

// mappedName is what AWS allows for the name of a mapped parameter.
var mappedName = regexp.MustCompile(`^[a-zA-Z0-9._$-]+$`)

// requestMappings compiles the header and query mappings into p and returns the
// path mappings.
func (c *compiler) requestMappings(p *Program, params map[string]string) (map[string]value, error) {
	paths := map[string]value{}
	m := &mappings{}
	for _, key := range slices.Sorted(maps.Keys(params)) {
		v, err := c.value(params[key])
		if err != nil {
			return nil, fmt.Errorf("requestParameters: %s: %w", key, err)
		}
		rest, ok := strings.CutPrefix(key, "integration.request.")
		kind, name, ok2 := strings.Cut(rest, ".")
		if !ok || !ok2 || name == "" {
			return nil, fmt.Errorf("requestParameters: %q is not integration.request.{path|querystring|header}.NAME", key)
		}
		if !mappedName.MatchString(name) {
			return nil, fmt.Errorf("requestParameters: %q: a name has letters, digits and any of . _ $ - alone", key)
		}
		switch kind {
		case "path":
			paths[name] = v
		case "querystring":
			m.query = append(m.query, mapping{name: name, value: v})
		case "header":
			id := http1.FindID([]byte(name))
			if illegalMapped.Has(id) {
				return nil, fmt.Errorf("requestParameters: %s: this header is the gateway's to set", key)
			}
			if neverMapped.Has(id) {
				continue
			}
			if id == http1.Host {
				m.host = &v
				continue
			}
			m.headers = append(m.headers, mapping{name: name, id: id, value: v})
			if id == http1.Other {
				m.names = append(m.names, strings.ToLower(name))
			} else {
				m.special |= http1.NewSet(id)
			}
		default:
			return nil, fmt.Errorf("requestParameters: %q is not integration.request.{path|querystring|header}.NAME", key)
		}
	}
	if len(m.query) > 0 || len(m.headers) > 0 || m.host != nil {
		p.mapped = m
		p.drop |= m.special
	}
	return paths, nil
}

// value compiles the right-hand side of a request mapping.
func (c *compiler) value(text string) (value, error) {
	v, err := c.source(text)
	if err == nil && v.source == fromLiteral && !http1.ValidValue([]byte(v.text)) {
		return value{}, fmt.Errorf("%q: a value must not have control characters", text)
	}
	return v, err
}

// source finds where a value comes from.
func (c *compiler) source(text string) (value, error) {
	if len(text) >= 2 && text[0] == '\'' && text[len(text)-1] == '\'' {
		return value{text: text[1 : len(text)-1]}, nil
	}
	if name, ok := strings.CutPrefix(text, "stageVariables."); ok {
		return value{text: c.scope.Variables[name]}, nil
	}
	if name, ok := strings.CutPrefix(text, "context."); ok {
		if fixed, ok := c.scope.Context[name]; ok {
			return value{text: fixed}, nil
		}
		if v, rest, ok := FindContext(name); ok {
			return value{source: fromContext, ctx: v, text: rest}, nil
		}
		return value{}, fmt.Errorf("%q is not a context variable that can be mapped", text)
	}
	rest, ok := strings.CutPrefix(text, c.scope.requestPrefix())
	if c.scope.Route && ok && (rest == "body" || strings.HasPrefix(rest, "body.") || strings.HasPrefix(rest, "body[")) {
		path, err := jsonpath.Compile("$" + rest[len("body"):])
		return value{source: fromBody, path: &path}, err
	}
	kind, name, ok2 := strings.Cut(rest, ".")
	if ok && ok2 && name != "" {
		switch kind {
		case "path":
			i := slices.Index(c.scope.Params, name)
			if i < 0 {
				return value{}, fmt.Errorf("the resource's path has no parameter {%s}", name)
			}
			return value{source: fromPath, param: uint16(i)}, nil
		case "querystring":
			return value{source: fromQuery, text: name}, nil
		case "multivaluequerystring":
			return value{source: fromMultiQuery, text: name}, nil
		case "header":
			return value{source: fromHeader, text: name}, nil
		case "multivalueheader":
			return value{source: fromMultiHeader, text: name}, nil
		}
	}
	kinds := "{path|querystring|header}.NAME"
	if c.scope.Route {
		kinds = "{querystring|header}.NAME, route.request.body.PATH"
	}
	return value{}, fmt.Errorf("%q is not a value that can be mapped; use %s%s, "+
		"stageVariables.NAME, context.NAME or a 'literal'", text, c.scope.requestPrefix(), kinds)
}

// requestPrefix begins the names of what came from the client.
func (s *Scope) requestPrefix() string {
	if s.Route {
		return "route.request."
	}
	return "method.request."
}

var stageVariable = regexp.MustCompile(`\$\{stageVariables\.([A-Za-z0-9_]+)\}`)

// Resolve fills in stage variables, "${stageVariables.name}". One that is not set
// is empty, as on AWS.
func Resolve(uri string, variables map[string]string) string {
	return stageVariable.ReplaceAllStringFunc(uri, func(ref string) string {
		return variables[stageVariable.FindStringSubmatch(ref)[1]]
	})
}

// uri compiles the integration's URI: endpoint, path and query.
func (c *compiler) uri(p *Program, uri string, paths map[string]value) error {
	uri = Resolve(uri, c.scope.Variables)
	scheme, rest, _ := strings.Cut(uri, "://")
	switch scheme {
	case "http", "https":
	case "ws", "wss":
		if !p.passThrough {
			return fmt.Errorf("a WebSocket is passed on as it is: the integration's type must be %s", definition.IntegrationHTTPProxy)
		}
		p.WebSocket = true
	default:
		return fmt.Errorf("it must begin with http:// or https://, or with ws:// or wss:// for a WebSocket, once stage variables are filled in")
	}
	p.Endpoint.TLS = scheme == "https" || scheme == "wss"
	at := strings.IndexAny(rest, "/?#")
	if at < 0 {
		at = len(rest)
	}
	if err := p.authority(rest[:at]); err != nil {
		return err
	}
	p.shared = c.scope.sharedFor(rest[:at])
	target := rest[at:]
	if strings.Contains(target, "#") {
		return fmt.Errorf("it must not have a fragment")
	}
	if !strings.HasPrefix(target, "/") {
		target = "/" + target
	}
	p.hasQuery = strings.Contains(target, "?")
	return p.compileTarget(target, paths)
}

func (p *Program) authority(authority string) error {
	host, port := authority, ""
	if strings.HasPrefix(host, "[") {
		end := strings.IndexByte(host, ']')
		if end < 0 {
			return fmt.Errorf("its host has no closing bracket")
		}
		host, port = authority[1:end], authority[end+1:]
		if _, err := netip.ParseAddr(host); err != nil {
			return fmt.Errorf("host %q is not an IPv6 address", host)
		}
	} else if i := strings.IndexByte(host, ':'); i >= 0 {
		host, port = authority[:i], authority[i:]
	}
	if host == "" || strings.ContainsAny(host, "{}@%\\ ") {
		return fmt.Errorf("host %q is not a host name; it cannot hold a parameter", host)
	}
	number := 80
	if p.Endpoint.TLS {
		number = 443
	}
	if port != "" {
		var err error
		if number, err = strconv.Atoi(port[1:]); err != nil || number < 1 || number > 65535 {
			return fmt.Errorf("port %q is not a number from 1 to 65535", port[1:])
		}
	}
	p.Endpoint.Host, p.Endpoint.Port = strings.ToLower(host), uint16(number)
	return nil
}

// compileTarget splits path and query at their {parameters}. The literals
// become parts of one string.
func (p *Program) compileTarget(target string, paths map[string]value) error {
	var literal strings.Builder
	var ends []int // of the literals before the values
	for target != "" {
		open := strings.IndexByte(target, '{')
		if open < 0 {
			literal.WriteString(target)
			break
		}
		end := strings.IndexByte(target[open:], '}')
		if end < 0 {
			return fmt.Errorf("a { has no }")
		}
		name := strings.TrimSuffix(target[open+1:open+end], "+")
		literal.WriteString(target[:open])
		target = target[open+end+1:]
		v, ok := paths[name]
		switch {
		case !ok: // as on AWS: a parameter without a mapping is empty
		case v.source != fromLiteral:
			v.inQuery = strings.Contains(literal.String(), "?")
			p.target = append(p.target, value{}, v)
			ends = append(ends, literal.Len())
		case isDots([]byte(v.text)):
			return fmt.Errorf("{%s} must not be %q", name, v.text)
		default:
			literal.Write(appendEscaped(nil, []byte(v.text), false))
		}
	}
	text := literal.String()
	for i := range len(text) {
		if c := text[i]; c <= ' ' || c >= 0x7f {
			return fmt.Errorf("byte %q must be percent-encoded", c)
		}
	}
	start := 0
	for i, end := range ends {
		p.target[2*i].text = text[start:end]
		start = end
	}
	if start < len(text) || len(ends) == 0 {
		p.target = append(p.target, value{text: text[start:]})
	}
	return nil
}

// responses compiles the integration responses of an HTTP integration.
func (c *compiler) responses(m *definition.Method) ([]response, error) {
	var out []response
	for _, r := range m.Integration.Responses {
		status, err := strconv.Atoi(r.StatusCode)
		if err != nil || status < 200 || status > 599 {
			return nil, fmt.Errorf("responses: status code %q is not a number from 200 to 599", r.StatusCode)
		}
		compiled := response{status: status}
		declared, ok := m.Responses[r.StatusCode]
		compiled.invalid = !ok
		if r.SelectionPattern != "" {
			if compiled.pattern, err = regexp.Compile(`^(?:` + r.SelectionPattern + `)$`); err != nil {
				return nil, fmt.Errorf("responses: selection pattern %q: %w; write it in RE2 syntax", r.SelectionPattern, err)
			}
		}
		for _, key := range slices.Sorted(maps.Keys(r.ResponseParameters)) {
			name, ok := strings.CutPrefix(key, "method.response.header.")
			if !ok || !mappedName.MatchString(name) {
				return nil, fmt.Errorf("responses: %q is not method.response.header.NAME", key)
			}
			if !slices.Contains(declared, key) && !slices.Contains(declared, name) {
				compiled.invalid = true
			}
			v, err := c.responseValue(r.ResponseParameters[key])
			if err != nil {
				return nil, fmt.Errorf("responses: %s: %w", key, err)
			}
			id := http1.FindID([]byte(name))
			if mappedRemap.Has(id) {
				name = remapPrefix + name
			}
			compiled.headers = append(compiled.headers, mapping{name: name, id: id, value: v})
		}
		out = append(out, compiled)
	}
	// The default comes last.
	slices.SortStableFunc(out, func(a, b response) int {
		switch {
		case a.pattern != nil && b.pattern == nil:
			return -1
		case a.pattern == nil && b.pattern != nil:
			return 1
		}
		return 0
	})
	return out, nil
}

func (c *compiler) responseValue(text string) (value, error) {
	if name, ok := strings.CutPrefix(text, "integration.response.header."); ok {
		return value{source: fromHeader, text: name}, nil
	}
	if name, ok := strings.CutPrefix(text, "integration.response.multivalueheader."); ok {
		return value{source: fromMultiHeader, text: name}, nil
	}
	if strings.HasPrefix(text, "integration.response.body") || strings.HasPrefix(text, "method.request.") {
		return value{}, fmt.Errorf("%q is not supported here yet; use integration.response.header.NAME, "+
			"stageVariables.NAME, context.NAME or a 'literal'", text)
	}
	return c.value(text)
}
