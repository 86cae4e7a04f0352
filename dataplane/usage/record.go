package usage

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"strings"

	"github.com/tidegate/tidegate/dataplane/definition"
	"github.com/tidegate/tidegate/limiter"
)

// A segment of the journal is its magic, which has the version of the format,
// and then records of one size, little endian:
//
//	 0  CRC-32C of the rest
//	 4  period of the quota, 0 for none
//	 5  zeros
//	 8  key, its id as a number in base 36
//	16  id of the plan, zeros behind it
//	32  day, used, remaining, window, window used, granted: 8 bytes each
const (
	magic      = "tidegate usage 1"
	recordSize = 80
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// appendRecord appends t as a record.
func appendRecord(dst []byte, t total) []byte {
	start := len(dst)
	dst = append(dst, 0, 0, 0, 0, byte(t.period()), 0, 0, 0)
	dst = binary.LittleEndian.AppendUint64(dst, t.key)
	var plan [maxPlanID]byte
	copy(plan[:], t.PlanID)
	dst = append(dst, plan[:]...)
	for _, v := range [...]int64{t.Day, t.Used, t.Remaining, t.Window, t.WindowUsed, t.Granted} {
		dst = binary.LittleEndian.AppendUint64(dst, uint64(v))
	}
	sealRecord(dst[start:])
	return dst
}

func sealRecord(b []byte) {
	binary.LittleEndian.PutUint32(b, crc32.Checksum(b[4:], castagnoli))
}

func (t *total) period() limiter.Period {
	p, err := parsePeriod(t.Period)
	if err != nil {
		return 0
	}
	return p
}

// parseRecord returns what a record of recordSize bytes says, false when it is
// damaged.
func parseRecord(b []byte) (t total, ok bool) {
	if binary.LittleEndian.Uint32(b) != crc32.Checksum(b[4:], castagnoli) {
		return t, false
	}
	t.key = binary.LittleEndian.Uint64(b[8:])
	t.PlanID = string(bytes.TrimRight(b[16:32], "\x00"))
	for i, v := range [...]*int64{&t.Day, &t.Used, &t.Remaining, &t.Window, &t.WindowUsed, &t.Granted} {
		*v = int64(binary.LittleEndian.Uint64(b[32+8*i:]))
	}
	if period := limiter.Period(b[4]); period != 0 {
		t.Period = period.String()
	}
	ok = t.key < keyNumbers && validPlanID(t.PlanID) && b[4] <= byte(limiter.Month) &&
		t.Used >= 0 && t.Remaining >= definition.NoQuota && t.WindowUsed >= 0
	return t, ok
}

// readSegment calls f with the records of a segment up to the first that is
// damaged or incomplete, and returns whether there was one: the segment was
// being written when the host stopped. The error says that it is no segment or
// cannot be read.
func readSegment(r io.Reader, f func(total)) (torn bool, err error) {
	in := bufio.NewReaderSize(r, 1<<16)
	head := make([]byte, len(magic))
	n, err := io.ReadFull(in, head)
	// Of what was never synced the length may be there without the bytes.
	begun := bytes.TrimRight(head[:n], "\x00")
	switch {
	case len(begun) < len(magic) && strings.HasPrefix(magic, string(begun)) && (err == nil || isEnd(err)):
		return n > 0, nil
	case err != nil && !isEnd(err):
		return false, err
	case err != nil || string(head) != magic:
		return false, fmt.Errorf("it does not begin with %q; it is not ours, or of another version: move it away", magic)
	}
	var b [recordSize]byte
	for {
		if _, err := io.ReadFull(in, b[:]); isEnd(err) {
			return err != io.EOF, nil
		} else if err != nil {
			return false, err
		}
		t, ok := parseRecord(b[:])
		if !ok {
			return true, nil
		}
		f(t)
	}
}

func isEnd(err error) bool { return err == io.EOF || errors.Is(err, io.ErrUnexpectedEOF) }
