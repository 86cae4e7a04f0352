package document

import (
	"encoding/json"
	"errors"
	"reflect"
	"strconv"
	"strings"
	"testing"
	"time"
)

// plain turns a tree into what encoding/json makes of the same text.
func plain(n Node) any {
	switch {
	case n.Absent():
		return nil
	case n.IsMapping():
		out := map[string]any{}
		for name, value := range n.Fields() {
			out[name] = plain(value)
		}
		return out
	case n.IsList():
		out := []any{}
		for _, item := range n.Items() {
			out = append(out, plain(item))
		}
		return out
	case n.Tag == "!!bool":
		return n.Value == "true"
	case n.Tag == "!!int", n.Tag == "!!float":
		f, _ := strconv.ParseFloat(n.Value, 64)
		return f
	}
	return n.Value
}

func load(text string) (Node, error) {
	p := &Problems{}
	root, ok := Load([]byte(text), Options{Kind: "a test", Region: "eu-west-1"}, p)
	if ok == (p.Err() != nil) {
		panic("Load does not say what it found")
	}
	return root, p.Err()
}

func TestJSONAndYAMLAreTheSame(t *testing.T) {
	const inJSON = `{"a": {"b": [1, 2.5, true, null, "x\/\ud83d\ude00"]}, "region": "${AWS::Region}"}`
	const inYAML = "a:\n  b: [1, 2.5, true, ~, x/😀]\nregion: ${AWS::Region}\n"
	one, err := load(inJSON)
	if err != nil {
		t.Fatal(err)
	}
	two, err := load(inYAML)
	if err != nil {
		t.Fatal(err)
	}
	if a, b := plain(one), plain(two); !reflect.DeepEqual(a, b) || a.(map[string]any)["region"] != "eu-west-1" {
		t.Errorf("%v and %v", a, b)
	}
}

func TestJSONKnowsItsLines(t *testing.T) {
	root, err := load("{\n \"a\": {\n  \"b\":\n   [1,\n    2]}\n}")
	if err != nil {
		t.Fatal(err)
	}
	b := root.Get("a").Get("b")
	if b.KeyLine != 3 || b.Line != 4 || b.Item(1).KeyLine != 5 || b.Item(1).Place.String() != "a.b[1]" {
		t.Errorf("lines %d %d %d at %s", b.KeyLine, b.Line, b.Item(1).KeyLine, b.Item(1).Place)
	}
	if absent := root.Get("a").Get("c"); !absent.Absent() || absent.Place.String() != "a.c" || absent.KeyLine != 2 {
		t.Errorf("an absent member: %+v", absent)
	}
}

func TestRefused(t *testing.T) {
	for text, want := range map[string]string{
		"":                            "the document is empty",
		"[1]":                         "line 1: not a test: the top level must be a mapping",
		"a: 1\n---\nb: 2\n":           "line 2: a second YAML document",
		"a: [":                        "not valid YAML or JSON",
		"{\"a\": 1,\n\"a\": 2}":       `line 2: the name "a" stands twice`,
		"a: 1\na: 2\n":                "line 2: a: the key stands twice, first on line 1",
		"\xff":                        "not UTF-8",
		"a: ${AWS::StackId}":          "is not known",
		"a: &a [*a]":                  "refers to itself",
		"? [a]\n: 1\n":                "a key must be a text",
		"x: &x {a: 1}\ny: {<<: [[]]}": `a "<<" list holds mappings`,
		strings.Repeat(`{"a":`, 101) + "1" + strings.Repeat("}", 101):                  "values nest deeper than 100 levels",
		strings.Repeat("[", 200_000):                                                   "",
		"{\"a\": " + strings.Repeat("[", 200_000) + strings.Repeat("]", 200_000) + "}": "",
	} {
		_, err := load(text)
		var list *Errors
		if !errors.As(err, &list) || !strings.Contains(err.Error(), want) {
			t.Errorf("%.40q: %v, want %s", text, err, want)
		}
	}
}

func TestProblemsAreBounded(t *testing.T) {
	p := &Problems{}
	for i := range 60 {
		p.Add(Node{KeyLine: i + 1}, "problem %d", i)
		p.Add(Node{KeyLine: i + 1}, "problem %d", i) // twice is once
		p.Warn(Node{}, "odd")
	}
	var list *Errors
	if !errors.As(p.Err(), &list) || len(list.Problems) != 50 || list.Omitted != 20 || len(p.Warnings()) != 1 {
		t.Errorf("%v %v", p.Err(), p.Warnings())
	}
}

func TestNearest(t *testing.T) {
	known := map[string]bool{"integrationUri": true, "target": true, "name": true}
	for name, want := range map[string]string{"integrationURL": "integrationUri", "tarjet": "target", "nam": "name", "namesake": "", "x": ""} {
		if got := Nearest(name, known); got != want {
			t.Errorf("%s: %q, want %q", name, got, want)
		}
	}
	if DidYouMean("x", known) != "" || !strings.Contains(DidYouMean("tarjet", known), `did you mean "target"?`) {
		t.Error("DidYouMean")
	}
}

// FuzzLoad: no text makes Load panic or take long, and of JSON it reads what
// encoding/json does.
func FuzzLoad(f *testing.F) {
	for _, seed := range []string{`{"a": [1, "\u00e9\n", {"b": null}]}`, "a: &x {b: 1}\nc: {<<: *x, d: *x}\n", "a: |\n  text\n# c\n", "{a: {b: [c, 'd']}}", `{"a": 1e999, "b": -0, "c": "\ud800"}`} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		if len(text) > 64<<10 {
			return
		}
		start := time.Now()
		root, err := load(text)
		if took := time.Since(start); took > 2*time.Second {
			t.Errorf("took %v", took)
		}
		var same map[string]any
		if err != nil || json.Unmarshal([]byte(text), &same) != nil || strings.Contains(text, "${AWS::") {
			return
		}
		if got := plain(root); !reflect.DeepEqual(got, any(same)) {
			t.Errorf("%q is %v, and to encoding/json %v", text, got, same)
		}
	})
}
