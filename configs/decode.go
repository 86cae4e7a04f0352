package configs

import (
	"fmt"
	"io/fs"
	"net/netip"
	"reflect"
	"strconv"
	"strings"
	"time"

	"go.yaml.in/yaml/v4"

	"github.com/tidegate/tidegate/configs/prefixlist"
)

// report collects what is wrong, and remembers the line of every field seen so
// that validation can point at it.
type report struct {
	file  string
	errs  Errors
	lines map[string]int // by field path
}

func (r *report) fail(line int, field, problem, fix string) {
	r.errs = append(r.errs, &Error{r.file, line, field, problem, fix})
}

// failAt is fail with the line of the field, or of the nearest field around it
// when the file does not name the field itself.
func (r *report) failAt(field, problem, fix string) {
	line := 0
	for at := field; at != "" && line == 0; {
		line = r.lines[at]
		at = at[:max(strings.LastIndexAny(at, ".["), 0)]
	}
	r.fail(line, field, problem, fix)
}

// decodeHost fills host from the root node.
func decodeHost(r *report, root *yaml.Node, host *Host) {
	r.value(root, "", reflect.ValueOf(host).Elem())
}

var (
	durationType = reflect.TypeFor[time.Duration]()
	modeType     = reflect.TypeFor[fs.FileMode]()
	prefixType   = reflect.TypeFor[netip.Prefix]()
)

// value decodes node into v, which is at path.
func (r *report) value(node *yaml.Node, path string, v reflect.Value) {
	r.lines[path] = node.Line
	switch {
	case node.Kind == yaml.AliasNode || node.Anchor != "":
		r.fail(node.Line, path, "anchors and aliases are not supported", "write the value out")
	case isNull(node):
		// A key without a value keeps its default, as if it were not there.
	case v.Type() == durationType:
		r.duration(node, path, v)
	case v.Type() == modeType:
		r.mode(node, path, v)
	case v.Type() == prefixType:
		r.network(node, path, v)
	case v.Kind() == reflect.Struct:
		r.mapping(node, path, v)
	case v.Kind() == reflect.Slice:
		r.sequence(node, path, v)
	case v.Kind() == reflect.Pointer:
		p := reflect.New(v.Type().Elem())
		r.value(node, path, p.Elem())
		v.Set(p)
	case v.Kind() == reflect.String:
		if text, ok := r.scalar(node, path, "a text"); ok {
			v.SetString(text)
		}
	case v.Kind() == reflect.Int:
		r.integer(node, path, v)
	case v.Kind() == reflect.Bool:
		r.flag(node, path, v)
	case v.Kind() == reflect.Float64:
		r.number(node, path, v)
	default:
		panic("configs: no decoder for " + v.Type().String())
	}
}

func isNull(node *yaml.Node) bool {
	return node.Kind == yaml.ScalarNode && node.ShortTag() == "!!null"
}

func (r *report) mapping(node *yaml.Node, path string, v reflect.Value) {
	if node.Kind != yaml.MappingNode {
		r.fail(node.Line, path, "not a mapping of keys to values", "write one \"key: value\" per line below it")
		return
	}
	seen := map[string]int{}
	for i := 0; i+1 < len(node.Content); i += 2 {
		key, val := node.Content[i], node.Content[i+1]
		at := join(path, key.Value)
		field := fieldOf(v, key.Value)
		switch first, twice := seen[key.Value]; {
		case key.Kind != yaml.ScalarNode || !field.IsValid():
			r.unknown(key, path, v)
		case twice:
			r.fail(key.Line, at, fmt.Sprintf("named a second time (first on line %d)", first), "keep one of them")
		default:
			seen[key.Value] = key.Line
			r.value(val, at, field)
		}
	}
}

func (r *report) unknown(key *yaml.Node, path string, v reflect.Value) {
	known := keys(v.Type())
	fix := "known keys are " + strings.Join(known, ", ")
	if near := nearest(key.Value, known); near != "" {
		fix = fmt.Sprintf("did you mean %q?", near)
	}
	r.fail(key.Line, path, fmt.Sprintf("unknown key %q", key.Value), fix)
}

func (r *report) sequence(node *yaml.Node, path string, v reflect.Value) {
	if node.Kind != yaml.SequenceNode {
		r.fail(node.Line, path, "not a list", "start each entry with \"- \"")
		return
	}
	list := reflect.MakeSlice(v.Type(), len(node.Content), len(node.Content))
	for i, item := range node.Content {
		r.value(item, fmt.Sprintf("%s[%d]", path, i), list.Index(i))
	}
	v.Set(list)
}

// scalar returns a scalar's text as it is written, so that account_id: 0123 is
// not read as an octal number.
func (r *report) scalar(node *yaml.Node, path, want string) (string, bool) {
	if node.Kind != yaml.ScalarNode {
		r.fail(node.Line, path, "not "+want, "write "+want+" on the key's own line")
		return "", false
	}
	return node.Value, true
}

func (r *report) integer(node *yaml.Node, path string, v reflect.Value) {
	text, ok := r.scalar(node, path, "a whole number")
	if !ok {
		return
	}
	n, err := strconv.Atoi(text)
	if err != nil {
		r.fail(node.Line, path, fmt.Sprintf("%q is not a whole number", text), "write digits only, for example 1024")
		return
	}
	v.SetInt(int64(n))
}

func (r *report) flag(node *yaml.Node, path string, v reflect.Value) {
	text, ok := r.scalar(node, path, "true or false")
	if !ok {
		return
	}
	if text != "true" && text != "false" {
		r.fail(node.Line, path, fmt.Sprintf("%q is neither true nor false", text), "write true or false")
		return
	}
	v.SetBool(text == "true")
}

func (r *report) number(node *yaml.Node, path string, v reflect.Value) {
	text, ok := r.scalar(node, path, "a number")
	if !ok {
		return
	}
	n, err := strconv.ParseFloat(text, 64)
	if err != nil {
		r.fail(node.Line, path, fmt.Sprintf("%q is not a number", text), "write a number, for example 10000 or 0.5")
		return
	}
	v.SetFloat(n)
}

func (r *report) duration(node *yaml.Node, path string, v reflect.Value) {
	text, ok := r.scalar(node, path, "a duration")
	if !ok {
		return
	}
	d, err := time.ParseDuration(text)
	if err != nil {
		r.fail(node.Line, path, fmt.Sprintf("%q is not a duration", text), "write a number with its unit, for example 500ms, 10s or 5m")
		return
	}
	v.SetInt(int64(d))
}

func (r *report) network(node *yaml.Node, path string, v reflect.Value) {
	text, ok := r.scalar(node, path, "a network")
	if !ok {
		return
	}
	p, err := prefixlist.Parse(text)
	if err != nil {
		problem, fix, _ := strings.Cut(err.Error(), "; ")
		r.fail(node.Line, path, problem, fix)
		return
	}
	v.Set(reflect.ValueOf(p))
}

func (r *report) mode(node *yaml.Node, path string, v reflect.Value) {
	text, ok := r.scalar(node, path, "a file mode")
	if !ok {
		return
	}
	bits, err := strconv.ParseUint(strings.TrimPrefix(text, "0o"), 8, 32)
	if err != nil || bits > 0o777 {
		r.fail(node.Line, path, fmt.Sprintf("%q is not a file mode", text), "write permission bits in octal, for example \"0660\"")
		return
	}
	v.SetUint(bits)
}
