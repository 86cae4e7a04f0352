package cachestore

import (
	"bufio"
	"context"
	"errors"
	"io"
	"os"
)

// Load stores what [Store.Save] wrote to path and returns how many entries that
// were. Their deadlines go on from where they are by wall, the Unix nanoseconds
// at now; a wall clock that was set back makes no entry live longer.
//
// A file serves once: it is removed first, so that a later start cannot bring
// back what was flushed or replaced since. For the same reason load before the
// first request. No file is no error, and no entry.
//
// With [ErrDamaged] the entries before the damage were loaded. Each is as it was
// saved: the file is decrypted and compared frame by frame before it is believed.
func (s *Store) Load(ctx context.Context, path string, secret []byte, now, wall int64) (entries int, err error) {
	file, err := os.Open(path)
	if errors.Is(err, os.ErrNotExist) {
		return 0, nil
	}
	if err != nil {
		return 0, err
	}
	defer file.Close()
	if err := errors.Join(os.Remove(path), syncFolder(path)); err != nil {
		return 0, err
	}
	return s.read(ctx, bufio.NewReaderSize(file, frameBytes), secret, now, wall)
}

// read loads a saved file from r.
func (s *Store) read(ctx context.Context, r io.Reader, secret []byte, now, wall int64) (int, error) {
	head, saved, err := readHead(r)
	if err != nil {
		return 0, err
	}
	f, err := newFrames(secret, head)
	if err != nil {
		return 0, err
	}
	l := loading{store: s, now: now, shift: now - max(wall, saved), keys: map[uint64]Key{}}
	for !l.ended {
		if err := ctx.Err(); err != nil {
			return l.entries, err
		}
		plain, err := f.read(r)
		if err != nil {
			return l.entries, err
		}
		if err := l.frame(plain); err != nil {
			return l.entries, err
		}
	}
	if n, _ := io.ReadFull(r, make([]byte, 1)); n != 0 {
		return l.entries, ErrDamaged
	}
	return l.entries, nil
}

type loading struct {
	store   *Store
	now     int64
	shift   int64          // from Unix time to now's clock
	keys    map[uint64]Key // how the keys of a group begin, by its number in the file
	entries int
	ended   bool
}

func (l *loading) frame(plain []byte) error {
	in := scanner{rest: plain}
	for len(in.rest) > 0 && !in.failed && !l.ended {
		switch kind := in.rest[0]; kind {
		case groupRecord:
			in.rest = in.rest[1:]
			number, name := in.uvarint(), in.bytes()
			if !in.failed {
				l.keys[number] = l.store.Group(string(name)).Key(nil)
			}
		case entryRecord:
			in.rest = in.rest[1:]
			e := in.entry()
			if err := l.entry(&e, in.failed); err != nil {
				return err
			}
		case endRecord:
			l.ended = true
			in.failed = len(in.rest) != 1
		default:
			in.failed = true
		}
	}
	if in.failed {
		return ErrDamaged
	}
	return nil
}

func (l *loading) entry(e *savedEntry, failed bool) error {
	prefix := l.keys[e.group]
	if failed || prefix == nil {
		return ErrDamaged
	}
	e.FreshUntil, e.KeepUntil = shift(e.FreshUntil, l.shift), shift(e.KeepUntil, l.shift)
	if e.state(l.now) == Miss {
		return nil
	}
	key := append(prefix[:keyPrefix:keyPrefix], e.rest...)
	switch err := l.store.Set(key, e.Entry); {
	case errors.Is(err, ErrTooLarge): // the bound is lower now
		return nil
	case err != nil:
		return err
	}
	l.entries++
	return nil
}
