package http1

// maxChunkExtension and maxTrailer bound what is read and thrown away, in bytes
// per chunk and per body.
const (
	maxChunkExtension = 256
	maxTrailer        = 8 << 10
)

type chunkState uint8

const (
	chunkSize chunkState = iota // at the first digit
	chunkSizeMore
	chunkExtension
	chunkSizeLF
	chunkData
	chunkDataCR
	chunkDataLF
	chunkTrailerStart
	chunkTrailerName
	chunkTrailer
	chunkTrailerLF
	chunkEndLF
	chunkDone
)

// Chunked decodes a chunked body (RFC 9112 section 7.1) from pieces of any
// size. Extensions and trailers are checked and thrown away. The zero value is
// at the start of a body.
type Chunked struct {
	left    int64 // bytes of data left in the chunk; its size while that is read
	skipped int   // bytes of extension or trailer
	digits  uint8
	state   chunkState
}

// Done reports whether the whole body has been read.
func (c *Chunked) Done() bool { return c.state == chunkDone }

// Announced returns the bytes of data that the chunk being read has yet to bring.
func (c *Chunked) Announced() int64 {
	if c.state != chunkData {
		return 0
	}
	return c.left
}

// Next reads from buf. It returns the data at the front of what it read, which
// is part of buf and may be empty, and how many bytes it consumed. It stops
// after one run of data, at the end of the body, or at the end of buf; call it
// again with the rest until Done, or until nothing is left.
func (c *Chunked) Next(buf []byte) (data []byte, n int, fault Fault) {
	for n < len(buf) && c.state != chunkDone {
		b := buf[n]
		switch c.state {
		case chunkSize, chunkSizeMore:
			if d := unhex(b); d >= 0 {
				if c.digits++; c.digits > 15 {
					return nil, n, FaultChunk
				}
				c.left = c.left<<4 | int64(d)
				c.state = chunkSizeMore
			} else if c.state == chunkSize {
				return nil, n, FaultChunk
			} else if b == ';' {
				c.state = chunkExtension
			} else if b == '\r' {
				c.state = chunkSizeLF
			} else {
				return nil, n, FaultChunk
			}
			n++
		case chunkExtension:
			if b == '\r' {
				c.state = chunkSizeLF
			} else if c.skipped++; !isFieldValue[b] || c.skipped > maxChunkExtension {
				return nil, n, FaultChunk
			}
			n++
		case chunkSizeLF:
			if b != '\n' {
				return nil, n, FaultChunk
			}
			n++
			c.digits, c.skipped = 0, 0
			if c.state = chunkData; c.left == 0 {
				c.state = chunkTrailerStart
			}
		case chunkData:
			take := int(min(int64(len(buf)-n), c.left))
			data = buf[n : n+take]
			n += take
			if c.left -= int64(take); c.left == 0 {
				c.state = chunkDataCR
			}
			return data, n, 0
		case chunkDataCR:
			if b != '\r' {
				return nil, n, FaultChunk
			}
			c.state = chunkDataLF
			n++
		case chunkDataLF:
			if b != '\n' {
				return nil, n, FaultChunk
			}
			c.state = chunkSize
			n++
		case chunkTrailerStart:
			if b == '\r' {
				c.state = chunkEndLF
			} else if !isToken[b] {
				return nil, n, FaultChunk
			} else {
				c.skipped++
				c.state = chunkTrailerName
			}
			n++
		case chunkTrailerName:
			if b == ':' {
				c.state = chunkTrailer
			} else if !isToken[b] {
				return nil, n, FaultChunk
			}
			if c.skipped++; c.skipped > maxTrailer {
				return nil, n, FaultChunk
			}
			n++
		case chunkTrailer:
			if b == '\r' {
				c.state = chunkTrailerLF
			} else if c.skipped++; !isFieldValue[b] || c.skipped > maxTrailer {
				return nil, n, FaultChunk
			}
			n++
		case chunkTrailerLF:
			if b != '\n' {
				return nil, n, FaultChunk
			}
			c.state = chunkTrailerStart
			n++
		case chunkEndLF:
			if b != '\n' {
				return nil, n, FaultChunk
			}
			c.state = chunkDone
			n++
		}
	}
	return nil, n, 0
}

// Compact decodes as much of buf as there is, moving the data to its front.
// It returns the data and how many bytes of buf it consumed: all of them, or up
// to the end of the body.
func (c *Chunked) Compact(buf []byte) (data []byte, n int, fault Fault) {
	w := 0
	for n < len(buf) && !c.Done() {
		piece, used, fault := c.Next(buf[n:])
		if fault != 0 {
			return nil, n, fault
		}
		n += used
		w += copy(buf[w:], piece)
	}
	return buf[:w], n, 0
}
