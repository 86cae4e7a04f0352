package gate

import (
	"fmt"
	"strings"
)

// maxNote is the size of a note in the kernel.
const maxNote = 64

// notes are the words behind the numbers in rules: reasons and names of sets.
// They are pinned too, so that the next process can read the rules.
type notes struct {
	texts  []string // by number; 0 is none, and "" elsewhere is free
	number map[string]uint16
}

func (n *notes) text(number uint16) string {
	if int(number) < len(n.texts) {
		return n.texts[number]
	}
	return ""
}

// note returns the number of a text. Numbers are given back when a process takes
// the gate over, since only then everything that uses them is read.
func (g *Gate) note(text string) (uint16, error) {
	if number, ok := g.notes.number[text]; ok || text == "" {
		return number, nil
	}
	if len(text) > maxNote || strings.ContainsRune(text, 0) {
		return 0, fmt.Errorf("a reason or name of the kernel gate has at most %d bytes and no zero: %q", maxNote, text)
	}
	for i := 1; i < len(g.notes.texts); i++ {
		if g.notes.texts[i] != "" {
			continue
		}
		var n programNote
		for j := range len(text) {
			n.Text[j] = int8(text[j])
		}
		if err := g.objects.Notes.Put(uint32(i), n); err != nil {
			return 0, fmt.Errorf("write %q to the kernel gate: %w", text, err)
		}
		g.notes.texts[i], g.notes.number[text] = text, uint16(i)
		return uint16(i), nil
	}
	return 0, fmt.Errorf("more than %d different reasons and names: %w", len(g.notes.texts)-1, ErrFull)
}

// readNotes reads those in use.
func (g *Gate) readNotes(used map[uint16]bool) error {
	g.notes = notes{texts: make([]string, g.objects.Notes.MaxEntries()), number: map[string]uint16{}}
	for number := range used {
		var n programNote
		if err := g.objects.Notes.Lookup(uint32(number), &n); err != nil {
			return fmt.Errorf("read a note of the kernel gate: %w", err)
		}
		var b strings.Builder
		for _, c := range n.Text {
			if c != 0 {
				b.WriteByte(byte(c))
			}
		}
		if text := b.String(); number != 0 {
			g.notes.texts[number], g.notes.number[text] = text, number
		}
	}
	return nil
}
