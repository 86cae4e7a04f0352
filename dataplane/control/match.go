package control

import (
	"cmp"
	"net/url"
	"strings"
)

// operation is one row of the table of operations.
type operation struct {
	name   string
	method string
	path   string // segments; {name} stands for any one segment
	mode   string // value the query parameter "mode" must have
	reads  bool   // changes nothing although it is not a GET
	body   int    // the most bytes of a body; maxBody when 0
	serve  func(*Server, *request) (status int, answer any, err error)
}

func (o *operation) maxBody() int { return cmp.Or(o.body, maxBody) }

func (o *operation) writes() bool { return o.method != "GET" && !o.reads }

// request is one call of an operation.
type request struct {
	operation *operation
	params    map[string]string // from the path, percent-decoded
	query     url.Values
	body      []byte
	id        string
	peer      Peer
	made      string // id of what the operation created, for the audit line
	network   string // that the operation is about, for the audit line
}

func (r *request) apiID() string { return r.params["api"] }

// match finds the operation that the method and the raw request target mean.
// The target is taken as it was sent: no dot segments, no double slashes.
func match(method, target string) (*operation, map[string]string, url.Values, error) {
	raw, rawQuery, _ := strings.Cut(target, "?")
	query, err := url.ParseQuery(rawQuery)
	if err != nil {
		return nil, nil, nil, badRequest("Invalid query string: %v", err)
	}
	if !strings.HasPrefix(raw, "/") {
		return nil, nil, nil, notFound("There is no operation %s %s", method, raw)
	}
	segments := strings.Split(strings.TrimSuffix(raw[1:], "/"), "/")
	for i := range segments {
		if segments[i], err = url.PathUnescape(segments[i]); err != nil {
			return nil, nil, nil, badRequest("Invalid path: %v", err)
		}
	}
	for i := range operations {
		o := &operations[i]
		if o.method != method || o.mode != "" && o.mode != query.Get("mode") {
			continue
		}
		if params, ok := matchPath(o.path, segments); ok {
			return o, params, query, nil
		}
	}
	return nil, nil, nil, notFound("There is no operation %s %s", method, raw)
}

func matchPath(path string, segments []string) (map[string]string, bool) {
	pattern := strings.Split(path[1:], "/")
	if len(pattern) != len(segments) {
		return nil, false
	}
	var params map[string]string
	for i, p := range pattern {
		if !strings.HasPrefix(p, "{") {
			if p != segments[i] {
				return nil, false
			}
			continue
		}
		if segments[i] == "" {
			return nil, false
		}
		if params == nil {
			params = make(map[string]string, 2)
		}
		params[strings.Trim(p, "{}")] = segments[i]
	}
	return params, true
}
