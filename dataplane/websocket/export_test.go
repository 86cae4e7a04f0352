package websocket

// UnderRace is for the tests outside the package.
const UnderRace = underRace

// HeldNow returns the bytes held at this moment.
func (h *Hub) HeldNow() (n int64) {
	for _, sh := range h.shards {
		sh.loop.Do(func() { n += sh.stats.Held })
	}
	return n
}

// TakeRoom takes room for so many bytes held from the others of all loops, and
// gives it back if negative.
func (h *Hub) TakeRoom(n int64) {
	for _, sh := range h.shards {
		sh.loop.Do(func() { sh.stats.Held += n })
	}
}
