package state

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/tidegate/tidegate/dataplane/definition"
)

const (
	childDir    = "TIDEGATE_TEST_STATE_DIR"
	childSize   = "TIDEGATE_TEST_STATE_FILE_LIMIT"
	childWrites = "TIDEGATE_TEST_STATE_WRITES" // after so many the child closes the store and ends
	childCopies = "TIDEGATE_TEST_STATE_COPIES" // after so many each time it makes a copy
	childHeals  = "TIDEGATE_TEST_STATE_HEALS"  // all it does is to open the store, falling back if need be
)

func TestMain(m *testing.M) {
	if dir := os.Getenv(childDir); dir != "" {
		if os.Getenv(childHeals) != "" {
			heal(dir)
		}
		writeForever(dir)
	}
	os.Exit(m.Run())
}

// nth is the change that brings the API, deployment, stage, plan, API key, user,
// access key and policy number n with a web ACL and an IP set, and at first the
// plan and key whose usage is
// written all the time.
func nth(n int) definition.Change {
	id := fmt.Sprintf("api%07d", n)
	b := body(id, fmt.Sprintf("/path-%d", n))
	ch := definition.Change{
		PutAPIs:        []*definition.API{api(id, b)},
		PutDeployments: []*definition.Deployment{deployment(id, "first", 1, b)},
		PutStages:      []*definition.Stage{stage(id, "prod", "first")},
		PutPlans:       []*definition.UsagePlan{plan(nthPlan(n))},
		PutKeys:        []*definition.APIKey{key(nthKey(n))},
		PutPlanKeys:    []definition.PlanKey{{PlanID: nthPlan(n), KeyID: nthKey(n)}},
		PutUsers:       []*definition.User{user(nthUser(n), nthPolicy(n))},
		PutAccessKeys:  []*definition.AccessKey{accessKey(nthAccessKey(n), nthUser(n))},
		PutPolicies:    []*definition.ManagedPolicy{managedPolicy(nthPolicy(n))},
		PutWebACLs:     []*definition.WebACL{webACL(nthWebACL(n))},
		PutIPSets:      []*definition.IPSet{ipSet(nthWebACL(n), 1000+n)},
	}
	ch.PutStages[0].WebACLID = nthWebACL(n)
	if n == 0 {
		ch.PutPlans = append(ch.PutPlans, plan("steady"))
		ch.PutKeys = append(ch.PutKeys, key("steady"))
	}
	if n%3 == 0 && n > 0 { // also reuse freed pages
		ch.DeleteAPIs = []string{fmt.Sprintf("api%07d", n-1)}
		ch.DeletePlans = []string{nthPlan(n - 1)}
		ch.DeleteKeys = []string{nthKey(n - 1)}
		ch.DeleteUsers = []string{nthUser(n - 1)}
		ch.DeleteAccessKeys = []string{nthAccessKey(n - 1)}
		ch.DeletePolicies = []string{nthPolicy(n - 1)}
		ch.DeleteWebACLs = []string{nthWebACL(n - 1)}
		ch.DeleteIPSets = []string{nthWebACL(n - 1)}
	}
	return ch
}

func nthPlan(n int) string { return fmt.Sprintf("plan%07d", n) }
func nthKey(n int) string  { return fmt.Sprintf("key%07d", n) }

func nthUser(n int) string      { return fmt.Sprintf("user%07d", n) }
func nthAccessKey(n int) string { return fmt.Sprintf("AKIA%016d", n) }
func nthPolicy(n int) string    { return fmt.Sprintf("policy%07d", n) }
func nthWebACL(n int) string    { return fmt.Sprintf("acl%07d", n) }

// nthUsage is what is written after change number n. Days pass quickly in it.
func nthUsage(n int) []definition.Usage {
	total := int64(n + 1)
	return []definition.Usage{
		{PlanID: "steady", KeyID: "steady", Day: total / 2, Used: 1 + total%2, Period: definition.PeriodMonth, Window: 0, WindowUsed: total},
		{PlanID: nthPlan(n), KeyID: nthKey(n), Day: total / 2, Used: 7, Remaining: definition.NoQuota},
	}
}

// writeForever is the child: it prints each number once its write returned.
func writeForever(dir string) {
	if os.Getenv(childSize) != "" {
		signal.Ignore(syscall.SIGXFSZ)
		limit := &syscall.Rlimit{Cur: 1 << 20, Max: 1 << 20}
		if err := syscall.Setrlimit(syscall.RLIMIT_FSIZE, limit); err != nil {
			fmt.Println(err)
			os.Exit(1)
		}
	}
	s, err := Open(dir)
	if err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
	c, err := s.Load()
	if err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
	n := 0
	for id := range c.APIs {
		var i int
		_, _ = fmt.Sscanf(id, "api%d", &i)
		n = max(n, i+1)
	}
	if os.Getenv(childWrites) != "" {
		runtime.LockOSThread() // faults are counted by thread
	}
	last, copies := -1, 0
	_, _ = fmt.Sscan(os.Getenv(childWrites), &last)
	_, _ = fmt.Sscan(os.Getenv(childCopies), &copies)
	for ; n != last; n++ {
		err := s.Write(nth(n))
		var unsettled *UnsettledError
		switch {
		case errors.As(err, &unsettled):
			fmt.Println("unsettled", n, err)
		case err != nil:
			fmt.Println("failed", n, err)
			if last < 0 {
				os.Exit(0)
			}
			continue
		}
		if err := s.WriteUsage(nthUsage(n)); err != nil && last < 0 {
			fmt.Println("failed", n+1, err) // n itself is written
			os.Exit(0)
		}
		if unsettled == nil {
			fmt.Println("ack", n)
		}
		if copies > 0 && n%copies == copies-1 {
			if err := s.copy(); err != nil {
				fmt.Println("not copied", err)
			} else {
				fmt.Println("copied", n)
			}
		}
	}
	if err := s.Close(); err != nil {
		fmt.Println(err)
	}
	os.Exit(0)
}

func child(dir string, env ...string) (*exec.Cmd, io.Reader, error) {
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(append(os.Environ(), childDir+"="+dir), env...)
	out, err := cmd.StdoutPipe()
	if err != nil {
		return nil, nil, err
	}
	return cmd, out, cmd.Start()
}

// present says whether number n is there as nth wrote it.
func present(s *Store, c *definition.Catalog, n int) error {
	ch := nth(n)
	a := c.APIs[ch.PutAPIs[0].ID]
	if a == nil {
		return errors.New("API is missing")
	}
	d := c.Deployments[definition.DeploymentKey{APIID: a.ID, ID: "first"}]
	st := c.Stages[definition.StageKey{APIID: a.ID, Stage: "prod"}]
	if d == nil || st == nil || a.Body.Revision != ch.PutAPIs[0].Body.Revision || a.Body != d.Body {
		return errors.New("record is incomplete")
	}
	k, err := s.KeyByValue(ch.PutKeys[0].Value)
	if err != nil {
		return err
	}
	keys, _, err := s.PlanKeys(nthPlan(n), "", -1, nil)
	if err != nil {
		return err
	}
	if c.Plans[nthPlan(n)] == nil || k == nil || k.ID != nthKey(n) || len(keys) != 1 || keys[0].ID != k.ID {
		return errors.New("plan or key is incomplete")
	}
	u, ak := c.Users[nthUser(n)], c.AccessKeys[nthAccessKey(n)]
	if u == nil || ak == nil || c.Policies[nthPolicy(n)] == nil || *ak != *ch.PutAccessKeys[0] {
		return errors.New("user, access key or policy is incomplete")
	}
	if set := c.IPSets[nthWebACL(n)]; c.WebACLs[nthWebACL(n)] == nil || set == nil || set.Addresses != ch.PutIPSets[0].Addresses {
		return errors.New("web ACL or IP set is incomplete")
	}
	return nil
}

// counted is the total that nthUsage last brought.
func counted(t *testing.T, s *Store) (total int64) {
	t.Helper()
	err := s.EachUsage(func(u definition.Usage) error {
		if u.PlanID == "steady" {
			total = u.WindowUsed
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return total
}

func TestKillLosesNothingAcknowledged(t *testing.T) {
	dir := t.TempDir()
	deleted := func(n int, last int) bool { return n%3 == 2 && n+1 <= last }
	last, acknowledged, total := -1, -1, 0
	for round := range 10 {
		cmd, out, err := child(dir)
		if err != nil {
			t.Fatal(err)
		}
		go func() {
			time.Sleep(time.Duration(40+rand.IntN(120)) * time.Millisecond)
			_ = cmd.Process.Kill()
		}()
		for lines := bufio.NewScanner(out); lines.Scan(); {
			var n int
			if _, err := fmt.Sscanf(lines.Text(), "ack %d", &n); err != nil {
				t.Fatalf("round %d: child said %q", round, lines.Text())
			}
			last, acknowledged = n, n
			total++
		}
		_ = cmd.Wait()

		s, err := Open(dir)
		if err != nil {
			t.Fatalf("round %d: %v", round, err)
		}
		c := mustLoad(t, s)
		unacknowledged := 0
		for n := range last + 2 {
			err := present(s, c, n)
			switch {
			case n == last+1 && err == nil:
				unacknowledged++ // made durable, killed before it could say so
			case n <= last && !deleted(n, last) && err != nil && !(n == last && n%3 == 2): // n may be deleted by last+1
				t.Fatalf("round %d: write %d of %d acknowledged: %v", round, n, last, err)
			}
		}
		last += unacknowledged
		if used := counted(t, s); used < int64(acknowledged+1) || used > int64(last+1) {
			t.Fatalf("round %d: usage is %d after write %d of %d acknowledged", round, used, acknowledged, last)
		}
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
	}
	if total < 10 {
		t.Errorf("only %d writes in 10 rounds prove little", total)
	}
	t.Logf("%d writes acknowledged over 10 kills", total)
}

func TestWriteErrorOfTheDiskChangesNothing(t *testing.T) {
	dir := t.TempDir()
	cmd, out, err := child(dir, childSize+"=1")
	if err != nil {
		t.Fatal(err)
	}
	text, _ := io.ReadAll(out)
	_ = cmd.Wait()
	lines := strings.Split(strings.TrimSpace(string(text)), "\n")
	final := lines[len(lines)-1]
	var failed int
	if _, err := fmt.Sscanf(final, "failed %d", &failed); err != nil {
		t.Fatalf("child said %q", final)
	}
	if !strings.Contains(final, filepath.Join(dir, fileName)) {
		t.Errorf("error does not name the file: %s", final)
	}
	s := mustOpen(t, dir)
	c := mustLoad(t, s)
	if err := present(s, c, failed-1); err != nil {
		t.Errorf("last acknowledged write %d: %v", failed-1, err)
	}
	if err := present(s, c, failed); err == nil {
		t.Errorf("failed write %d is there", failed)
	}
}

// damages returns a state file, its secret, and what can happen to the file.
func damages(t *testing.T) (good, secret []byte, spoils map[string]func([]byte) []byte) {
	t.Helper()
	whole := filepath.Join(t.TempDir(), "whole")
	s := mustOpen(t, whole)
	for n := range 40 {
		mustWrite(t, s, nth(n))
		if err := s.WriteUsage(nthUsage(n)); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	good, err := os.ReadFile(filepath.Join(whole, fileName))
	if err != nil {
		t.Fatal(err)
	}
	secret, err = os.ReadFile(filepath.Join(whole, secretName))
	if err != nil {
		t.Fatal(err)
	}
	swap := func(old, new string) func([]byte) []byte {
		return func(b []byte) []byte {
			if !bytes.Contains(b, []byte(old)) {
				t.Errorf("the file has no %q", old)
			}
			return bytes.ReplaceAll(b, []byte(old), []byte(new))
		}
	}
	used, pair := nthUsage(30)[1], pairKey(nthPlan(30), nthKey(30))
	return good, secret, map[string]func([]byte) []byte{
		"empty":          func([]byte) []byte { return nil },
		"not a database": func(b []byte) []byte { return []byte(strings.Repeat("tidegate ", 4000)) },
		"cut in half":    func(b []byte) []byte { return b[:len(b)/2/4096*4096] },
		"cut to a page":  func(b []byte) []byte { return b[:8192] },
		"zeroed pages":   func(b []byte) []byte { clear(b[8192:]); return b },
		"one letter": func(b []byte) []byte {
			return bytes.ReplaceAll(b, []byte("pets api0000030"), []byte("pots api0000030"))
		},
		"key record":       swap("name of key0000030", "game of key0000030"),
		"plan record":      swap("name of plan0000030", "game of plan0000030"),
		"id of a value":    swap("\x01key0000030", "\x01key0000003"),
		"disabled":         swap("\x01key0000030", "\x00key0000030"),
		"key under a plan": swap("plan0000030/key0000030", "plan0000030/key0000003"),
		"plan of a key":    swap("key0000030/plan0000030", "key0000030/plan0000003"),
		"user record":      swap(`"userId":"AIDAUSER0000030"`, `"userId":"AIDAUSER0000031"`),
		"user of a key":    swap(`AKIA0000000000000030","userName":"user0000030"`, `AKIA0000000000000030","userName":"user0000003"`),
		"switched-off key": swap(`"userName":"user0000030","active":true`, `"userName":"user0000030","active":null`),
		"policy document":  swap("allow policy0000030", "allow policy0000031"),
		"newest usage":     swap(spoiled(pair, newest{used}.encode())),
		"usage of a day":   swap(spoiled(historyKey(used.Day, pair), appendUsage(nil, &used))),
		"noise": func(b []byte) []byte {
			for i := 8192; i < len(b); i += 7 {
				b[i] ^= 0x5a
			}
			return b
		},
	}
}

func TestDamagedFile(t *testing.T) {
	good, secret, spoils := damages(t)
	for name, spoil := range spoils {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			path := filepath.Join(dir, fileName)
			lay(t, dir, secret, spoil(bytes.Clone(good)))
			s, err := Open(dir)
			if err == nil {
				err = readAll(s)
				_ = s.Close()
			}
			var damaged *DamagedError
			if !errors.As(err, &damaged) || !strings.Contains(err.Error(), path) || !strings.Contains(err.Error(), "restore it from a backup") {
				t.Errorf("error: %v", err)
			}
		})
	}
}

// lay writes a state file and its secret.
func lay(t *testing.T, dir string, secret, file []byte) {
	t.Helper()
	if err := os.WriteFile(filepath.Join(dir, fileName), file, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, secretName), secret, 0o600); err != nil {
		t.Fatal(err)
	}
}

// spoiled returns a record as it is in the file, and with its last byte changed.
func spoiled(key, text []byte) (good, bad string) {
	record := append(bytes.Clone(key), frame(key, text)...)
	good = string(record)
	record[len(record)-1] ^= 2
	return good, string(record)
}

// readAll reads everything there is.
func readAll(s *Store) error {
	if _, err := s.Load(); err != nil {
		return err
	}
	if err := s.EachKey(func(string, [16]byte, bool) error { return nil }); err != nil {
		return err
	}
	if err := s.EachPlanKey(func(string, string) error { return nil }); err != nil {
		return err
	}
	keys, _, err := s.Keys("", -1, nil)
	if err != nil {
		return err
	}
	for _, k := range keys {
		if _, err := s.PlansOf(k.ID); err != nil {
			return err
		}
	}
	return s.EachUsage(func(u definition.Usage) error {
		_, err := s.Usage(u.PlanID, u.KeyID, 0, u.Day)
		return err
	})
}
