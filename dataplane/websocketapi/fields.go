package websocketapi

import (
	"maps"
	"slices"
	"strings"

	"github.com/tidegate/tidegate/dataplane/document"
)

// reader reads objects of one document, or of the body of one operation.
type reader struct {
	*document.Problems
	maxTimeoutMillis int
}

// defaultTimeoutMillis is API Gateway's longest integration timeout, and what one
// has that does not say.
const defaultTimeoutMillis = 29_000

func newReader(p *document.Problems, maxTimeoutMillis int) *reader {
	if maxTimeoutMillis == 0 {
		maxTimeoutMillis = defaultTimeoutMillis
	}
	return &reader{p, maxTimeoutMillis}
}

// field reads one member of an object into a T. The member is there and not null.
type field[T any] func(r *reader, at document.Node, to *T)

// object is the fields of an object, by name.
type object[T any] map[string]field[T]

// with returns the object with more fields, or other ones of the same name.
func (o object[T]) with(more object[T]) object[T] {
	all := maps.Clone(o)
	maps.Copy(all, more)
	return all
}

// without returns the object without some of its fields.
func (o object[T]) without(names ...string) object[T] {
	some := maps.Clone(o)
	maps.DeleteFunc(some, func(name string, _ field[T]) bool { return slices.Contains(names, name) })
	return some
}

// read puts what n says into to. What n does not mention stays as it is.
func read[T any](r *reader, n document.Node, o object[T], to *T) {
	for name, value := range r.Mapping(n).Fields() {
		switch set, known := o[name]; {
		case !known:
			r.Add(value, "unknown field%s", document.DidYouMean(name, o))
		case !value.Absent():
			set(r, value, to)
		}
	}
}

// text reads a text of at most so many bytes.
func text[T any](most int, to func(*T) *string) field[T] {
	return func(r *reader, at document.Node, v *T) {
		s := r.Text(at)
		if len(s) > most {
			r.Add(at, "has %d bytes, more than the %d there can be", len(s), most)
			return
		}
		*to(v) = s
	}
}

// flag reads true or false.
func flag[T any](to func(*T) *bool) field[T] {
	return func(r *reader, at document.Node, v *T) { *to(v) = r.Boolean(at) }
}

// oneOf reads one of a few words, whose case does not matter. Empty is none.
func oneOf[T any](to func(*T) *string, words ...string) field[T] {
	return func(r *reader, at document.Node, v *T) {
		word := strings.ToUpper(r.Text(at))
		if word != "" && !slices.Contains(words, word) {
			r.Add(at, "%q is unknown; use %s", document.Clip(at.Value), strings.Join(words, ", "))
			return
		}
		*to(v) = word
	}
}

// refused is a field that AWS has and Tidegate does not. It may be empty, false,
// or say what is the case anyway.
func refused[T any](instead string, harmless ...string) field[T] {
	return func(r *reader, at document.Node, _ *T) {
		off := at.IsEmpty() || at.IsScalar() && (at.Tag == "!!bool" && strings.EqualFold(at.Value, "false") ||
			slices.ContainsFunc(harmless, func(word string) bool { return strings.EqualFold(word, at.Value) }))
		if !off {
			r.Add(at, "%s is not supported: %s", at.Place.Name, instead)
		}
	}
}

// maxList bounds lists of texts.
const maxList = 100

// texts reads a list of texts, of which check returns what is wrong with one.
func texts[T any](to func(*T) *[]string, check func(string) error) field[T] {
	return func(r *reader, at document.Node, v *T) {
		var list []string
		for _, item := range r.bounded(at).Items() {
			s := r.Text(item)
			if slices.Contains(list, s) {
				r.Add(item, "%q stands twice", document.Clip(s))
			} else if err := check(s); err != nil {
				r.Add(item, "%s", err)
			}
			list = append(list, s)
		}
		*to(v) = list
	}
}

// bounded returns a list, an empty one if it is too long.
func (r *reader) bounded(at document.Node) document.Node {
	at = r.List(at)
	if at.IsList() && len(at.Content) > maxList {
		r.Add(at, "has %d items, more than the %d there can be", len(at.Content), maxList)
		return at.Here()
	}
	return at
}

// pairs reads a mapping of names to texts. check may be nil.
func pairs[T any](to func(*T) *map[string]string, check func(name, value string) error) field[T] {
	return func(r *reader, at document.Node, v *T) { *to(v) = r.pairs(at, nil, check) }
}

// parameters is pairs for what updates add to: a name with an empty text is taken
// out of what there is, the others are put in.
func parameters[T any](to func(*T) *map[string]string, check func(name, value string) error) field[T] {
	return func(r *reader, at document.Node, v *T) {
		all := maps.Clone(*to(v))
		if all == nil {
			all = map[string]string{}
		}
		*to(v) = r.pairs(at, all, check)
	}
}

// pairs puts the pairs of a mapping into all. If that is nil, a name without a text
// is kept as it is.
func (r *reader) pairs(at document.Node, all map[string]string, check func(name, value string) error) map[string]string {
	merge := all != nil
	for name, value := range r.Mapping(at).Fields() {
		s := r.Text(value)
		if merge && s == "" {
			delete(all, name)
			continue
		}
		if check != nil {
			if err := check(name, s); err != nil {
				r.Add(value, "%s", err)
				continue
			}
		}
		if all == nil {
			all = map[string]string{}
		}
		all[name] = s
	}
	if len(all) == 0 {
		return nil
	}
	return all
}
