package telemetry

import (
	"encoding/binary"
	"encoding/hex"
	"math/rand/v2"
)

const idDigits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"

// AppendExtendedID appends an extended request id, by which logs and answers name
// a request: 15 characters and "=".
func AppendExtendedID(dst []byte, random *rand.ChaCha8) []byte {
	v := random.Uint64()
	for range 10 {
		dst = append(dst, idDigits[v&63])
		v >>= 6
	}
	v = random.Uint64()
	for range 5 {
		dst = append(dst, idDigits[v&63])
		v >>= 6
	}
	return append(dst, '=')
}

// AppendTraceID appends an X-Amzn-Trace-Id for a trace that begins here. wall is
// in nanoseconds since the Unix epoch.
//
// Source: https://docs.aws.amazon.com/xray/latest/devguide/xray-concepts.html#xray-concepts-traceids
func AppendTraceID(dst []byte, wall int64, random *rand.ChaCha8) []byte {
	var id [16]byte
	binary.BigEndian.PutUint32(id[:], uint32(wall/1e9))
	binary.BigEndian.PutUint32(id[4:], uint32(random.Uint64()))
	binary.BigEndian.PutUint64(id[8:], random.Uint64())
	dst = append(dst, "Root=1-"...)
	dst = append(hex.AppendEncode(dst, id[:4]), '-')
	return hex.AppendEncode(dst, id[4:])
}
