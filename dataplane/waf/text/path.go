package text

// normalizePath takes out repeated slashes, "." segments, and ".." segments with
// what they go back over. Those that go back over the beginning of a relative
// path stay; at the root they go. A slash at the end stays.
func normalizePath(b []byte) int {
	rooted := len(b) > 0 && b[0] == '/'
	slash := len(b) > 0 && b[len(b)-1] == '/'
	n, floor := 0, 0 // nothing before floor can be gone back over
	if rooted {
		n, floor = 1, 1
	}
	for i := 0; i < len(b); i++ {
		start := i
		for i < len(b) && b[i] != '/' {
			i++
		}
		segment := b[start:i]
		up := string(segment) == ".."
		switch {
		case len(segment) == 0, string(segment) == ".", up && rooted && n == floor:
			continue
		case up && n > floor:
			for n--; n > floor && b[n] != '/'; n-- {
			}
			continue
		}
		if n > 0 && b[n-1] != '/' {
			b[n] = '/'
			n++
		}
		n += copy(b[n:], segment)
		if up {
			floor = n
		}
	}
	if slash && n > 0 && b[n-1] != '/' {
		b[n] = '/'
		n++
	}
	return n
}
