package main

import (
	"bytes"
	"os"
	"testing"
)

// TestPageIsCurrent fails when docs/configuration.md is older than the types
// it describes.
func TestPageIsCurrent(t *testing.T) {
	want, err := Page("..")
	if err != nil {
		t.Fatal(err)
	}
	got, err := os.ReadFile("../../docs/configuration.md")
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Error("docs/configuration.md is out of date: run make generate")
	}
}
