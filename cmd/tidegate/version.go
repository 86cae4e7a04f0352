package main

import (
	"fmt"
	"runtime"
	"runtime/debug"
)

// release is set by the linker: -X main.release=1.2.3.
var release string

var versionCommand = &command{
	name:    "version",
	args:    "[--json]",
	summary: "show the version of this binary",
	help:    "Shows the version of this binary and of the Go release that built it. It asks no daemon.",
}

func init() { versionCommand.run = showVersion }

func showVersion(e *env, args []string) error {
	f := newFlags(e, versionCommand)
	asJSON := f.Bool("json", false, "print JSON")
	if operands, err := f.parse(args); err != nil {
		return err
	} else if len(operands) > 0 {
		return usagef("unexpected %q", operands[0])
	}
	if *asJSON {
		return printJSON(e.stdout, map[string]string{
			"version": version(), "go": runtime.Version(), "platform": runtime.GOOS + "/" + runtime.GOARCH,
		})
	}
	_, err := fmt.Fprintf(e.stdout, "tidegate %s (%s, %s/%s)\n", version(), runtime.Version(), runtime.GOOS, runtime.GOARCH)
	return err
}

// version is the release, or the commit of a build without one.
func version() string {
	if release != "" {
		return release
	}
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return "devel"
	}
	revision, changed := "", ""
	for _, s := range info.Settings {
		switch {
		case s.Key == "vcs.revision":
			revision = s.Value[:min(len(s.Value), 12)]
		case s.Key == "vcs.modified" && s.Value == "true":
			changed = "+changes"
		}
	}
	if revision == "" {
		return "devel"
	}
	return "devel-" + revision + changed
}
