package waf

import (
	"bytes"

	"github.com/tidegate/tidegate/dataplane/http1"
)

// What AWS lets rules look at of headers, and of cookies. All of them are here,
// so that CONTINUE goes on behind it.
const (
	oversizeBytes = 8192
	oversizeCount = 200
)

// viewState is what is known of a view: valid for one request.
type viewState struct {
	request  uint32 // working.request
	from, to int32  // in working.values
	outcome  outcome
}

// look makes sure that it is known what a view has of the request. Only if the
// outcome is inspect do its values count.
func (in *Input) look(a *ACL, n int) *viewState {
	if s := &in.work.views[n]; s.request == in.work.request {
		return s
	}
	return in.fill(a, n)
}

func (in *Input) fill(a *ACL, n int) *viewState {
	w, v := &in.work, &a.views[n]
	from := len(w.values)
	o := in.collect(v)
	if o != inspect {
		w.values = w.values[:from]
	}
	if l := v.literals; l != nil {
		clear(w.candidates[l.word : l.word+l.words])
		for _, text := range w.values[from:] {
			l.search(text, w.candidates)
		}
	}
	w.views[n] = viewState{w.request, int32(from), int32(len(w.values)), o}
	return &w.views[n]
}

// values are those of a view that was looked at.
func (in *Input) values(s *viewState) [][]byte { return in.work.values[s.from:s.to] }

// collect finds the values of a view. A component that the request does not have
// has none.
func (in *Input) collect(v *view) outcome {
	r := in.Request
	switch v.component {
	case ofMethod:
		in.emit(v, in.method())
	case ofPath:
		in.emit(v, r.Path)
	case ofQuery:
		if r.HasQuery {
			in.emit(v, r.Query)
		}
	case ofArgument, ofArguments:
		in.arguments(v)
	case ofHeader:
		in.header(v)
	case ofHeaders:
		return in.headers(v)
	case ofCookie, ofCookies:
		return in.cookies(v)
	case ofBody, ofJSON:
		if len(in.Body) == 0 {
			return inspect
		}
		if in.BodyCut && v.oversize != inspect {
			return v.oversize
		}
		if v.component == ofJSON {
			return in.jsonBody(v)
		}
		in.emit(v, in.Body)
	}
	return inspect
}

// emit adds a value, transformed.
func (in *Input) emit(v *view, b []byte) {
	w := &in.work
	if len(v.chain) > 0 {
		at := len(w.buf)
		w.buf = append(w.buf, b...)
		b = in.transform(v, at)
	}
	w.values = append(w.values, b)
}

// transform applies the transformations to the end of the buffer.
func (in *Input) transform(v *view, at int) []byte {
	w := &in.work
	for _, t := range v.chain {
		w.buf, at = t.Apply(w.buf, at)
	}
	return w.buf[at:]
}

func (in *Input) arguments(v *view) {
	for q := (http1.Query{Rest: in.Request.Query}); q.Next(); {
		if v.component == ofArguments || in.named(q.Name, v.name) {
			in.emit(v, q.Value)
		}
	}
}

// named compares the name of an argument, decoded and in any case.
func (in *Input) named(name []byte, lower string) bool {
	if bytes.IndexByte(name, '%') < 0 && bytes.IndexByte(name, '+') < 0 {
		return http1.EqualFold(name, lower)
	}
	w := &in.work
	at := len(w.buf)
	w.buf = http1.AppendUnescaped(w.buf, name)
	same := http1.EqualFold(w.buf[at:], lower)
	w.buf = w.buf[:at]
	return same
}

func (in *Input) header(v *view) {
	r := in.Request
	if v.id != http1.Other && !r.Present().Has(v.id) {
		return
	}
	for i := range r.Len() {
		if r.ID(i) == v.id && (v.id != http1.Other || http1.EqualFold(r.Name(i), v.name)) {
			in.emit(v, r.Value(i))
		}
	}
}

func (in *Input) headers(v *view) outcome {
	r := in.Request
	if v.oversize != inspect {
		size := 0
		for i := range r.Len() {
			size += len(r.Name(i)) + len(r.Value(i))
		}
		if size > oversizeBytes || r.Len() > oversizeCount {
			return v.oversize
		}
	}
	for i := range r.Len() {
		if v.selects(r.Name(i)) {
			in.pair(v, r.Name(i), r.Value(i))
		}
	}
	return inspect
}

func (in *Input) pair(v *view, key, value []byte) {
	if v.scope&inKeys != 0 {
		in.emit(v, key)
	}
	if v.scope&inValues != 0 {
		in.emit(v, value)
	}
}

// selects says whether a filter lets a header or a cookie be looked at.
func (v *view) selects(name []byte) bool {
	for _, n := range v.names {
		if v.component == ofHeaders && http1.EqualFold(name, n) || v.component == ofCookies && string(name) == n {
			return !v.excluded
		}
	}
	return v.excluded
}

// cookies reads every Cookie field (RFC 6265, section 4.2.1), also where the
// space is missing that it demands.
func (in *Input) cookies(v *view) outcome {
	r := in.Request
	if !r.Present().Has(http1.Cookie) {
		return inspect
	}
	size, count := 0, 0
	for i := range r.Len() {
		if r.ID(i) != http1.Cookie {
			continue
		}
		size += len(r.Value(i))
		for rest := r.Value(i); len(rest) > 0; {
			var pair []byte
			pair, rest, _ = bytes.Cut(rest, []byte{';'})
			if pair = bytes.Trim(pair, " \t"); len(pair) == 0 {
				continue
			}
			count++
			name, value, _ := bytes.Cut(pair, []byte{'='})
			switch {
			case v.component == ofCookies && v.selects(name):
				in.pair(v, name, value)
			case v.component == ofCookie && string(name) == v.name:
				in.emit(v, value)
			}
		}
	}
	if size > oversizeBytes || count > oversizeCount {
		return v.oversize
	}
	return inspect
}
