package rfc9111

import (
	"bytes"

	"github.com/tidegate/tidegate/dataplane/http1"
)

// notStored are the fields of one connection or one proxy (RFC 9111 section
// 3.1), and those that every answer has of its own.
var notStored = http1.NewSet(http1.Connection, http1.KeepAlive, http1.ProxyConnection, http1.TE, http1.Trailer,
	http1.TransferEncoding, http1.Upgrade, http1.ProxyAuthenticate, http1.ProxyAuthorization,
	http1.Age, http1.ContentLength, http1.ContentRange)

// proxyInfo is the one of them that has no ID.
const proxyInfo = "proxy-authentication-info"

// hopByHop reports whether line i is for the last connection only.
func hopByHop(r *http1.Response, i int) bool {
	if r.ID(i) == http1.Other && http1.EqualFold(r.Name(i), proxyInfo) {
		return true
	}
	return notStored.Has(r.ID(i)) || nominated(r, r.Name(i))
}

// nominated reports whether a Connection field lists name (RFC 9110 section
// 7.6.1).
func nominated(r *http1.Response, name []byte) bool {
	if !r.Present().Has(http1.Connection) {
		return false
	}
	for i := range r.Len() {
		if r.ID(i) == http1.Connection && listed(r.Value(i), name) {
			return true
		}
	}
	return false
}

func listed(list, name []byte) bool {
	for len(list) > 0 {
		var e []byte
		if e, list = nextElement(list); equalFold(e, name) {
			return true
		}
	}
	return false
}

// withheld reports whether no-cache or private, in their qualified forms, keep
// the field out of the store.
func withheld(r *http1.Response, c *control, targeted bool, name []byte) bool {
	if !c.has(noCacheFields | privateFields) {
		return false
	}
	found := false
	look := func(d directive) {
		switch lookDirective(d.name) {
		case dirNoCache, dirPrivate:
			found = found || d.names() && listed(d.arg, name)
		}
	}
	if targeted {
		d, _ := readDictionary(&r.Headers, http1.CDNCacheControl)
		d.each(look)
		return found
	}
	for i := range r.Len() {
		if r.ID(i) != http1.CacheControl {
			continue
		}
		for list := r.Value(i); len(list) > 0; {
			var d directive
			d, list = nextDirective(list)
			look(d)
		}
	}
	return found
}

// refuseFields has the fields that keep a response out of the store.
func refuseFields(r *http1.Response, c *control, targeted bool) Refusal {
	for i := range r.Len() {
		switch r.ID(i) {
		case http1.SetCookie:
			if !withheld(r, c, targeted, r.Name(i)) {
				return RefusedSetCookie
			}
		case http1.Vary: // has to be there when the response is updated
			if hopByHop(r, i) || withheld(r, c, targeted, r.Name(i)) {
				return RefusedVary
			}
		}
	}
	if _, ok := appendVary(nil, &r.Headers); !ok {
		return RefusedVary
	}
	return Admitted
}

// appendStoredFields appends the field lines to store, and says where the
// validators are. A response has a Date, if need be that of its arrival (RFC
// 9110 section 6.6.1).
func appendStoredFields(dst []byte, r *http1.Response, c *control, targeted bool, o *origin) (out []byte, tag, modified span) {
	start := len(dst)
	dated := false
	for i := range r.Len() {
		id := r.ID(i)
		if hopByHop(r, i) || withheld(r, c, targeted, r.Name(i)) || id == http1.Date && !o.hasDate {
			continue
		}
		line := len(dst) - start
		dst = r.AppendLine(dst, i)
		if id != http1.Date && id != http1.ETag && id != http1.LastModified {
			continue
		}
		v := r.Value(i)
		at := span{line + bytes.LastIndex(dst[start+line:], v), len(v)}
		switch id {
		case http1.Date:
			dated = true
		case http1.ETag:
			tag = at
		case http1.LastModified:
			modified = at
		}
	}
	if !dated {
		dst = append(dst, "Date: "...)
		dst = appendDate(dst, o.date)
		dst = append(dst, "\r\n"...)
	}
	v, ok := single(&r.Headers, http1.ETag)
	if _, valid := parseTag(v); !ok || !valid {
		tag = span{}
	}
	return dst, tag, modified
}
