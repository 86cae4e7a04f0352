package crs

import (
	"context"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	coreruleset "github.com/corazawaf/coraza-coreruleset/v4"
	"github.com/corazawaf/coraza/v3"
)

// unfiltered is the engine of a configuration without SecRxPreFilter.
func unfiltered(t testing.TB, c Config) *Engine {
	t.Helper()
	directives := strings.Replace(c.Directives(), "SecRxPreFilter On", "SecRxPreFilter Off", 1)
	waf, err := coraza.NewWAF(coraza.NewWAFConfig().WithRootFS(coreruleset.FS).WithDirectives(directives))
	if err != nil {
		t.Fatal(err)
	}
	return &Engine{waf: waf, config: c}
}

// The same rules match with the filter and without, for texts that are made of
// what attacks are made of.
func TestPrefilterChangesNothing(t *testing.T) {
	c := Config{Groups: AllGroups, ParanoiaLevel: 4, Threshold: 10_000, BodyLimit: limit}
	with, err := shared.Get(c)
	if err != nil {
		t.Fatal(err)
	}
	without := unfiltered(t, c)
	pieces := []string{
		"' or ", "1=1", "--", "/*", "*/", " union ", "SELECT", " from users", "<script", ">", "alert(1)", "onerror=", "javascript:", "../", "..\\",
		"etc/passwd", "c:\\windows", ";", "|", "&&", "$(", "`", "cat ", "/bin/sh", "wget http://", "<?php", "eval(", "base64_decode", "${", "jndi:", "ldap://",
		"java.lang.", "Runtime", "{{", "}}", "__proto__", "require('", "%00", "\r\n", "Set-Cookie: ", "HTTP/1.1", "sleep(5)", "0x41", "char(", "é", "\u017felect", "\x80", "a", " ", "=", "\"",
		"http://127.0.0.1/", "169.254.169.254", ".git/", ".env", "UNION ALL", "xp_cmdshell", "&#x3c;", "%3c", "\\u003c",
	}
	rounds := 150
	if underRace {
		rounds = 10
	}
	r := rand.New(rand.NewPCG(1, 2))
	for range rounds {
		var text strings.Builder
		for range 1 + r.IntN(8) {
			piece := pieces[r.IntN(len(pieces))]
			if r.IntN(4) == 0 {
				piece = strings.ToUpper(piece)
			}
			text.WriteString(piece)
		}
		req := request("POST", "/prod/x", text.String(), "Content-Type: text/plain")
		a, err := with.Inspect(context.Background(), req)
		if err != nil {
			t.Fatal(err)
		}
		b, err := without.Inspect(context.Background(), req)
		if err != nil {
			t.Fatal(err)
		}
		slices.Sort(a.Rules)
		slices.Sort(b.Rules)
		if !slices.Equal(a.Rules, b.Rules) {
			t.Fatalf("%q matched %v with the filter and %v without", text.String(), a.Rules, b.Rules)
		}
	}
}
