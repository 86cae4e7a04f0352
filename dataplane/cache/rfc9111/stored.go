package rfc9111

import "encoding/binary"

// Stored is a stored response without its body. Its slices point into the
// metadata it was decoded from.
type Stored struct {
	Status int
	// Fields are the field lines to send, in the order received. Those that are
	// for one connection or one request only are not among them, nor are Age and
	// Content-Length.
	Fields []byte

	flags           storedFlags
	responseTime    int64 // nanoseconds since the epoch
	initialAge      int64 // corrected_initial_age, in nanoseconds
	lifetime        int64 // freshness_lifetime; in seconds, as are the following
	whileRevalidate int64
	ifError         int64
	date            int64 // since the epoch
	lastModified    int64 // since the epoch
	entityTag       []byte
	modified        []byte // Last-Modified as received
}

type storedFlags uint8

const (
	// validateAlways: the response has no-cache (RFC 9111 section 5.2.2.4).
	validateAlways storedFlags = 1 << iota
	// neverStale: it has must-revalidate, proxy-revalidate or s-maxage (RFC 9111
	// section 4.2.4).
	neverStale
	hasModified
)

// Stored metadata has a head of fixed length and the field lines.
//
//	 0  storedMark
//	 1  flags
//	 2  status, 2 bytes
//	 4  lifetime, 4 bytes, as the next two
//	 8  stale-while-revalidate
//	12  stale-if-error
//	16  response time, 8 bytes, as the next three
//	24  corrected initial age
//	32  date
//	40  last modified
//	48  where in the field lines the entity tag is, 4 bytes, and its length
//	56  the same for Last-Modified
//	64  field lines
const (
	storedMark  = 0xc1
	storedBytes = 64
)

// Decode reads what [Admit] made. It is not ok for anything else.
func Decode(meta []byte) (s Stored, ok bool) {
	if len(meta) < storedBytes || meta[0] != storedMark {
		return Stored{}, false
	}
	u32 := func(at int) int64 { return int64(binary.LittleEndian.Uint32(meta[at:])) }
	i64 := func(at int) int64 { return int64(binary.LittleEndian.Uint64(meta[at:])) }
	s = Stored{
		Status:          int(binary.LittleEndian.Uint16(meta[2:])),
		Fields:          meta[storedBytes:],
		flags:           storedFlags(meta[1]),
		lifetime:        u32(4),
		whileRevalidate: u32(8),
		ifError:         u32(12),
		responseTime:    i64(16),
		initialAge:      i64(24),
		date:            i64(32),
		lastModified:    i64(40),
	}
	tagAt, tagEnd := u32(48), u32(48)+u32(52)
	modifiedAt, modifiedEnd := u32(56), u32(56)+u32(60)
	if tagEnd > int64(len(s.Fields)) || modifiedEnd > int64(len(s.Fields)) || s.Status < 200 || s.Status > 599 ||
		s.initialAge < 0 || s.initialAge > maxDelta*second || s.responseTime < 0 {
		return Stored{}, false
	}
	s.entityTag = s.Fields[tagAt:tagEnd]
	s.modified = s.Fields[modifiedAt:modifiedEnd]
	return s, true
}

// span is where a value stands in the field lines.
type span struct{ at, len int }

// putHead fills the room before the field lines.
func putHead(meta []byte, s *Stored, tag, modified span) {
	meta[0], meta[1] = storedMark, byte(s.flags)
	binary.LittleEndian.PutUint16(meta[2:], uint16(s.Status))
	for i, v := range []int64{s.lifetime, s.whileRevalidate, s.ifError} {
		binary.LittleEndian.PutUint32(meta[4+4*i:], uint32(v))
	}
	for i, v := range []int64{s.responseTime, s.initialAge, s.date, s.lastModified} {
		binary.LittleEndian.PutUint64(meta[16+8*i:], uint64(v))
	}
	for i, v := range []int{tag.at, tag.len, modified.at, modified.len} {
		binary.LittleEndian.PutUint32(meta[48+4*i:], uint32(v))
	}
}

func (s *Stored) has(f storedFlags) bool { return s.flags&f != 0 }

// hasValidator reports whether a validation can say that nothing changed.
func (s *Stored) hasValidator() bool { return len(s.entityTag) > 0 || s.has(hasModified) }

// age returns the current_age in nanoseconds (RFC 9111 section 4.2.3). A clock
// that went back makes nothing younger.
func (s *Stored) age(now int64) int64 { return s.initialAge + max(now-s.responseTime, 0) }

// Age returns the current age in seconds, as the Age field has it.
func (s *Stored) Age(now int64) int64 { return min(s.age(now)/second, maxDelta) }

// TTL returns what is left of the freshness lifetime in seconds; it is negative
// for a stale response.
func (s *Stored) TTL(now int64) int64 { return s.lifetime - s.Age(now) }

// fresh is response_is_fresh of RFC 9111 section 4.2.
func (s *Stored) fresh(now int64) bool { return s.lifetime*second > s.age(now) }

// staleFor reports whether the response became stale at most so many seconds
// ago.
func (s *Stored) staleFor(now, seconds int64) bool {
	return s.age(now)-s.lifetime*second <= seconds*second
}
