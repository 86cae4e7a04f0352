package rfc9111

import (
	"bytes"
	"encoding/binary"
	"slices"

	"github.com/tidegate/tidegate/dataplane/http1"
)

// Bounds on what one resource may vary on. A response beyond them is not stored.
const (
	maxSelecting      = 16
	maxSelectingBytes = 512
)

// An Index is what is stored under the primary key of a resource whose responses
// vary: the names of the selecting header fields (RFC 9111 section 4.1). The
// responses themselves are stored under keys made with them.
//
// An index has the names of all responses since it was first made, so each
// variant is told apart by at least its own. It also has a mark of its own in
// those keys: once it is deleted, no new index leads to the old variants.
type Index struct {
	mark  uint64
	names []byte // lower case, sorted, each with a NUL behind it
}

const (
	indexMark  = 0xc2
	indexBytes = 9
)

// Empty reports whether responses do not vary and are stored under the primary
// key.
func (x *Index) Empty() bool { return len(x.names) == 0 }

// DecodeIndex reads what [MergeIndex] made. It is not ok for anything else.
func DecodeIndex(meta []byte) (x Index, ok bool) {
	if len(meta) <= indexBytes || meta[0] != indexMark || meta[len(meta)-1] != 0 {
		return Index{}, false
	}
	return Index{mark: binary.LittleEndian.Uint64(meta[1:]), names: meta[indexBytes:]}, true
}

// MergeIndex returns the index under which s is to be stored, when old, which may
// be empty, is there. If it changed, its encoding is appended to dst; it then has
// to be stored under the primary key. The index must be kept at least as long as
// any of its variants.
func MergeIndex(dst []byte, old Index, s *Stored) (out []byte, x Index, changed bool) {
	var own []byte
	for rest := s.Fields; len(rest) > 0; {
		var l line
		if l, rest = nextLine(rest); l.id == http1.Vary {
			own = appendNames(own, l.value)
		}
	}
	names := sortNames(slices.Concat(old.names, own))
	if bytes.Equal(names, old.names) {
		return dst, old, false
	}
	if !bearable(names) {
		names = sortNames(own)
	}
	start := len(dst)
	dst = append(dst, indexMark)
	dst = binary.LittleEndian.AppendUint64(dst, uint64(s.responseTime))
	dst = append(dst, names...)
	x, _ = DecodeIndex(dst[start:])
	return dst, x, true
}

// AppendKey appends to dst, which is the primary key, what makes it the key of
// the variant for the request.
func (x *Index) AppendKey(dst []byte, r *http1.Request) []byte {
	dst = append(dst, 0)
	dst = binary.LittleEndian.AppendUint64(dst, x.mark)
	dst = append(dst, x.names...)
	for names := x.names; len(names) > 0; {
		end := bytes.IndexByte(names, 0)
		dst = appendSelecting(dst, r, names[:end])
		names = names[end+1:]
	}
	return dst
}

// appendVary appends the names that Vary lists. It is not ok when that can never
// match: for "*" (RFC 9111 section 4.1), what is no name, or too much.
func appendVary(dst []byte, h *http1.Headers) (names []byte, ok bool) {
	for i := range h.Len() {
		if h.ID(i) != http1.Vary {
			continue
		}
		for list := h.Value(i); len(list) > 0; {
			var name []byte
			name, list = nextElement(list)
			for _, c := range name {
				if !isToken[c] || c == '*' {
					return nil, false
				}
			}
		}
		dst = appendNames(dst, h.Value(i))
	}
	dst = sortNames(dst)
	return dst, bearable(dst)
}

func bearable(names []byte) bool {
	return len(names) <= maxSelectingBytes && bytes.Count(names, []byte{0}) <= maxSelecting
}

func appendNames(dst, list []byte) []byte {
	for len(list) > 0 {
		var name []byte
		if name, list = nextElement(list); len(name) > 0 {
			dst = append(append(dst, bytes.ToLower(name)...), 0)
		}
	}
	return dst
}

func sortNames(names []byte) []byte {
	if len(names) == 0 {
		return nil
	}
	all := bytes.Split(names[:len(names)-1], []byte{0})
	slices.SortFunc(all, bytes.Compare)
	all = slices.CompactFunc(all, bytes.Equal)
	return append(bytes.Join(all, []byte{0}), 0)
}
