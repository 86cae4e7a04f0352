package e2e

import (
	"encoding/json"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/tidegate/tidegate/internal/need"
)

// cli runs a command of the CLI on the daemon.
func (d *daemon) cli(args ...string) string {
	d.t.Helper()
	cmd := exec.Command(binary, args...)
	cmd.Env = append(os.Environ(), "TIDEGATE_SOCKET="+d.socket)
	var stderr strings.Builder
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		d.t.Fatalf("tidegate %s: %v\n%s", strings.Join(args, " "), err, &stderr)
	}
	return string(out)
}

// TestChat is the chat example as its README runs it: two pages in a browser talk
// through $connect, sendmessage and @connections.
func TestChat(t *testing.T) {
	t.Parallel()
	need.Tool(t, "chromium")
	const example = root + "/configs/examples/chat"
	d := start(t, host{domains: `[{name: "127.0.0.1", mappings: [{api: chat}]}]`})
	addr := freeAddr(t)
	text, err := os.ReadFile(example + "/chat.yaml")
	if err != nil {
		t.Fatal(err)
	}
	_, page, _ := strings.Cut(addr, ":")
	document := filepath.Join(d.dir, "chat.yaml")
	if err := os.WriteFile(document, []byte(strings.ReplaceAll(string(text), ":8090", ":"+page)), 0o644); err != nil {
		t.Fatal(err)
	}
	program := filepath.Join(d.dir, "chat-backend")
	if out, err := exec.Command("go", "build", "-o", program, example+"/backend").CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	d.cli("iam", "create-user", "chat-backend")
	d.cli("iam", "put-policy", "post-to-connections", example+"/policy.json")
	d.cli("iam", "attach", "chat-backend", "post-to-connections")
	var key struct{ AccessKeyID, SecretAccessKey string }
	if err := json.Unmarshal([]byte(d.cli("iam", "create-key", "chat-backend", "--json")), &key); err != nil {
		t.Fatal(err)
	}
	d.cli("deploy", document, "--stage", "prod", "--var", "backend="+addr)
	service := exec.Command(program, "-listen", addr, "-gateway", "http://"+d.addr+"/prod")
	service.Env = append(os.Environ(), "AWS_ACCESS_KEY_ID="+key.AccessKeyID, "AWS_SECRET_ACCESS_KEY="+key.SecretAccessKey)
	service.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if err := launch(service); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = service.Process.Kill()
		_ = service.Wait()
	})
	waitListening(t, addr)

	ann, bob := openBrowser(t, "http://"+addr+"/"), openBrowser(t, "http://"+addr+"/")
	const state, lines = "document.getElementById('state')?.textContent", "[...document.querySelectorAll('#log li')].map(l => l.textContent).join('|')"
	for _, b := range []*browser{ann, bob} {
		b.waitFor(state, "connected")
	}
	say := func(b *browser, name, text string) {
		b.run("document.getElementById('name').value = " + quote(name) + "; document.getElementById('text').value = " + quote(text) +
			"; document.getElementById('form').requestSubmit()")
	}
	say(ann, "Ann", "hello <b>Bob</b>")
	for _, b := range []*browser{ann, bob} {
		b.waitFor(lines, "Ann: hello <b>Bob</b>")
	}
	say(bob, "Bob", "hi ☃")
	for _, b := range []*browser{ann, bob} {
		b.waitFor(lines, "Ann: hello <b>Bob</b>|Bob: hi ☃")
	}

	// The operator sees both, speaks to one of them and hangs up.
	var list struct {
		Items []struct {
			ConnectionID, UserAgent string
			MessagesOut             int
		}
	}
	if err := json.Unmarshal([]byte(d.cli("connections", "chat", "prod", "--json")), &list); err != nil || len(list.Items) != 2 ||
		list.Items[0].MessagesOut != 2 || !strings.Contains(list.Items[0].UserAgent, "Chrome") {
		t.Fatalf("%+v, %v", list, err)
	}
	d.cli("connections", "send", list.Items[0].ConnectionID, `{"name": "operator", "text": "closing"}`)
	heard := 0
	for range 100 {
		if heard = strings.Count(ann.run(lines)+bob.run(lines), "operator: closing"); heard == 1 {
			break
		}
	}
	if heard != 1 {
		t.Errorf("%d pages heard the operator", heard)
	}
	d.cli("connections", "close", list.Items[0].ConnectionID)
	for _, b := range []*browser{ann, bob} { // whoever was closed is back a second later
		b.waitFor(state, "connected")
	}
	// A page of another origin does not get in, and the browser knows.
	stranger := openBrowser(t, "http://"+d.admin+"/healthz")
	stranger.waitFor("location.pathname + ' ' + document.readyState", "/healthz complete")
	if got := stranger.run(`new Promise(r => { const s = new WebSocket("ws://` + d.addr + `/prod"); s.onopen = () => r("open"); s.onclose = e => r("closed " + e.code) })`); got != "closed 1006" {
		t.Errorf("a page of another origin: %s", got)
	}
}

// quote is a text as JavaScript writes it.
func quote(s string) string {
	text, _ := json.Marshal(s)
	return string(text)
}

// waitListening waits until somebody listens at an address.
func waitListening(t *testing.T, addr string) {
	t.Helper()
	for range 200 {
		if conn, err := net.Dial("tcp", addr); err == nil {
			_ = conn.Close()
			return
		}
		time.Sleep(25 * time.Millisecond)
	}
	t.Fatalf("nobody listens at %s", addr)
}
