package crashdisk

import (
	"fmt"
	"hash/maphash"
	"iter"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// Crash is what is left of a folder after a crash at some moment.
type Crash struct {
	// What says where in the recording it is and what became of unsynced changes.
	What string
	// Kill says that all is left that was done, as when the program alone is killed.
	Kill bool
	// Said are the lines that the program had written by then, none half.
	Said []string

	files map[string]*inode // with synced as their content
}

const sector = 512

// Crashes yields crashes at every moment of the recording: one at which everything
// that was done is on disk, as when the program alone is killed; one that leaves
// nothing but what was synced; and so many with a choice of changes, made by the
// seed. What one has been yielded for is not yielded again: the same files with as
// many promises.
func (r *Recording) Crashes(seed uint64, choices int) iter.Seq[*Crash] {
	return func(yield func(*Crash) bool) {
		random := rand.New(rand.NewPCG(seed, seed))
		d := r.before.clone()
		seen := map[uint64]bool{}
		for i, e := range r.events {
			news, _ := d.apply(r.root, e) // Record has tried
			if !news {
				continue
			}
			for choice := range 2 + choices {
				c := &chooser{random, float64(choice), 0}
				kind := fmt.Sprintf("choice %d of seed %d", choice-2, seed)
				switch choice {
				case 0:
					kind = "nothing unsynced is left"
				case 1:
					kind = "all is left"
				default:
					c.part, c.torn = random.Float64(), random.Float64()
				}
				crash := &Crash{Kill: choice == 1, What: fmt.Sprintf("event %d, %s: %s", i, e.name, kind), files: d.choose(c)}
				for line := range strings.Lines(d.said) {
					if whole, ok := strings.CutSuffix(line, "\n"); ok {
						crash.Said = append(crash.Said, whole)
					}
				}
				if sum := crash.sum(); !seen[sum] {
					seen[sum] = true
					if !yield(crash) {
						return
					}
				}
			}
		}
	}
}

// seedOfSums is one for the process.
var seedOfSums = maphash.MakeSeed()

// sum tells crashes apart.
func (c *Crash) sum() uint64 {
	var h maphash.Hash
	h.SetSeed(seedOfSums)
	fmt.Fprint(&h, len(c.Said))
	for _, name := range slices.Sorted(maps.Keys(c.files)) {
		fmt.Fprintf(&h, "\x00%s\x00%v\x00%d\x00", name, c.files[name].folder, len(c.files[name].synced))
		h.Write(c.files[name].synced)
	}
	return h.Sum64()
}

// chooser decides which changes are there: part of them, and torn of those not as
// a whole.
type chooser struct {
	*rand.Rand
	part, torn float64
}

func (c *chooser) yes(part float64) bool {
	return part >= 1 || part > 0 && c.Float64() < part
}

// choose makes the files that a crash leaves now.
func (d *disk) choose(c *chooser) map[string]*inode {
	names := maps.Clone(d.durable)
	for _, m := range d.moves {
		if m.synced || c.yes(c.part) {
			m.apply(names)
		}
	}
	made := map[*inode]*inode{} // of hard links, one
	for name, node := range names {
		if made[node] == nil {
			made[node] = &inode{folder: node.folder, synced: node.choose(c)}
		}
		names[name] = made[node]
	}
	return names
}

func (n *inode) choose(c *chooser) []byte {
	content := n.synced
	for _, change := range n.changes {
		switch {
		case change.synced:
			content = change.apply(content)
		case c.yes(c.torn) && change.data != nil:
			content = change.tear(content, c)
		case c.yes(c.part):
			content = change.apply(content)
		}
	}
	return content
}

// tear applies some of the sectors of a write.
func (c *change) tear(content []byte, by *chooser) []byte {
	if by.IntN(4) == 0 { // the length is there before the bytes
		content = resize(content, max(len(content), int(c.at)+len(c.data)))
	}
	for at, end := 0, 0; at < len(c.data); at = end {
		end = min(len(c.data), at+sector-(int(c.at)+at)%sector)
		if by.yes(by.part) {
			content = (&change{at: c.at + int64(at), data: c.data[at:end]}).apply(content)
		}
	}
	return content
}

// WriteTo makes the folder that the crash left, with no more permissions than the
// owner's. Nothing may be there yet.
func (c *Crash) WriteTo(dir string) error {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	for _, name := range slices.Sorted(maps.Keys(c.files)) {
		node, path := c.files[name], filepath.Join(dir, name)
		if node.folder {
			if err := os.MkdirAll(path, 0o700); err != nil {
				return err
			}
			continue
		}
		if _, err := os.Stat(filepath.Dir(path)); err != nil {
			continue // its folder was lost
		}
		if err := os.WriteFile(path, node.synced, 0o600); err != nil {
			return err
		}
	}
	return nil
}
