package main

import (
	"bytes"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"net/netip"
	"path/filepath"
	"reflect"
	"strings"
	"time"

	"github.com/tidegate/tidegate/configs"
)

const intro = `# Host file

<!-- Generated from package configs by "make generate"; do not edit. -->

The host file, by default ` + "`/etc/tidegate/tidegate.yaml`" + `, holds what belongs to the
machine. APIs, stages and deployments are not in it: they live in the state
store and change with ` + "`tidegate deploy`" + ` or over the control socket.

- Every key is optional unless its default says *required*.
- Unknown keys, wrong types and values out of range are errors; check a file
  with ` + "`tidegate validate FILE`" + `.
- Relative paths start at the folder of the host file.
- Durations are numbers with a unit: ` + "`500ms`, `10s`, `5m`, `1h30m`" + `. Sizes are bytes.
- ` + "`systemctl reload tidegate`" + ` (SIGHUP) applies a changed file. What needs a restart
  is named, and then nothing changes.
`

// Page renders the reference page. source is the folder of package configs.
func Page(source string) ([]byte, error) {
	p := &page{docs: map[string]string{}}
	for _, file := range []string{"host.go", "kernel.go", "overload.go", "upstream.go", "waf.go"} {
		if err := readDocs(filepath.Join(source, file), p.docs); err != nil {
			return nil, err
		}
	}
	p.WriteString(intro)
	p.section("", reflect.ValueOf(*configs.Defaults()))
	return p.Bytes(), p.err
}

type page struct {
	bytes.Buffer
	docs map[string]string // "Host", "Host.Region"
	err  error
}

// section writes the table of struct v, then the sections of the structs
// below it. path is its key in the host file.
func (p *page) section(path string, v reflect.Value) {
	t := v.Type()
	title := "Top level"
	if path != "" {
		title = "`" + path + "`"
	}
	fmt.Fprintf(p, "\n## %s\n\n", title)
	if path != "" {
		fmt.Fprintf(p, "%s\n\n", p.doc(t.Name()))
	}
	p.WriteString("| key | type | default | meaning |\n| --- | --- | --- | --- |\n")
	for i := range t.NumField() {
		f := t.Field(i)
		name := t.Name() + "." + f.Name
		fmt.Fprintf(p, "| `%s` | %s | %s | %s |\n", f.Tag.Get("yaml"), kind(f.Type), value(name, f.Type, v.Field(i)), p.doc(name))
	}
	for i := range t.NumField() {
		f := t.Field(i)
		at := strings.TrimPrefix(path+"."+f.Tag.Get("yaml"), ".")
		switch f.Type.Kind() {
		case reflect.Struct:
			p.section(at, v.Field(i))
		case reflect.Slice:
			if ofOurs(f.Type.Elem()) {
				p.section(at+"[]", reflect.Zero(f.Type.Elem()))
			}
		case reflect.Pointer:
			p.section(at, reflect.Zero(f.Type.Elem()))
		}
	}
}

func (p *page) doc(name string) string {
	text, ok := p.docs[name]
	if !ok && p.err == nil {
		p.err = fmt.Errorf("%s has no doc comment", name)
	}
	return strings.ReplaceAll(text, "|", "\\|")
}

// ofOurs reports whether a list's entries are mappings with keys of their own.
func ofOurs(t reflect.Type) bool {
	return t.Kind() == reflect.Struct && t.PkgPath() == reflect.TypeFor[configs.Host]().PkgPath()
}

func kind(t reflect.Type) string {
	switch {
	case t == reflect.TypeFor[[]netip.Prefix]():
		return "list of networks"
	case t == reflect.TypeFor[[]string]():
		return "list of texts"
	case t.Kind() == reflect.Bool:
		return "true or false"
	case t == reflect.TypeFor[time.Duration]():
		return "duration"
	case t == reflect.TypeFor[fs.FileMode]():
		return "octal mode"
	case t.Kind() == reflect.Slice:
		return "list"
	case t.Kind() == reflect.Struct || t.Kind() == reflect.Pointer:
		return "mapping"
	case t.Kind() == reflect.Int || t.Kind() == reflect.Float64:
		return "number"
	}
	return "text"
}

// special are the defaults that Defaults cannot show, for they are of entries
// in a list.
var special = map[string]string{
	"Listener.Name":        "*required*",
	"Listener.Address":     "*required*",
	"Listener.Refusal":     "`respond`, `reset` with TLS",
	"TLS.MinVersion":       "`\"1.2\"`",
	"TLS.Certificates":     "*required*",
	"Certificate.Cert":     "*required*",
	"Certificate.Key":      "*required*",
	"Domain.Name":          "*required*",
	"Domain.Mappings":      "*required*",
	"MutualTLS.Truststore": "*required*",
	"Issuer.Issuer":        "*required*",
	"Issuer.JWKSURI":       "*required*",
	"UserPool.Pool":        "*required*",
	"UserPool.Issuer":      "*required*",
	"Function.Name":        "*required*",
	"Function.URL":         "*required*",
	"Mapping.API":          "*required*",
}

func value(name string, t reflect.Type, v reflect.Value) string {
	switch {
	case special[name] != "":
		return special[name]
	case t == reflect.TypeFor[time.Duration]():
		return "`" + shortDuration(time.Duration(v.Int())) + "`"
	case t == reflect.TypeFor[fs.FileMode]():
		return fmt.Sprintf("`\"%#o\"`", v.Uint())
	case t.Kind() == reflect.Slice && v.Len() > 0:
		return "one, below"
	case t.Kind() == reflect.Slice:
		return "none"
	case t.Kind() == reflect.Struct:
		return "below"
	case t.Kind() == reflect.Pointer:
		return "none"
	case t.Kind() == reflect.Int:
		return fmt.Sprintf("`%d`", v.Int())
	case t.Kind() == reflect.Float64:
		return fmt.Sprintf("`%g`", v.Float())
	case t.Kind() == reflect.Bool:
		return fmt.Sprintf("`%t`", v.Bool())
	case v.String() == "":
		return "empty"
	}
	return "`" + v.String() + "`"
}

// shortDuration is d without the zero parts that Duration.String adds.
func shortDuration(d time.Duration) string {
	s := d.String()
	if strings.HasSuffix(s, "m0s") {
		s = strings.TrimSuffix(s, "0s")
	}
	if strings.HasSuffix(s, "h0m") {
		s = strings.TrimSuffix(s, "0m")
	}
	return s
}

// readDocs adds the doc comments of the types in file and of their fields, each
// joined to one line.
func readDocs(file string, docs map[string]string) error {
	tree, err := parser.ParseFile(token.NewFileSet(), file, nil, parser.ParseComments)
	if err != nil {
		return err
	}
	for _, decl := range tree.Decls {
		gen, ok := decl.(*ast.GenDecl)
		if !ok || gen.Tok != token.TYPE {
			continue
		}
		spec := gen.Specs[0].(*ast.TypeSpec)
		docs[spec.Name.Name] = sentence(gen.Doc, spec.Name.Name)
		for _, field := range spec.Type.(*ast.StructType).Fields.List {
			docs[spec.Name.Name+"."+field.Names[0].Name] = sentence(field.Doc, field.Names[0].Name)
		}
	}
	return nil
}

// sentence is a comment on one line, without the Go name that it starts with:
// "Idle is how long" becomes "How long".
func sentence(c *ast.CommentGroup, name string) string {
	text := strings.Join(strings.Fields(c.Text()), " ")
	text = strings.TrimPrefix(text, name+" ")
	text = strings.TrimPrefix(strings.TrimPrefix(text, "is "), "are ")
	return strings.ToUpper(text[:1]) + text[1:]
}
