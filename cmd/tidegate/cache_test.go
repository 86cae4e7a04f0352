package main

import (
	"slices"
	"strings"
	"testing"

	"github.com/tidegate/tidegate/dataplane/control"
)

// squeeze leaves one space where the columns of a table have more.
func squeeze(text string) string {
	lines := strings.Split(strings.TrimSpace(text), "\n")
	for i := range lines {
		lines[i] = strings.Join(strings.Fields(lines[i]), " ")
	}
	return strings.Join(lines, "\n")
}

func TestCacheSwitch(t *testing.T) {
	f := newFixture(t)
	f.must(t, "deploy", "-", "--stage", "prod")
	for _, c := range []struct{ args, want string }{
		{"disable petstore:prod", "petstore:prod: no cache"},
		{"enable petstore:prod --method /pets/get --ttl 60", "petstore:prod: cache of size 0.5, mode aws\n\nMETHOD CACHED SECONDS\n/pets/GET yes 60"},
		{"enable petstore:prod --size 6.1", "petstore:prod: cache of size 6.1, mode aws\n\nMETHOD CACHED SECONDS\nevery GET yes 300\n/pets/GET yes 60"},
		{"disable petstore:prod --method /pets/GET", "petstore:prod: cache of size 6.1, mode aws\n\nMETHOD CACHED SECONDS\nevery GET yes 300\n/pets/GET no 60"},
		{"enable petstore:prod --method //GET --ttl 0", "petstore:prod: cache of size 6.1, mode aws\n\nMETHOD CACHED SECONDS\nevery GET yes 300\n//GET yes 0\n/pets/GET no 60"},
		{"disable petstore:prod", "petstore:prod: no cache"},
		{"enable petstore:prod --mode standard", "petstore:prod: cache of size 6.1, mode standard\n\nMETHOD CACHED SECONDS\nevery method yes 300\n//GET yes 0\n/pets/GET no 60"},
		{"enable petstore:prod --mode aws --ttl 3600", "petstore:prod: cache of size 6.1, mode aws\n\nMETHOD CACHED SECONDS\nevery GET yes 3600\n//GET yes 0\n/pets/GET no 60"},
	} {
		if out := squeeze(f.must(t, append([]string{"cache"}, strings.Fields(c.args)...)...)); out != c.want {
			t.Errorf("cache %s printed\n%s\nwant\n%s", c.args, out, c.want)
		}
	}
	if s := decoded[control.Stage](t, f.must(t, "cache", "enable", "petstore:prod", "--json")); !s.CacheClusterEnabled || s.CacheClusterSize != "6.1" || len(s.MethodSettings) != 3 {
		t.Errorf("%+v", s)
	}
}

func TestCacheStatsAndFlush(t *testing.T) {
	f := newFixture(t)
	f.must(t, "deploy", "-", "--stage", "prod")
	f.must(t, "deploy", "-", "--stage", "test")
	f.must(t, "cache", "enable", "petstore:prod")
	f.must(t, "cache", "enable", "petstore:test")
	id := only[control.RestAPI](t, f.must(t, "apis", "--json")).ID
	const heading = "API STAGE MODE SIZE HITS MISSES RATIO ENTRIES BYTES"
	if out := squeeze(f.must(t, "cache")); out != heading {
		t.Errorf("no cache: %q", out)
	}
	if out := f.must(t, "cache", "--json"); out != "[]\n" {
		t.Errorf("no cache: %q", out)
	}
	if out := f.must(t, "status"); strings.Contains(out, "RATIO") {
		t.Errorf("status without a cache:\n%s", out)
	}
	f.caches = []control.CacheStatus{
		{APIID: id, APIName: "petstore", Stage: "prod", Mode: "aws", Size: "0.5", Hits: 2, Misses: 1, HitRatio: 2.0 / 3, Entries: 4, Bytes: 5000},
		{APIID: id, APIName: "petstore", Stage: "test", Mode: "standard", Size: "237"},
	}
	const prod = "\npetstore prod aws 0.5 2 1 66.7% 4 5000"
	if out := squeeze(f.must(t, "cache")); out != heading+prod+"\npetstore test standard 237 0 0 - 0 0" {
		t.Errorf("cache printed\n%s", out)
	}
	if out := squeeze(f.must(t, "cache", "stats", "petstore:prod")); out != heading+prod {
		t.Errorf("cache stats printed\n%s", out)
	}
	if list := decoded[[]control.CacheStatus](t, f.must(t, "cache", "stats", "--json")); !slices.Equal(list, f.caches) {
		t.Errorf("%+v", list)
	}
	if out := squeeze(f.must(t, "status")); !strings.Contains(out, "\n\nCACHE MODE HIT RATIO\npetstore:prod aws 66.7%\npetstore:test standard -\nnote:") {
		t.Errorf("status printed\n%s", out)
	}

	if out := f.must(t, "cache", "flush", "petstore:prod"); out != "flushed the cache of petstore:prod\n" {
		t.Errorf("flush printed %q", out)
	}
	if got := decoded[map[string]string](t, f.must(t, "cache", "flush", id+":test", "--json")); got["flushed"] != id+":test" {
		t.Errorf("%v", got)
	}
	if want := []string{"prod", "test"}; !slices.Equal(f.flushed, want) {
		t.Errorf("flushed %v, want %v", f.flushed, want)
	}
}

func TestCacheRefusals(t *testing.T) {
	f := newFixture(t)
	f.must(t, "deploy", "-", "--stage", "prod")
	for _, c := range []struct {
		code int
		want string
		args string
	}{
		{exitUsage, `unexpected "petstore:prod"`, "petstore:prod"},
		{exitUsage, "or: tidegate cache enable API:STAGE", "dance"},
		{exitUsage, "write API:STAGE", "stats petstore"},
		{exitUsage, "missing API:STAGE", "flush"},
		{exitUsage, "without a method", "flush petstore:prod:/pets/GET"},
		{exitUsage, "missing API:STAGE", "enable"},
		{exitUsage, "without a method", "enable petstore:prod:/pets/GET"},
		{exitUsage, "--ttl 3601: write seconds from 0 to 3600", "enable petstore:prod --ttl 3601"},
		{exitUsage, "--ttl -1: write seconds", "enable petstore:prod --ttl -1"},
		{exitUsage, "invalid value", "enable petstore:prod --ttl 5m"},
		{exitUsage, `--method "pets": write /path/VERB`, "enable petstore:prod --method pets"},
		{exitUsage, `--method "test:/pets/GET": write /path/VERB`, "enable petstore:prod --method test:/pets/GET"},
		{exitRefused, "Invalid cache cluster size: 2. Must be one of: [0.5, 1.6,", "enable petstore:prod --size 2"},
		{exitRefused, "it must be aws or standard", "enable petstore:prod --mode fast"},
		{exitRefused, "Invalid method setting path", "disable petstore:prod --method /pets/DANCE"},
		{exitRefused, "Invalid Stage identifier specified", "enable petstore:none"},
		{exitRefused, "Invalid Stage identifier specified", "stats petstore:none"},
		{exitRefused, `no API has the name or id "orders"`, "disable orders:prod"},
		{exitRefused, `no API has the name or id "orders"`, "flush orders:prod"},
		{exitRefused, "petstore:prod has no cache; tidegate cache enable petstore:prod gives it one", "flush petstore:prod"},
		{exitRefused, "petstore:prod has no cache", "stats petstore:prod"},
	} {
		f.refused(t, c.code, c.want, append([]string{"cache"}, strings.Fields(c.args)...)...)
	}
	if len(f.flushed) != 0 {
		t.Errorf("flushed %v", f.flushed)
	}
}
