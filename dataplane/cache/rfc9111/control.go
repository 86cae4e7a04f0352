package rfc9111

import "github.com/tidegate/tidegate/dataplane/http1"

// control is the sum of the cache directives of a message. A directive that
// forbids counts in whatever form it comes; one that permits counts only when
// it is well formed.
type control struct {
	flags controlFlags

	maxAge          int64 // in seconds, or absent or invalid; so are all of these
	sMaxAge         int64
	maxStale        int64
	minFresh        int64
	whileRevalidate int64 // stale-while-revalidate
	ifError         int64 // stale-if-error
}

type controlFlags uint16

const (
	noStore controlFlags = 1 << iota
	noCache
	noCacheFields // qualified
	private
	privateFields // qualified
	public
	mustRevalidate
	proxyRevalidate
	mustUnderstand
	onlyIfCached
	// sharedAuthorized: a directive allows a shared cache to store the answer to a
	// request with Authorization (RFC 9111 section 3.5).
	sharedAuthorized
	// doubtful: a quoted string has no end, and so may hide any directive.
	doubtful
)

func (c *control) has(f controlFlags) bool { return c.flags&f != 0 }

var noControl = control{maxAge: absent, sMaxAge: absent, maxStale: absent, minFresh: absent, whileRevalidate: absent, ifError: absent}

// anyAge is what max-stale without an argument permits.
const anyAge = maxDelta

// add takes one directive in.
func (c *control) add(d directive) {
	if d.form == unclosed {
		c.flags |= doubtful | noCache
	}
	switch lookDirective(d.name) {
	case dirMaxAge:
		addDelta(&c.maxAge, d.delta())
	case dirSMaxAge:
		addDelta(&c.sMaxAge, d.delta())
		if c.sMaxAge >= 0 {
			c.flags |= sharedAuthorized
		}
	case dirMaxStale:
		if d.form == noArgument {
			addDelta(&c.maxStale, anyAge)
		} else {
			addDelta(&c.maxStale, d.delta())
		}
	case dirMinFresh:
		addDelta(&c.minFresh, d.delta())
	case dirStaleWhileRevalidate:
		addDelta(&c.whileRevalidate, d.delta())
	case dirStaleIfError:
		addDelta(&c.ifError, d.delta())
	case dirNoStore:
		c.flags |= noStore
	case dirNoCache:
		if d.names() {
			c.flags |= noCacheFields
		} else {
			c.flags |= noCache
		}
	case dirPrivate:
		if d.names() {
			c.flags |= privateFields
		} else {
			c.flags |= private
		}
	case dirPublic:
		if d.form == noArgument {
			c.flags |= public | sharedAuthorized
		}
	case dirMustRevalidate:
		c.flags |= mustRevalidate
		if d.form == noArgument {
			c.flags |= sharedAuthorized
		}
	case dirProxyRevalidate:
		c.flags |= proxyRevalidate
	case dirMustUnderstand:
		if d.form == noArgument {
			c.flags |= mustUnderstand
		}
	case dirOnlyIfCached:
		c.flags |= onlyIfCached
	}
}

// addDelta sets a number of seconds that may have been given before. Of two that
// differ none is believed (RFC 9111 section 4.2.1).
func addDelta(to *int64, value int64) {
	if *to == absent {
		*to = value
	} else if *to != value {
		*to = invalid
	}
}

// addList takes in the directives of one field line.
func (c *control) addList(list []byte) {
	for len(list) > 0 {
		var d directive
		d, list = nextDirective(list)
		c.add(d)
	}
}

// addLines takes in all lines of a field.
func (c *control) addLines(h *http1.Headers, id http1.ID) {
	for i := range h.Len() {
		if h.ID(i) == id {
			c.addList(h.Value(i))
		}
	}
}

// readControl returns the directives of a response: those of CDN-Cache-Control
// if that is present, valid and not empty, and otherwise those of Cache-Control
// (RFC 9213 section 2.2).
func readControl(h *http1.Headers) (c control, targeted bool) {
	c = noControl
	if d, ok := readDictionary(h, http1.CDNCacheControl); ok {
		d.each(c.add)
		return c, true
	}
	c.addLines(h, http1.CacheControl)
	return c, false
}

type dirID uint8

const (
	dirUnknown dirID = iota // ignored (RFC 9111 section 5.2.3)
	dirMaxAge
	dirSMaxAge
	dirMaxStale
	dirMinFresh
	dirStaleWhileRevalidate
	dirStaleIfError
	dirNoStore
	dirNoCache
	dirPrivate
	dirPublic
	dirMustRevalidate
	dirProxyRevalidate
	dirMustUnderstand
	dirOnlyIfCached
	numDirs
)

var dirNames = [numDirs]string{
	dirMaxAge: "max-age", dirSMaxAge: "s-maxage", dirMaxStale: "max-stale", dirMinFresh: "min-fresh",
	dirStaleWhileRevalidate: "stale-while-revalidate", dirStaleIfError: "stale-if-error",
	dirNoStore: "no-store", dirNoCache: "no-cache", dirPrivate: "private", dirPublic: "public",
	dirMustRevalidate: "must-revalidate", dirProxyRevalidate: "proxy-revalidate",
	dirMustUnderstand: "must-understand", dirOnlyIfCached: "only-if-cached",
}

func lookDirective(name []byte) dirID {
	if len(name) == 0 {
		return dirUnknown
	}
	for id := dirUnknown + 1; id < numDirs; id++ {
		if http1.EqualFold(name, dirNames[id]) {
			return id
		}
	}
	return dirUnknown
}
