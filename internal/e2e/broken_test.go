package e2e

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"reflect"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/tidegate/tidegate/dataplane/control"
)

var update = flag.Bool("update", false, "rewrite the golden files")

// brokenFile says what its format is.
const brokenFile = "testdata/broken.txt"

// broken is a configuration that is refused.
type broken struct{ kind, text, reason string }

func readBroken(t *testing.T) (comment string, rows []broken) {
	t.Helper()
	text, err := os.ReadFile(brokenFile)
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(text)) {
		line = strings.TrimSuffix(line, "\n")
		reason, isReason := strings.CutPrefix(line, "  = ")
		kind, rest, _ := strings.Cut(line, " ")
		switch {
		case strings.HasPrefix(line, "#"):
			comment += line + "\n"
		case line == "":
		case isReason:
			rows[len(rows)-1].reason = reason
		default:
			rows = append(rows, broken{kind: kind, text: strings.TrimSpace(rest)})
		}
	}
	return comment, rows
}

func writeBroken(t *testing.T, comment string, rows []broken) {
	t.Helper()
	text := comment
	for i, b := range rows {
		if i == 0 || rows[i-1].kind != b.kind {
			text += "\n"
		}
		text += fmt.Sprintf("%-12s %s\n  = %s\n", b.kind, b.text, b.reason)
	}
	if err := os.WriteFile(brokenFile, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

// try has the daemon take a configuration, and returns why it does not.
func (b *broken) try(d *daemon, api string) error {
	ctx := context.Background()
	document := b.text
	switch b.kind {
	case "host", "listener", "domains", "throttle":
		return d.tryHost(b)
	case "policy":
		_, err := d.client.UpdateAPI(ctx, api, control.PatchOperation{Op: "replace", Path: "/policy", Value: b.text})
		return err
	case "operation":
		document = `{openapi: 3.0.1, info: {title: test}, paths: {/x: {get: ` + b.text + `}}}`
	case "integration":
		document = `{openapi: 3.0.1, info: {title: test}, paths: {/x: {get: {responses: {"200": {}}, x-amazon-apigateway-integration: {type: http, ` + b.integration() + `}}}}}`
	case "document":
	default:
		return fmt.Errorf("%s: there is no kind %q", brokenFile, b.kind)
	}
	_, err := d.client.Put(ctx, api, []byte(document), "overwrite", control.ImportOptions{})
	if err == nil { // perhaps a deployment refuses it
		_, err = d.client.Deploy(ctx, api, control.DeployInput{Stage: "other"})
	}
	return err
}

// integration is the row with a verb, if it has none.
func (b *broken) integration() string {
	if strings.Contains(b.text, "httpMethod") {
		return b.text
	}
	return "httpMethod: GET, " + b.text
}

// firstReason is the first line that says one, without the list of all keys.
func firstReason(err error) string {
	lines := strings.Split(err.Error(), "\n")
	if len(lines) > 1 && strings.HasSuffix(lines[0], ":") {
		return strings.TrimSpace(lines[1])
	}
	reason, _, _ := strings.Cut(lines[0], "; known keys are ")
	return reason
}

const notApplied = "host file not applied"

// tryHost writes the host file with what is broken in place of the section of the
// same name, if it has one.
func (d *daemon) tryHost(b *broken) error {
	text := d.hostText(d.host)
	more := b.text
	switch b.kind {
	case "listener":
		text, more = strings.Replace(text, "listeners:\n", "listeners:\n  - "+b.text+"\n", 1), ""
	case "domains", "throttle":
		more = b.kind + ": " + b.text
	}
	section, _, _ := strings.Cut(more, ":")
	kept := ""
	dropping := false
	for line := range strings.Lines(text) {
		if !strings.HasPrefix(line, " ") {
			dropping = more != "" && strings.HasPrefix(line, section+":")
		}
		if !dropping {
			kept += line
		}
	}
	if err := os.WriteFile(d.config, []byte(kept+more+"\n"), 0o644); err != nil {
		return err
	}
	d.reload("host file ")
	log := d.stderr.String()
	last := log[strings.LastIndex(log, "host file "):]
	if !strings.HasPrefix(last, notApplied) {
		return nil
	}
	_, quoted, _ := strings.Cut(last, " error=")
	quoted, _, _ = strings.Cut(quoted, "\n")
	reason, err := strconv.Unquote(quoted)
	if err != nil {
		return fmt.Errorf("%s: %w", last, err)
	}
	return errors.New(strings.ReplaceAll(reason, d.dir, "DIR"))
}

// TestR18BrokenConfigurations: each is refused with its reason before anything is
// swapped, and no request notices.
func TestR18BrokenConfigurations(t *testing.T) {
	t.Parallel()
	comment, rows := readBroken(t)
	if len(rows) < 200 {
		t.Errorf("there are %d of them", len(rows))
	}
	d := start(t, host{})
	backend := echoPath(t)
	api := d.deploy("prod", revision(1), map[string]string{"backend": backend, "revision": "1"})
	before, err := d.client.Stages(context.Background(), api)
	if err != nil {
		t.Fatal(err)
	}
	load := newTraffic(4, d.addr, 2*time.Millisecond, oneRevision())
	for i := range rows {
		b := &rows[i]
		err := b.try(d, api)
		if err == nil {
			t.Errorf("not refused: %s %s", b.kind, b.text)
			continue
		}
		reason := strings.ReplaceAll(firstReason(err), api, "API")
		if *update {
			b.reason = reason
		} else if b.reason == "" || !strings.Contains(reason, b.reason) {
			t.Errorf("%s %s: refused because\n%s, want\n%s", b.kind, b.text, reason, b.reason)
		}
	}
	load.Stop(t)
	if after, err := d.client.Stages(context.Background(), api); err != nil || !reflect.DeepEqual(after, before) {
		t.Errorf("stages %+v, %v; before %+v", after, err, before)
	}
	if *update {
		writeBroken(t, comment, rows)
	}
}

// TestR18Swap: a valid host file, for which all APIs are compiled and swapped, is
// in force at once, however many APIs there are.
func TestR18Swap(t *testing.T) {
	t.Parallel()
	few, many := lesser(100, 20), lesser(1000, 200)
	took := map[int]time.Duration{}
	var calm, swapping time.Duration // p99 of requests
	for _, apis := range []int{few, many} {
		d := prepare(t, host{})
		d.fill(apis)
		d.run()
		d.waitReady()
		requests := func(lat *latencies) *traffic {
			return newTraffic(2, d.addr, time.Millisecond, lat.timed(func(c *client, _ int) error {
				a, err := c.ask("GET", "/prod/pets", "", "Host: api0000001.execute-api.localhost")
				if err == nil && a.status != 200 {
					err = fmt.Errorf("status %d", a.status)
				}
				return err
			}))
		}
		before, meanwhile := new(latencies), new(latencies)
		load := requests(before)
		time.Sleep(500 * time.Millisecond)
		load.Stop(t)
		load = requests(meanwhile)
		for turn := range 7 {
			if each := d.swap(turn); took[apis] == 0 || each < took[apis] {
				took[apis] = each // the least: others use the machine too
			}
		}
		load.Stop(t)
		calm, swapping = before.quantile(0.99), meanwhile.quantile(0.99)
		d.terminate(10 * time.Second)
	}
	ratio := float64(took[many]) / float64(took[few])
	found(t, "R18", "%d APIs swapped in %s, %d in %s; p99 of requests meanwhile %s, %s before", few, tenths(took[few]), many, tenths(took[many]), tenths(swapping), tenths(calm))
	if most := 3 * float64(many) / float64(few); ratio > most {
		t.Errorf("%d times the APIs take %.1f times as long", many/few, ratio)
	}
	// The pause is for who reads it: client and compiler want the same cores.
	if soaking() && took[many] > 200*time.Millisecond {
		t.Error("over the bound")
	}
}

// swap has all APIs compiled and swapped, and returns how long that took.
func (d *daemon) swap(turn int) time.Duration {
	d.t.Helper()
	next := d.host
	next.more = fmt.Sprintf("limits: {header_count: %d}", 50+turn)
	d.write(next)
	began := time.Now()
	if err := d.cmd.Process.Signal(syscall.SIGHUP); err != nil {
		d.t.Fatal(err)
	}
	for strings.Count(d.stderr.String(), "host file applied") <= turn {
		if time.Since(began) > 20*time.Second {
			d.t.Fatalf("not applied: %s", d.stderr.tail(1000))
		}
		time.Sleep(time.Millisecond)
	}
	return time.Since(began)
}
