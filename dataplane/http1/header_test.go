package http1

import (
	"strings"
	"testing"
)

func TestIDs(t *testing.T) {
	for id := Other + 1; id < numIDs; id++ {
		name := idNames[id]
		if name == "" || name != strings.ToLower(name) {
			t.Errorf("id %d: name %q", id, name)
		}
		for _, written := range []string{name, strings.ToUpper(name), strings.ToUpper(name[:1]) + name[1:]} {
			if got := FindID([]byte(written)); got != id {
				t.Errorf("%s: got id %d, want %d", written, got, id)
			}
		}
		for _, other := range []string{name + "x", name[1:], "x" + name, name[:len(name)-1], strings.ReplaceAll(name, "-", "_") + "_"} {
			if got := FindID([]byte(other)); got != Other && idNames[got] != other {
				t.Errorf("%s: got id %d", other, got)
			}
		}
	}
	for _, name := range []string{"", "x", "\x00", strings.Repeat("a", 25), "cookies", "hos\xf4"} {
		if got := FindID([]byte(name)); got != Other {
			t.Errorf("%q: got id %d", name, got)
		}
	}
}

func TestSet(t *testing.T) {
	s := NewSet(Host, Forwarded)
	for id := Other; id < numIDs; id++ {
		if got, want := s.Has(id), id == Host || id == Forwarded; got != want {
			t.Errorf("id %d: %v", id, got)
		}
	}
	if NewSet(Other).Has(Other) {
		t.Error("Other is in a set")
	}
}

const fieldLines = "Host: h\r\nX-A:  1 \r\ncookie:c\r\nX-B:\r\nTE: trailers\r\nX-C: 3\r\n"

func headers(t *testing.T) *Headers {
	t.Helper()
	var r Request
	if fault := r.Parse([]byte("GET / HTTP/1.1\r\n"+fieldLines+"\r\n"), limits); fault != 0 {
		t.Fatal(fault)
	}
	return &r.Headers
}

func TestHeaderAccess(t *testing.T) {
	h := headers(t)
	want := [][2]string{{"Host", "h"}, {"X-A", "1"}, {"cookie", "c"}, {"X-B", ""}, {"TE", "trailers"}, {"X-C", "3"}}
	if h.Len() != len(want) {
		t.Fatalf("%d lines", h.Len())
	}
	for i, w := range want {
		if string(h.Name(i)) != w[0] || string(h.Value(i)) != w[1] {
			t.Errorf("line %d: %q: %q", i, h.Name(i), h.Value(i))
		}
	}
	if got := h.Get(TE); string(got) != "trailers" {
		t.Errorf("TE: %q", got)
	}
	if got := h.Get(Expect); got != nil {
		t.Errorf("Expect: %q", got)
	}
}

// TestAppendLines keeps each subset of the lines: runs are copied as they came.
func TestAppendLines(t *testing.T) {
	h := headers(t)
	lines := strings.SplitAfter(fieldLines, "\r\n")[:h.Len()]
	for subset := range 1 << h.Len() {
		want := "^"
		for i, line := range lines {
			if subset>>i&1 == 1 {
				want += line
			}
		}
		if got := string(h.AppendLines([]byte("^"), func(i int) bool { return subset>>i&1 == 1 })); got != want {
			t.Errorf("subset %b: got %q, want %q", subset, got, want)
		}
	}
	if got, want := string(h.AppendKept(nil, NewSet(Host, TE))), lines[1]+lines[2]+lines[3]+lines[5]; got != want {
		t.Errorf("kept: got %q, want %q", got, want)
	}
	if got := string(h.AppendLine(nil, 1)); got != lines[1] {
		t.Errorf("line: got %q", got)
	}
}

func TestNominatedBy(t *testing.T) {
	for _, row := range []struct{ connection, field string }{
		{"Connection: X-A", "X-A"},
		{"Connection: x-a", "X-A"},
		{"Connection: close, X-A", "X-A"},
		{"Connection: X-A,", "X-A"},
		{"Connection: ,\t X-A \t,close", "X-A"},
		{"Connection: X-B\r\nConnection: X-A", "X-A"},
		{"Connection: Upgrade", "Upgrade"},
		{"Connection: TE", "TE"},
		{"Connection: Cookie", "Cookie"},
	} {
		if !nominated(t, row.connection, row.field) {
			t.Errorf("%s does not nominate %s", row.connection, row.field)
		}
	}
	for _, row := range []struct{ connection, field string }{
		{"Connection: X-A", "X-AB"},
		{"Connection: X-AB", "X-A"},
		{"Connection: X-A X-B", "X-A"},
		{"Connection: \"X-A\"", "X-A"},
		{"X-Connection: X-A", "X-A"},
		{"Connection: close", "X-A"},
		{"Connection: Host", "Host"},
		{"Connection: Authorization", "Authorization"},
		{"Connection: X-API-Key", "x-api-key"},
		{"Connection: X-Forwarded-For", "X-Forwarded-For"},
		{"Connection: X-Forwarded-Host", "X-Forwarded-Host"},
		{"Connection: x-forwarded-anything", "X-Forwarded-Anything"},
		{"Connection: Forwarded", "Forwarded"},
		{"Connection: Content-Type", "Content-Type"},
		{"Connection: Content-Length", "Content-Length"},
	} {
		if nominated(t, row.connection, row.field) {
			t.Errorf("%s nominates %s", row.connection, row.field)
		}
	}
}

// nominated tells whether the line after the Connection lines is nominated.
func nominated(t *testing.T, connection, field string) bool {
	t.Helper()
	head := "GET / HTTP/1.1\r\n"
	if !strings.EqualFold(field, "Host") {
		head += "Host: h\r\n"
	}
	value := "v"
	if field == "Content-Length" {
		value = "1"
	}
	var r Request
	if fault := r.Parse([]byte(head+connection+"\r\n"+field+": "+value+"\r\n\r\n"), limits); fault != 0 {
		t.Fatalf("%s: %v", connection, fault)
	}
	return r.NominatedBy(r.Len() - 1)
}
