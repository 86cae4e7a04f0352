package telemetry

import "math/rand/v2"

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
