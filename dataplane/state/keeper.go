package state

import "time"

const (
	// copyDelay is how long after a change a copy is made: changes come in bursts.
	copyDelay = time.Second

	// usageCopyEvery is how often a copy is made when only usage has changed.
	usageCopyEvery = 10 * time.Minute

	// copyRetry is how often one is tried again that could not be made.
	copyRetry = time.Minute

	// copyShare bounds what copying costs: after each, so many times as long as it
	// took there is none.
	copyShare = 20

	// lastCopy bounds how long Close may take for one.
	lastCopy = 2 * time.Second
)

// KeepCopy makes a copy of the state file, and another one after changes, until
// Close: a second after a change of what is defined, every ten minutes if there is
// only usage that the copy does not have, and less often when it takes long. report
// gets the outcome of each, nil for a copy that was made; it must not block. Call it
// once.
func (s *Store) KeepCopy(report func(error)) {
	s.dirty.Store(true)
	s.keeping.Go(func() {
		var took time.Duration
		failed := false
		for s.awaitChange(failed) && s.pause(copyDelay) {
			took, failed = s.tryCopy(report)
			if !s.pause(copyShare * took) {
				break
			}
		}
		if s.dirty.Load() && took < lastCopy {
			s.tryCopy(report)
		}
	})
}

func (s *Store) tryCopy(report func(error)) (took time.Duration, failed bool) {
	began := time.Now()
	s.copying.Store(true)
	defer s.copying.Store(false)
	select { // this copy has what that was for
	case <-s.changed:
	default:
	}
	s.dirty.Store(false) // what comes from now on may not be in it
	s.used.Store(false)
	err := s.copy()
	if err != nil {
		s.dirty.Store(true)
	}
	report(err)
	return time.Since(began), err != nil
}

// CopyDue reports whether there are changes that the copy does not have yet, those of
// usage aside.
func (s *Store) CopyDue() bool { return s.dirty.Load() || s.copying.Load() }

// awaitChange returns when a copy is to be made. It is false when the store is
// closed.
func (s *Store) awaitChange(failed bool) bool {
	if !failed && s.dirty.Load() {
		return true
	}
	began, tick := time.Now(), time.NewTicker(copyRetry)
	defer tick.Stop()
	for {
		select {
		case <-s.closing:
			return false
		case <-s.changed:
			return true
		case <-tick.C:
			if failed || s.used.Load() && time.Since(began) >= usageCopyEvery {
				return true
			}
		}
	}
}

// pause is false when the store is closed.
func (s *Store) pause(d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-s.closing:
		return false
	case <-timer.C:
		return true
	}
}

// noteChange has a copy made soon.
func (s *Store) noteChange() {
	s.dirty.Store(true)
	select {
	case s.changed <- struct{}{}:
	default:
	}
}
