package cachestore

import (
	"bufio"
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"

	"github.com/VictoriaMetrics/fastcache"
)

// ErrNotSavable is returned by [Store.Save] of a store made without the option.
var ErrNotSavable = errors.New("cachestore: the store keeps no list of its keys")

// Save writes the entries that can still be reached to a file, in place of what
// is there, and returns how many. It is meant for an orderly stop, though gets
// and fills may go on; what is stored meanwhile may be missing. Close the store
// afterwards, not meanwhile.
//
// The secret has 32 bytes and encrypts the file with AES-256-GCM; with none the
// file is readable by those who may open it, and only protected against damage.
// Deadlines are saved as Unix time, by wall, the Unix nanoseconds at now.
//
// The file appears under its name when it is complete and on disk: a process
// that dies, or an error, such as that of ctx, leaves the one before or none. A
// name with .tmp appended is used until then.
func (s *Store) Save(ctx context.Context, path string, secret []byte, now, wall int64) (entries int, err error) {
	if s.catalog == nil {
		return 0, ErrNotSavable
	}
	temporary := path + ".tmp"
	if err := os.Remove(temporary); err != nil && !errors.Is(err, os.ErrNotExist) {
		return 0, err
	}
	file, err := os.OpenFile(temporary, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return 0, err
	}
	defer func() {
		if err != nil {
			os.Remove(temporary)
		}
	}()
	entries, err = s.write(ctx, file, secret, now, wall)
	if err == nil {
		err = file.Sync()
	}
	if err := errors.Join(err, file.Close()); err != nil {
		return 0, err
	}
	if err := os.Rename(temporary, path); err != nil {
		return 0, err
	}
	return entries, syncFolder(path)
}

func syncFolder(path string) error {
	folder, err := os.Open(filepath.Dir(path))
	if err != nil {
		return err
	}
	return errors.Join(folder.Sync(), folder.Close())
}

// write writes a saved file to w.
func (s *Store) write(ctx context.Context, to io.Writer, secret []byte, now, wall int64) (int, error) {
	head := newHead(wall)
	f, err := newFrames(secret, head)
	if err != nil {
		return 0, err
	}
	w := bufio.NewWriterSize(to, frameBytes)
	w.Write(head) // an error stays until Flush
	v := saving{store: s, now: now, shift: wall - now, named: map[*Group]bool{}}
	if c := s.cache.Load(); c != nil {
		for listing, key := range s.catalog.keys(s, c) {
			v.entry(c, listing, key)
			if len(v.plain) < frameBytes {
				continue
			}
			if err := errors.Join(f.write(w, v.plain), ctx.Err()); err != nil {
				return 0, err
			}
			v.plain = v.plain[:0]
		}
	}
	if err := f.write(w, append(v.plain, endRecord)); err != nil {
		return 0, err
	}
	return v.entries, errors.Join(ctx.Err(), w.Flush())
}

type saving struct {
	store   *Store
	now     int64
	shift   int64           // from now's clock to Unix time
	named   map[*Group]bool // groups that the file knows
	plain   []byte          // of the next frame
	buf     []byte
	entries int
}

// entry appends the entry of a key that the catalog lists.
func (v *saving) entry(c *fastcache.Cache, listing uint32, key Key) {
	g := v.store.current(key)
	if g == nil {
		return
	}
	buf, e, ok := v.store.listed(c, v.buf[:0], key, listing, v.now)
	v.buf = buf
	if !ok {
		return
	}
	if !v.named[g] {
		v.named[g] = true
		v.plain = appendGroup(v.plain, g)
	}
	e.FreshUntil, e.KeepUntil = shift(e.FreshUntil, v.shift), shift(e.KeepUntil, v.shift)
	v.plain = appendEntry(v.plain, &savedEntry{uint64(g.id), key[keyPrefix:], e})
	v.entries++
}
