package configs

import (
	"errors"
	"os"
	"path/filepath"
	"testing"
)

// FuzzLoad holds that any text is either a valid host file or one whose every
// error says what is wrong.
func FuzzLoad(f *testing.F) {
	files, err := filepath.Glob("testdata/*.yaml")
	if err != nil {
		f.Fatal(err)
	}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		host, err := Parse("host.yaml", "/etc/tidegate", text)
		if (host == nil) == (err == nil) {
			t.Fatalf("host %v with error %v", host, err)
		}
		var all Errors
		if err != nil && (!errors.As(err, &all) || len(all) == 0) {
			t.Fatalf("error is %T: %v", err, err)
		}
		for _, e := range all {
			if e.Problem == "" {
				t.Errorf("an error without a problem: %+v", e)
			}
		}
	})
}
