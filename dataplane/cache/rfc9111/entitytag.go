package rfc9111

import "bytes"

// entityTag is an entity-tag (RFC 9110 section 8.8.3).
type entityTag struct {
	opaque []byte // without quotes
	weak   bool
}

// nextTag cuts the first tag off a list. Some servers leave out the quotes, and
// their clients send back what they got: what has none ends at a comma. ok is
// false when no tag is left.
func nextTag(b []byte) (tag entityTag, rest []byte, ok bool) {
	for len(b) > 0 && (isSpace(b[0]) || b[0] == ',') {
		b = b[1:]
	}
	if len(b) == 0 {
		return entityTag{}, nil, false
	}
	if bytes.HasPrefix(b, []byte(`W/`)) {
		tag.weak, b = true, b[2:]
	}
	if len(b) > 0 && b[0] == '"' {
		if end := bytes.IndexByte(b[1:], '"'); end >= 0 {
			tag.opaque = b[1 : 1+end]
			return tag, b[end+2:], true
		}
	}
	tag.opaque, rest = nextElement(b)
	return tag, rest, true
}

// parseTag reads a value that is one tag and nothing else.
func parseTag(b []byte) (tag entityTag, ok bool) {
	tag, rest, ok := nextTag(b)
	return tag, ok && len(trim(rest)) == 0
}

// strong is the strong comparison, weakly the weak one (RFC 9110 section
// 8.8.3.2).
func (t entityTag) strong(o entityTag) bool {
	return !t.weak && !o.weak && bytes.Equal(t.opaque, o.opaque)
}

func (t entityTag) weakly(o entityTag) bool { return bytes.Equal(t.opaque, o.opaque) }
