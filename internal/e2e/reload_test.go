package e2e

import (
	"errors"
	"fmt"
	"os"
	"strings"
	"syscall"
	"testing"
	"time"
)

// reload has the daemon read its host file and waits for what it says then.
func (d *daemon) reload(says string) {
	d.t.Helper()
	if allSandboxed {
		d.letIn()
	}
	before := strings.Count(d.stderr.String(), says)
	if err := d.cmd.Process.Signal(syscall.SIGHUP); err != nil {
		d.t.Fatal(err)
	}
	eventually(d.t, 5*time.Second, func() error {
		if strings.Count(d.stderr.String(), says) == before {
			return fmt.Errorf("it does not say %q", says)
		}
		return nil
	})
}

// TestReload changes the host file of a daemon that serves.
func TestReload(t *testing.T) {
	d := start(t, host{domains: `[{name: one.example, mappings: [{api: test}]}]`})
	d.deploy("prod", mocks, nil)
	serves := func(name string, yes bool) {
		t.Helper()
		a := d.ask("GET", "/prod/pets", "", "Host: "+name)
		if yes {
			a.expect(t, name, 200, "pets")
		} else {
			a.expectError(t, name, 403, "Forbidden", "ForbiddenException")
		}
	}
	serves("one.example", true)
	serves("two.example", false)
	load := newTraffic(8, d.addr, time.Millisecond, func(c *client, _ int) error {
		a, err := c.ask("GET", "/prod/pets", "", "Host: one.example")
		if err == nil && a.status != 200 {
			err = fmt.Errorf("status %d", a.status)
		}
		return err
	})

	const applied, refused = "host file applied", "host file not applied"
	next := d.host
	next.domains = `[{name: one.example, mappings: [{api: test}]}, {name: two.example, mappings: [{api: test, stage: prod, base_path: v1}]}]`
	next.more = "limits: {header_count: 10}"
	d.write(next)
	d.reload(applied)
	serves("one.example", true)
	serves("two.example", false)
	d.ask("GET", "/v1/pets", "", "Host: two.example").expect(t, "base path", 200, "pets")
	many := make([]string, 10)
	for i := range many {
		many[i] = fmt.Sprintf("X-%d: y", i)
	}
	if a := d.ask("GET", "/prod/pets", "", many...); a.status != 431 {
		t.Errorf("11 header lines after the limit became 10: %d", a.status)
	}

	// What cannot be applied leaves all as it was.
	for name, wrong := range map[string]string{
		"not valid":  "limits: {header_count: nine}",
		"unknown":    "no_such_key: 1",
		"restart":    "region: eu-west-1",
		"not a file": "upstream: {ca_file: none.pem}",
	} {
		bad := next
		bad.domains, bad.more = "[]", wrong
		d.write(bad)
		d.reload(refused)
		d.ask("GET", "/v1/pets", "", "Host: two.example").expect(t, name, 200, "pets")
		serves("one.example", true)
	}
	load.Stop(t)

	// A restart finds what was deployed.
	d.write(d.host)
	d.terminate(5 * time.Second)
	d.run()
	d.waitReady()
	serves("one.example", true)
	serves("two.example", false)
}

// TestReloadReopensAccessLog renames the log, as rotation does.
func TestReloadReopensAccessLog(t *testing.T) {
	d := start(t, host{})
	d.deploy("prod", mocks, nil)
	d.ask("GET", "/prod/pets", "").expect(t, "before", 200, "pets")
	logged := func(file, path string) error {
		text, err := os.ReadFile(file)
		if err == nil && !strings.Contains(string(text), path) {
			err = fmt.Errorf("%s has no line of %s", file, path)
		}
		return err
	}
	eventually(t, 5*time.Second, func() error { return logged(d.log, "/prod/pets") })
	old := d.log + ".1"
	if err := os.Rename(d.log, old); err != nil {
		t.Fatal(err)
	}
	d.reload("host file applied")
	d.ask("GET", "/prod/test", "")
	eventually(t, 5*time.Second, func() error { return logged(d.log, "/prod/test") })
	if err := errors.Join(logged(old, "/prod/pets"), logged(d.log, "/prod/pets")); err == nil {
		t.Error("a line is in both files")
	}
}
