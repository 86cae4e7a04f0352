package health

// Counts are requests that have ended, by what became of them.
type Counts struct{ Answered, Failed int64 }

func (c Counts) sub(d Counts) Counts { return Counts{c.Answered - d.Answered, c.Failed - d.Failed} }
func (c Counts) add(d Counts) Counts { return Counts{c.Answered + d.Answered, c.Failed + d.Failed} }
func (c Counts) total() int64        { return c.Answered + c.Failed }

// reaches reports whether so large a share of the requests failed.
func (c Counts) reaches(rate float64) bool {
	return c.Failed > 0 && float64(c.Failed) >= rate*float64(c.total())
}

// slots is how many parts a window moves on by.
const slots = 10

// window counts what ended lately: between nine and ten tenths of its width ago.
type window struct {
	slot [slots]Counts
	at   int64 // number of the newest slot, since time 0
}

// add counts d at a time. width is the whole window's, in nanoseconds.
func (w *window) add(now, width int64, d Counts) {
	w.move(now, width)
	i := w.at % slots
	w.slot[i] = w.slot[i].add(d)
}

// move forgets what is too old.
func (w *window) move(now, width int64) {
	at := now / max(width/slots, 1)
	for n := min(at-w.at, slots); n > 0; n-- {
		w.slot[(at-n+1)%slots] = Counts{}
	}
	w.at = max(w.at, at)
}

func (w *window) sum() (all Counts) {
	for _, c := range w.slot {
		all = all.add(c)
	}
	return all
}

// reset forgets everything.
func (w *window) reset() { w.slot = [slots]Counts{} }
