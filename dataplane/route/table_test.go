package route

import (
	"strings"
	"testing"
)

func TestHosts(t *testing.T) {
	h, err := NewHosts(map[string]string{
		"api.example.com": "exact", "*.example.com": "wildcard", "localhost": "local", "[::1]": "loopback",
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, row := range []struct{ host, want string }{
		{"api.example.com", "exact"}, {"www.example.com", "wildcard"}, {"a.b.example.com", ""},
		{".example.com", ""}, {"example.com", ""}, {"localhost", "local"}, {"[::1]", "loopback"}, {"", ""}, {"*.example.com", "wildcard"},
	} {
		if got, ok := h.Lookup([]byte(row.host)); got != row.want || ok != (row.want != "") {
			t.Errorf("%q: got %q, %v, want %q", row.host, got, ok, row.want)
		}
	}
	all, _ := NewHosts(map[string]string{"*": "rest", "a.b": "exact"})
	if got, _ := all.Lookup([]byte("")); got != "rest" {
		t.Errorf("no host: got %q", got)
	}
	if got, _ := all.Lookup([]byte("a.b")); got != "exact" {
		t.Errorf("a.b: got %q", got)
	}
	for _, name := range []string{"", "*.", "a.*.b", "*a.b", "A.b", "é.b", "a b", "a/b"} {
		if _, err := NewHosts(map[string]int{name: 1}); err == nil {
			t.Errorf("%q: no error", name)
		}
	}
}

func TestBasePaths(t *testing.T) {
	values := map[string]string{"orders": "orders", "orders/v1": "v1", "orders/v1/a/b": "b"}
	without, err := NewBasePaths(values)
	if err != nil {
		t.Fatal(err)
	}
	values[""] = "all"
	with, err := NewBasePaths(values)
	if err != nil {
		t.Fatal(err)
	}
	for _, row := range []struct{ path, want, rest string }{
		{"/orders", "orders", ""},
		{"/orders/", "orders", "/"},
		{"/orders/v1", "v1", ""},
		{"/orders/v1/x", "v1", "/x"},
		{"//orders/v1//x/", "v1", "//x/"},
		{"/orders/v10", "orders", "/v10"},
		{"/orders//v1", "orders", "//v1"},
		{"/orders/v1/a", "v1", "/a"},
		{"/orders/v1/a/b/c", "b", "/c"},
		{"/ordersx", "", ""},
		{"/Orders", "", ""},
		{"/", "", ""},
		{"", "", ""},
		{"/" + strings.Repeat("a", 10000), "", ""},
	} {
		if got, rest, ok := without.Lookup([]byte(row.path)); got != row.want || string(rest) != row.rest || ok != (row.want != "") {
			t.Errorf("%s: got %q, %q, %v, want %q, %q", row.path, got, rest, ok, row.want, row.rest)
		}
		if row.want == "" {
			row.want, row.rest = "all", row.path
		}
		if got, rest, ok := with.Lookup([]byte(row.path)); got != row.want || string(rest) != row.rest || !ok {
			t.Errorf("with a catch-all, %s: got %q, %q, %v, want %q, %q", row.path, got, rest, ok, row.want, row.rest)
		}
	}
	for _, key := range []string{"/", "/a", "a/", "a//b", strings.Repeat("a", maxBasePath+1)} {
		if _, err := NewBasePaths(map[string]int{key: 1}); err == nil {
			t.Errorf("%q: no error", key)
		}
	}
}

func TestTable(t *testing.T) {
	stages := map[string]string{"prod": "prod", "dev": "dev"}
	table, err := NewTable(map[string]map[string]Mapping[string]{
		"abc.execute-api.localhost": {"": {Stages: stages}},
		"shop.example.com":          {"v1": {Stage: "fixed"}, "by": {Stages: stages}},
		"*":                         {"": {Stage: "default"}},
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, row := range []struct{ host, path, want, rest string }{
		{"abc.execute-api.localhost", "/prod/pets", "prod", "/pets"},
		{"abc.execute-api.localhost", "//prod//pets", "prod", "//pets"},
		{"abc.execute-api.localhost", "/dev", "dev", ""},
		{"abc.execute-api.localhost", "/none/pets", "", ""},
		{"abc.execute-api.localhost", "/", "", ""},
		{"shop.example.com", "/v1/pets", "fixed", "/pets"},
		{"shop.example.com", "/by/dev/pets", "dev", "/pets"},
		{"shop.example.com", "/by/v1/pets", "", ""},
		{"shop.example.com", "/v2/pets", "", ""},
		{"other", "/v2/pets", "default", "/v2/pets"},
	} {
		got, rest, ok := table.Lookup([]byte(row.host), []byte(row.path))
		if ok != (row.want != "") || got != row.want || ok && string(rest) != row.rest {
			t.Errorf("%s%s: got %q, %q, %v, want %q, %q", row.host, row.path, got, rest, ok, row.want, row.rest)
		}
	}
	if _, err := NewTable(map[string]map[string]Mapping[string]{"a": {"/": {}}}); err == nil || !strings.Contains(err.Error(), `domain "a"`) {
		t.Errorf("bad base path: %v", err)
	}
	host, path := []byte("shop.example.com"), []byte("/by/dev/pets")
	if n := testing.AllocsPerRun(100, func() { table.Lookup(host, path) }); n != 0 {
		t.Errorf("%v allocations per look-up", n)
	}
}
