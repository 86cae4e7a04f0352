package usage

// idLen is the length of a key's id, [a-z0-9], which makes it a number below
// 36^10: eight bytes instead of a string.
const idLen = 10

// keyNumbers is how many ids there are.
const keyNumbers = 36 * 36 * 36 * 36 * 36 * 36 * 36 * 36 * 36 * 36

// parseID returns the number of a key's id.
func parseID(id string) (number uint64, ok bool) {
	if len(id) != idLen {
		return 0, false
	}
	for i := range len(id) {
		switch c := id[i]; {
		case '0' <= c && c <= '9':
			number = number*36 + uint64(c-'0')
		case 'a' <= c && c <= 'z':
			number = number*36 + uint64(c-'a') + 10
		default:
			return 0, false
		}
	}
	return number, true
}

// appendID appends the id of a key's number.
func appendID(dst []byte, number uint64) []byte {
	var id [idLen]byte
	for i := idLen - 1; i >= 0; i-- {
		id[i] = "0123456789abcdefghijklmnopqrstuvwxyz"[number%36]
		number /= 36
	}
	return append(dst, id[:]...)
}

func formatID(number uint64) string {
	var buf [idLen]byte
	return string(appendID(buf[:0], number))
}
