package main

import (
	"bytes"
	"io"
	"path/filepath"
	"strings"
	"testing"
)

func TestRefusals(t *testing.T) {
	for name, c := range map[string]struct {
		args []string
		says string
	}{
		"unknown scenario": {[]string{"-scenario", "nothing", "-self-check"}, `no scenario "nothing"`},
		"no binary":        {[]string{"-tidegate", filepath.Join(t.TempDir(), "tidegate")}, "make build"},
		"unknown flag":     {[]string{"-nothing"}, "-nothing"},
		"bad generator":    {[]string{"open-loop", "{"}, "parameters"},
	} {
		var stdout bytes.Buffer
		err := run(c.args, &stdout, io.Discard)
		if err == nil || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s: %v", name, err)
		}
		if stdout.Len() > 0 {
			t.Errorf("%s: wrote %q", name, stdout.String())
		}
	}
}
