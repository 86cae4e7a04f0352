package e2e

import (
	"bufio"
	"encoding/json"
	"fmt"
	"net/http"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/fasthttp/websocket"

	"github.com/tidegate/tidegate/internal/need"
)

// browser is a headless Chromium with one page, driven by the DevTools protocol.
type browser struct {
	t    *testing.T
	conn *websocket.Conn
	id   int
}

// openBrowser opens a page.
func openBrowser(t *testing.T, url string) *browser {
	t.Helper()
	cmd := exec.Command(need.Tool(t, "chromium"), "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
		"--disable-background-networking", "--disable-component-update", "--disable-sync", "--remote-debugging-port=0",
		"--remote-allow-origins=*", "--user-data-dir="+filepath.Join(t.TempDir(), "profile"), url)
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
	stderr, err := cmd.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := launch(cmd); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL)
		_ = cmd.Wait()
	})
	const says = "DevTools listening on ws://"
	address := ""
	for lines := bufio.NewScanner(stderr); address == "" && lines.Scan(); {
		if _, rest, ok := strings.Cut(lines.Text(), says); ok {
			address, _, _ = strings.Cut(rest, "/")
		}
	}
	if address == "" {
		t.Fatal("chromium says no address to drive it by")
	}
	go func() { // it must be able to go on talking
		_, _ = bufio.NewReader(stderr).WriteTo(discard{})
	}()
	b := &browser{t: t}
	for range 100 {
		resp, err := http.Get("http://" + address + "/json")
		if err != nil {
			t.Fatal(err)
		}
		var pages []struct {
			Type, URL string
			Socket    string `json:"webSocketDebuggerUrl"`
		}
		err = json.NewDecoder(resp.Body).Decode(&pages)
		_ = resp.Body.Close()
		for _, p := range pages {
			if err == nil && p.Type == "page" && strings.HasPrefix(p.URL, url) {
				if b.conn, _, err = websocket.DefaultDialer.Dial(p.Socket, nil); err != nil {
					t.Fatal(err)
				}
				t.Cleanup(func() { _ = b.conn.Close() })
				return b
			}
		}
		time.Sleep(100 * time.Millisecond)
	}
	t.Fatal("the page does not open")
	return nil
}

type discard struct{}

func (discard) Write(p []byte) (int, error) { return len(p), nil }

// run runs a script in the page and returns what it comes to, as a text.
func (b *browser) run(script string) string {
	b.t.Helper()
	b.id++
	_ = b.conn.SetReadDeadline(time.Now().Add(20 * time.Second))
	if err := b.conn.WriteJSON(map[string]any{"id": b.id, "method": "Runtime.evaluate",
		"params": map[string]any{"expression": script, "returnByValue": true, "awaitPromise": true}}); err != nil {
		b.t.Fatal(err)
	}
	for {
		var got struct {
			ID     int
			Result struct {
				Result           struct{ Value any }
				ExceptionDetails any
			}
		}
		if err := b.conn.ReadJSON(&got); err != nil {
			b.t.Fatal(err)
		}
		if got.ID != b.id {
			continue
		}
		if got.Result.ExceptionDetails != nil {
			b.t.Fatalf("%s: %v", script, got.Result.ExceptionDetails)
		}
		return fmt.Sprint(got.Result.Result.Value)
	}
}

// waitFor runs a script until it comes to want.
func (b *browser) waitFor(script, want string) {
	b.t.Helper()
	got := ""
	for range 200 {
		if got = b.run(script); got == want {
			return
		}
		time.Sleep(50 * time.Millisecond)
	}
	b.t.Fatalf("%s: %q, want %q", script, got, want)
}
