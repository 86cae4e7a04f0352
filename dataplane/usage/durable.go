package usage

import "os"

// segment is one that is full.
type segment struct {
	file    *os.File
	size    int64
	durable durable
}

// durable is how much of a file is on the disk.
type durable struct {
	bytes int64
	lost  bool // of those behind them some may not get there, whatever is synced
}

// sync makes the first size bytes of the file durable. What it has failed to sync
// before it writes again: the kernel takes that for written, and no sync would make
// up for it.
func (d *durable) sync(file *os.File, size int64) error {
	if d.lost {
		if err := writeAgain(file, d.bytes, size); err != nil {
			return err
		}
	}
	err := file.Sync()
	if d.lost = err != nil; err == nil {
		d.bytes = size
	}
	return err
}

func writeAgain(file *os.File, from, to int64) error {
	buf := make([]byte, 64<<10)
	for at := from; at < to; {
		n, err := file.ReadAt(buf[:min(int64(len(buf)), to-at)], at)
		if err != nil {
			return err
		}
		if _, err := file.WriteAt(buf[:n], at); err != nil {
			return err
		}
		at += int64(n)
	}
	return nil
}
