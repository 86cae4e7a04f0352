package main

import (
	"strings"
	"testing"
)

func TestThrottle(t *testing.T) {
	f := newFixture(t)
	f.must(t, "deploy", "-", "--stage", "prod")
	f.must(t, "deploy", "-", "--stage", "test")
	for _, c := range []struct {
		args string
		want []string // lines below the heading, without spaces at runs
	}{
		{"", []string{"account all APIs together 10000 5000"}},
		{"account 2000", []string{"account all APIs together 2000 1000"}},
		{"account 2000 300", []string{"account all APIs together 2000 300"}},
		{"account 1500.5", []string{"account all APIs together 1500.5 750"}},
		{"account none", []string{"account all APIs together 10000 5000"}},
		{"petstore:prod 100 200", []string{"petstore:prod each method 100 200"}},
		{"petstore:prod:/pets/{id}/get 5 10", []string{"petstore:prod each method 100 200", "petstore:prod:/pets/{id}/GET the method 5 10"}},
		{"petstore:test://ANY 0 0", []string{"petstore:test://ANY the method 0 0"}},
		{"petstore:test://ANY none", nil},
		{"total petstore:test 50 60", []string{"petstore:test all methods together 50 60"}},
		{"guarantee petstore:test 20", []string{"petstore:test guaranteed share 20 -", "petstore:test all methods together 50 60"}},
		{"", []string{
			"account all APIs together 10000 5000",
			"petstore:prod each method 100 200", "petstore:prod:/pets/{id}/GET the method 5 10",
			"petstore:test guaranteed share 20 -", "petstore:test all methods together 50 60",
		}},
		{"priority petstore:test low", []string{"petstore:test guaranteed share 20 -", "petstore:test low priority - -", "petstore:test all methods together 50 60"}},
		{"priority petstore:test none", []string{"petstore:test guaranteed share 20 -", "petstore:test all methods together 50 60"}},
		{"total petstore:test none", []string{"petstore:test guaranteed share 20 -"}},
		{"guarantee petstore:test none", nil},
		{"petstore:prod none", []string{"petstore:prod:/pets/{id}/GET the method 5 10"}},
	} {
		out := f.must(t, append([]string{"throttle"}, strings.Fields(c.args)...)...)
		lines := strings.Split(strings.TrimSpace(out), "\n")[1:]
		for i := range lines {
			lines[i] = strings.Join(strings.Fields(lines[i]), " ")
		}
		if got, want := strings.Join(lines, "\n"), strings.Join(c.want, "\n"); got != want {
			t.Errorf("throttle %s printed\n%s\nwant\n%s", c.args, got, want)
		}
	}
	if rows := decoded[[]limitRow](t, f.must(t, "throttle", "--json")); len(rows) != 2 || rows[1].Stage != "prod" || *rows[1].Rate != 5 {
		t.Errorf("%+v", rows)
	}
}

func TestThrottleRefusals(t *testing.T) {
	f := newFixture(t)
	f.must(t, "deploy", "-", "--stage", "prod")
	for _, c := range []struct {
		code int
		want string
		args string
	}{
		{exitUsage, "write API:STAGE", "petstore 1 2"},
		{exitUsage, "write RATE and BURST, or none", "petstore:prod"},
		{exitUsage, "write RATE and BURST, or none", "petstore:prod 5"},
		{exitUsage, "write RATE and BURST, or none", "petstore:prod none 5"},
		{exitUsage, `rate "fast"`, "petstore:prod fast 5"},
		{exitUsage, `unexpected "4"`, "petstore:prod 2 3 4"},
		{exitUsage, "missing RATE, or none", "account"},
		{exitUsage, `unexpected "5" behind none`, "account none 5"},
		{exitUsage, `burst "x"`, "account 5 x"},
		{exitRefused, "more than 0", "account 0"},
		{exitUsage, "missing API:STAGE", "guarantee petstore:prod"},
		{exitUsage, "without a method", "guarantee petstore:prod:/pets/GET 5"},
		{exitUsage, "missing API:STAGE", "priority petstore:prod"},
		{exitRefused, "use low, normal or high", "priority petstore:prod urgent"},
		{exitUsage, "without a method", "total petstore:prod:/pets/GET 5 5"},
		{exitRefused, "Invalid Stage identifier specified", "petstore:none 1 2"},
		{exitRefused, `no API has the name or id "orders"`, "orders:prod 1 2"},
		{exitRefused, "no method setting for this method", "petstore:prod none"},
		{exitRefused, "Invalid method setting path", "petstore:prod:/pets/DANCE 1 2"},
	} {
		f.refused(t, c.code, c.want, append([]string{"throttle"}, strings.Fields(c.args)...)...)
	}
}

func TestTargets(t *testing.T) {
	for in, want := range map[string]target{
		"petstore:prod":                 {"petstore", "prod", "", ""},
		"my:api:prod":                   {"my:api", "prod", "", ""},
		"a b:prod-1:/pets/{id}/get":     {"a b", "prod-1", "/pets/{id}", "GET"},
		"petstore:prod://GET":           {"petstore", "prod", "/", "GET"},
		"a:b:prod:/x:y/{proxy+}/DELETE": {"a:b", "prod", "/x:y/{proxy+}", "DELETE"},
	} {
		if got, err := parseTarget(in); err != nil || got != want {
			t.Errorf("%q: %+v (%v), want %+v", in, got, err, want)
		}
	}
	for _, in := range []string{"", "petstore", ":prod", "petstore:", "petstore:prod:", "petstore:prod:/GET", "petstore:prod:pets/GET", "petstore:pr od"} {
		if got, err := parseTarget(in); err == nil {
			t.Errorf("%q: %+v", in, got)
		}
	}
	if got := (&target{path: "/a~b/{id}", verb: "GET"}).method(); got != "~1a~0b~1{id}/GET" {
		t.Errorf("method %q", got)
	}
}
