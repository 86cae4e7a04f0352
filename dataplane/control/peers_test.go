package control

import (
	"bytes"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"
)

const childSocket = "TIDEGATE_TEST_CONTROL_SOCKET"
const childFlood = "TIDEGATE_TEST_CONTROL_FLOOD"
const childCalls = "TIDEGATE_TEST_CONTROL_CALLS" // "METHOD path" with commas between, in the place of tryBoth's

func TestMain(m *testing.M) {
	if socket := os.Getenv(childSocket); socket != "" {
		if os.Getenv(childFlood) != "" {
			flood(socket)
		} else {
			tryBoth(socket)
		}
		return
	}
	os.Exit(m.Run())
}

// tryBoth is a child that reads and changes something and prints how it went.
func tryBoth(socket string) {
	client := &http.Client{Transport: unixTransport(socket)}
	calls := [][3]string{{"GET", "/restapis", ""}, {"POST", "/restapis", `{"name":"x"}`}, {"POST", "/tidegate/validate", "x"}}
	if given := os.Getenv(childCalls); given != "" {
		calls = nil
		for call := range strings.SplitSeq(given, ",") {
			method, path, _ := strings.Cut(call, " ")
			calls = append(calls, [3]string{method, path, ""})
		}
	}
	for _, call := range calls {
		req, _ := http.NewRequest(call[0], "http://control"+call[1], strings.NewReader(call[2]))
		resp, err := client.Do(req)
		if err != nil {
			fmt.Print("no-connection ")
			continue
		}
		_, _ = io.Copy(io.Discard, resp.Body)
		_ = resp.Body.Close()
		fmt.Printf("%d%s ", resp.StatusCode, strings.TrimSuffix(resp.Header.Get("x-amzn-ErrorType"), "Exception"))
	}
}

// flood is a child that takes every connection it can get, says how many it
// still has, and waits to be killed.
func flood(socket string) {
	var open []net.Conn
	for range 400 {
		if c, err := net.Dial("unix", socket); err == nil {
			open = append(open, c)
		}
	}
	var kept atomic.Int32
	var wg sync.WaitGroup
	for _, c := range open {
		wg.Go(func() { // the refused ones are told and closed by then
			_ = c.SetReadDeadline(time.Now().Add(2 * time.Second))
			if _, err := c.Read(make([]byte, 1)); os.IsTimeout(err) {
				kept.Add(1)
			}
		})
	}
	wg.Wait()
	fmt.Println(kept.Load())
	time.Sleep(time.Minute)
}

// childAs makes a child of this test binary with the credentials.
func childAs(t *testing.T, cred *syscall.Credential, env ...string) *exec.Cmd {
	t.Helper()
	dir := shortDir(t)
	binary := filepath.Join(dir, "child")
	if err := os.Chmod(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(os.Args[0])
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(binary, text, 0o755); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(binary)
	cmd.Dir = "/"
	cmd.Env = append(os.Environ(), env...)
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: cred}
	return cmd
}

func needRoot(t *testing.T) {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Skip("not root: cannot run processes of other users")
	}
}

func TestCredentialMatrix(t *testing.T) {
	if testing.Short() {
		t.Skip("starts a hundred processes; left out by -short")
	}
	needRoot(t)
	const writers, readers, nobody = 40001, 40002, 12345
	all, look, none := "200 201 200 ", "200 403AccessDenied 200 ", "403AccessDenied 403AccessDenied 403AccessDenied "
	const shut = "no-connection no-connection no-connection "
	for _, tt := range []struct {
		name  string
		mode  os.FileMode
		group string
		read  string
		cred  syscall.Credential
		want  string
	}{
		{"root", 0o660, "40001", "", syscall.Credential{}, all},
		{"writer, primary group", 0o660, "40001", "", syscall.Credential{Uid: nobody, Gid: writers}, all},
		{"writer, supplementary group", 0o660, "40001", "", syscall.Credential{Uid: nobody, Gid: 1, Groups: []uint32{5, writers}}, all},
		{"stranger", 0o660, "40001", "", syscall.Credential{Uid: nobody, Gid: 1}, shut},
		{"no group at all", 0o660, "", "", syscall.Credential{Uid: nobody, Gid: writers}, shut},
		{"reader, sole group", 0o660, "", "40002", syscall.Credential{Uid: nobody, Gid: readers}, look},
		{"two groups, writer", 0o666, "40001", "40002", syscall.Credential{Uid: nobody, Gid: 1, Groups: []uint32{writers}}, all},
		{"two groups, reader", 0o666, "40001", "40002", syscall.Credential{Uid: nobody, Gid: 1, Groups: []uint32{readers}}, look},
		{"two groups, both", 0o666, "40001", "40002", syscall.Credential{Uid: nobody, Gid: readers, Groups: []uint32{writers}}, all},
		{"two groups, stranger", 0o666, "40001", "40002", syscall.Credential{Uid: nobody, Gid: 1}, none},
		{"open socket, no group", 0o666, "", "", syscall.Credential{Uid: nobody, Gid: 0}, none},
	} {
		t.Run(tt.name, func(t *testing.T) {
			b := newBench(t, func(o *Options) { o.Mode, o.Group, o.ReadGroup = tt.mode, tt.group, tt.read })
			if err := os.Chmod(filepath.Dir(filepath.Dir(b.socket)), 0o755); err != nil {
				t.Fatal(err)
			}
			out, err := childAs(t, &tt.cred, childSocket+"="+b.socket).Output()
			if err != nil {
				t.Fatal(err)
			}
			if string(out) != tt.want {
				t.Errorf("got  %s\nwant %s", out, tt.want)
			}
			if made := len(b.gateway.Catalog().APIs); made != strings.Count(string(out), "201") {
				t.Errorf("%d APIs made", made)
			}
			if strings.Contains(tt.want, "403AccessDenied 2") && !strings.Contains(b.log.String(), "level=WARN msg=control uid=12345") {
				t.Errorf("a refused change is not in the log: %s", b.log)
			}
		})
	}
}

func TestOneUserCannotTakeEveryConnection(t *testing.T) {
	needRoot(t)
	b := newBench(t, func(o *Options) { o.Mode = 0o666 })
	if err := os.Chmod(filepath.Dir(filepath.Dir(b.socket)), 0o755); err != nil {
		t.Fatal(err)
	}
	for uid := range uint32(4) {
		cmd := childAs(t, &syscall.Credential{Uid: 20000 + uid, Gid: 1}, childSocket+"="+b.socket, childFlood+"=1")
		out, err := cmd.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		defer func() { _ = cmd.Process.Kill(); _ = cmd.Wait() }()
		line := make([]byte, 16)
		n, err := out.Read(line)
		if err != nil {
			t.Fatal(err)
		}
		want := maxConnectionsUser
		if uid == 3 {
			want = 0 // three users have the three quarters
		}
		if got := string(bytes.TrimSpace(line[:n])); got != fmt.Sprint(want) {
			t.Errorf("user %d keeps %s connections, want %d", uid, got, want)
		}
	}
	b.want(200, "GET", "/restapis", "")
}
