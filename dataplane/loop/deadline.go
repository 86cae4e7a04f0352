package loop

// deadlines holds one deadline per socket, densely, so that looking at all of
// them touches eight bytes each.
type deadlines struct {
	at   []int64 // nanoseconds, 0 is none
	who  []*Socket
	free []int32
}

func (d *deadlines) add(s *Socket) int32 {
	if n := len(d.free); n > 0 {
		slot := d.free[n-1]
		d.free = d.free[:n-1]
		d.at[slot], d.who[slot] = 0, s
		return slot
	}
	d.at, d.who = append(d.at, 0), append(d.who, s)
	return int32(len(d.at) - 1)
}

func (d *deadlines) remove(slot int32) {
	d.at[slot], d.who[slot] = 0, nil
	d.free = append(d.free, slot)
}

// expire tells every socket whose deadline is past, and returns the nearest
// deadline that is left, or 0.
func (d *deadlines) expire(now int64) (nearest int64) {
	for slot := 0; slot < len(d.at); slot++ { // callbacks may add sockets
		at := d.at[slot]
		if at == 0 {
			continue
		}
		if at > now {
			if nearest == 0 || at < nearest {
				nearest = at
			}
			continue
		}
		d.at[slot] = 0
		d.who[slot].events.OnDeadline(now)
	}
	return nearest
}
