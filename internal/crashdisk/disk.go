package crashdisk

import (
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// disk is a folder with what of it would survive a crash, and what might.
type disk struct {
	names   map[string]*inode // as the program sees them, relative to the folder
	durable map[string]*inode // as a crash leaves them at least
	moves   []*move           // of names, not durable yet
	files   map[int]*handle   // by descriptor
	said    string
}

type inode struct {
	folder  bool
	synced  []byte
	changes []*change // since then
}

// change is a write, or a new length if it has no data.
type change struct {
	by   *call
	at   int64
	data []byte

	synced bool // what it changes is in synced once all before it are
	lost   bool // a sync of it failed, and no later one makes up for that
}

// move takes a name away, gives one, or both at once.
type move struct {
	by       *call
	from, to string // empty for none
	target   *inode // of to

	synced, lost bool // as of a change
}

type handle struct {
	*inode
	name    string // of a folder
	at      int64  // where the next write goes
	appends bool
}

func newDisk() *disk {
	return &disk{names: map[string]*inode{".": {folder: true}}, durable: map[string]*inode{".": {folder: true}}, files: map[int]*handle{}}
}

// readDisk takes a folder as it is.
func readDisk(root string) (*disk, error) {
	d := newDisk()
	err := filepath.WalkDir(root, func(path string, e fs.DirEntry, err error) error {
		if err != nil || path == root {
			return err
		}
		name, _ := filepath.Rel(root, path)
		node := &inode{folder: e.IsDir()}
		if !node.folder {
			if node.synced, err = os.ReadFile(path); err != nil {
				return err
			}
		}
		d.names[name], d.durable[name] = node, node
		return nil
	})
	return d, err
}

// forgetNames makes what is in the folder a move that is not durable.
func (d *disk) forgetNames() {
	for _, name := range slices.Sorted(maps.Keys(d.names)) {
		if name != "." {
			delete(d.durable, name)
			d.moves = append(d.moves, &move{by: &call{}, to: name, target: d.names[name]})
		}
	}
}

// clone copies a disk that no program has changed yet.
func (d *disk) clone() *disk {
	c := newDisk()
	for name, node := range d.names {
		n := *node
		c.names[name] = &n
		if d.durable[name] != nil {
			c.durable[name] = &n
		}
	}
	for _, m := range d.moves {
		c.moves = append(c.moves, &move{by: m.by, to: m.to, target: c.names[m.to]})
	}
	return c
}

// apply makes the disk what it is after the event, and reports whether a crash
// there could leave something else than one before it. What a call changes may be
// there from its begin on; what it syncs or returns counts from its end.
func (d *disk) apply(root string, e event) (news bool, err error) {
	names := make([]string, len(e.args)) // of this folder
	for i, arg := range e.args {
		if !strings.HasPrefix(arg, `"`) || strings.Contains(e.name, "write") {
			continue
		}
		text, err := e.str(i)
		if err != nil {
			return false, err
		}
		if name, err := filepath.Rel(root, string(text)); err == nil && !strings.HasPrefix(name, "..") {
			names[i] = name
		}
	}
	if e.ended {
		return d.end(e.call, names), nil
	}
	switch e.name {
	case "openat":
		return d.open(e.call, names[1]), nil
	case "close", "fsync", "fdatasync": // count when they have ended
		return false, nil
	case "write", "pwrite64":
		return d.write(e.call)
	case "ftruncate":
		f := d.files[e.fd(0)]
		if f == nil {
			return false, nil
		}
		length, err := e.num(1)
		f.changes = append(f.changes, &change{by: e.call, at: length})
		return true, err
	case "rename":
		return d.move(&move{by: e.call, from: names[0], to: names[1], target: d.names[names[0]]}), nil
	case "renameat", "renameat2":
		return d.move(&move{by: e.call, from: names[1], to: names[3], target: d.names[names[1]]}), nil
	case "linkat":
		return d.move(&move{by: e.call, to: names[3], target: d.names[names[1]]}), nil
	case "unlink":
		return d.move(&move{by: e.call, from: names[0]}), nil
	case "unlinkat":
		return d.move(&move{by: e.call, from: names[1]}), nil
	case "mkdirat":
		return d.move(&move{by: e.call, to: names[1], target: &inode{folder: true}}), nil
	}
	if d.files[e.fd(0)] != nil || strings.Join(names, "") != "" {
		return false, fmt.Errorf("%s(%.200s) is not known to it", e.name, strings.Join(e.args, ", "))
	}
	return false, nil
}

func (d *disk) open(c *call, name string) (news bool) {
	if name == "" {
		return false
	}
	node, flags := d.names[name], c.args[2]
	switch {
	case node == nil && strings.Contains(flags, "O_CREAT"):
		return d.move(&move{by: c, to: name, target: &inode{}})
	case node != nil && strings.Contains(flags, "O_TRUNC"):
		node.changes = append(node.changes, &change{by: c})
		return true
	}
	return false
}

func (d *disk) write(c *call) (news bool, err error) {
	data, err := c.str(1)
	if err != nil {
		return false, err
	}
	if c.fd(0) == 1 { // a promise, from the moment that it is made
		d.said += string(data)
		return true, nil
	}
	f := d.files[c.fd(0)]
	if f == nil {
		return false, nil
	}
	if c.end != never {
		data = data[:c.result]
	}
	at := f.at
	switch {
	case c.name == "pwrite64":
		at, err = c.num(3)
	case f.appends:
		at = int64(len(f.now()))
		fallthrough
	default:
		f.at = at + int64(len(data))
	}
	f.changes = append(f.changes, &change{by: c, at: at, data: data})
	return true, err
}

func (d *disk) move(m *move) (news bool) {
	if m.from == "" && m.to == "" {
		return false
	}
	d.moves = append(d.moves, m)
	m.apply(d.names)
	return true
}

func (m *move) apply(names map[string]*inode) {
	if m.from != "" {
		delete(names, m.from)
	}
	if m.to != "" {
		names[m.to] = m.target
	}
}

// end does what a call does by returning.
func (d *disk) end(c *call, names []string) (news bool) {
	switch c.name {
	case "openat":
		if node := d.names[names[1]]; node != nil {
			d.files[int(c.result)] = &handle{inode: node, name: names[1], appends: strings.Contains(c.args[2], "O_APPEND")}
		}
	case "close":
		delete(d.files, c.fd(0))
	case "fsync", "fdatasync":
		f := d.files[c.fd(0)]
		switch {
		case f == nil:
			return false
		case c.failed:
			d.lose(f)
		case f.folder:
			d.syncNames(f.name, c.begin)
		default:
			f.sync(c.begin)
		}
		return true
	}
	return false
}

// sync makes durable what had returned before the sync began.
func (n *inode) sync(began int) {
	for _, c := range n.changes {
		c.synced = c.synced || !c.lost && c.by.end < began
	}
	for len(n.changes) > 0 && n.changes[0].synced {
		n.synced = n.changes[0].apply(n.synced)
		n.changes = n.changes[1:]
	}
}

// lose is a sync that failed. The kernel tells so once, and then takes what it
// could not write for written: it may be on disk or not for ever.
func (d *disk) lose(f *handle) {
	for _, c := range f.changes {
		c.lost = !c.synced
	}
	for _, m := range d.moves {
		m.lost = m.lost || !m.synced && f.folder && filepath.Dir(m.name()) == f.name
	}
}

// name is the one that is given or, without one, taken away.
func (m *move) name() string {
	if m.to == "" {
		return m.from
	}
	return m.to
}

func (d *disk) syncNames(folder string, began int) {
	for _, m := range d.moves {
		m.synced = m.synced || !m.lost && m.by.end < began && filepath.Dir(m.name()) == folder
	}
	for len(d.moves) > 0 && d.moves[0].synced {
		d.moves[0].apply(d.durable)
		d.moves = d.moves[1:]
	}
}

// now is what the program would read.
func (n *inode) now() []byte {
	content := n.synced
	for _, c := range n.changes {
		content = c.apply(content)
	}
	return content
}

// apply returns the content with the change, never in place.
func (c *change) apply(content []byte) []byte {
	if c.data == nil {
		return resize(content, int(c.at))
	}
	out := resize(content, max(len(content), int(c.at)+len(c.data)))
	copy(out[c.at:], c.data)
	return out
}

func resize(content []byte, length int) []byte {
	out := make([]byte, length)
	copy(out, content)
	return out
}
