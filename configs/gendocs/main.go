// Command gendocs writes docs/configuration.md from the types of package
// configs: their keys, doc comments and defaults.
package main

import (
	"flag"
	"fmt"
	"os"
)

func main() {
	source := flag.String("source", ".", "folder of package configs")
	output := flag.String("o", "", "file to write")
	flag.Parse()
	page, err := Page(*source)
	if err == nil {
		err = os.WriteFile(*output, page, 0o644)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "gendocs:", err)
		os.Exit(1)
	}
}
