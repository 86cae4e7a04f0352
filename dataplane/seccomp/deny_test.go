package seccomp

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/net/bpf"
	"golang.org/x/sys/unix"
)

// role has the test's own binary start again, as a process to filter.
const role = "TIDEGATE_SECCOMP_TEST"

func TestMain(m *testing.M) {
	var err error
	switch os.Getenv(role) {
	case "":
		os.Exit(m.Run())
	case "first":
		err = beFiltered()
	case "successor":
		err = beSuccessor()
	case "refused":
		err = beRefused()
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func TestDeny(t *testing.T) {
	out, err := as("first").CombinedOutput()
	if strings.Contains(string(out), errors.ErrUnsupported.Error()) {
		t.Skip(string(out))
	}
	if err != nil {
		t.Errorf("%v: %s", err, out)
	}
}

// TestDenyRefused: where seccomp(2) itself is denied, as some who start programs do,
// that is no reason not to serve.
func TestDenyRefused(t *testing.T) {
	if out, err := as("refused").CombinedOutput(); err != nil {
		t.Errorf("%v: %s", err, out)
	}
}

func as(r string) *exec.Cmd {
	self, _ := os.Executable()
	cmd := exec.Command(self)
	cmd.Env = append(os.Environ(), role+"="+r)
	return cmd
}

// beFiltered holds threads that are there before the filter comes, and looks at
// what each may do afterwards.
func beFiltered() error {
	const threads = 4
	filteredNow, errs := make(chan struct{}), make([]error, threads)
	var ready, done sync.WaitGroup
	for i := range threads {
		ready.Add(1)
		done.Go(func() {
			runtime.LockOSThread()
			ready.Done()
			<-filteredNow
			errs[i] = isDenied()
		})
	}
	ready.Wait()
	if err := Deny(false); err != nil {
		return err
	}
	close(filteredNow)
	done.Wait()
	if err := errors.Join(errs...); err != nil {
		return err
	}
	if err := everyThread("NoNewPrivs:\t1", "Seccomp:\t2", "Seccomp_filters:\t1"); err != nil {
		return err
	}
	if out, err := as("successor").CombinedOutput(); err != nil {
		return fmt.Errorf("the program that it starts: %w: %s", err, out)
	}
	return nil
}

// beSuccessor is under the filter from the start, which is not added again unless
// it is another one.
func beSuccessor() error {
	if err := isDenied(); err != nil {
		return err
	}
	if err := Deny(false); err != nil {
		return err
	}
	if err := everyThread("Seccomp_filters:\t1"); err != nil {
		return err
	}
	if err := Deny(true); err != nil {
		return err
	}
	return everyThread("Seccomp_filters:\t2")
}

func beRefused() error {
	raw, err := bpf.Assemble([]bpf.Instruction{
		bpf.LoadAbsolute{Off: offsetNumber, Size: 4},
		bpf.JumpIf{Cond: bpf.JumpNotEqual, Val: unix.SYS_SECCOMP, SkipTrue: 1},
		answer(unix.EPERM), allow,
	})
	if err == nil {
		err = install(raw)
	}
	if errors.Is(err, errors.ErrUnsupported) {
		return nil
	}
	if e := Deny(false); err != nil || !errors.Is(e, errors.ErrUnsupported) {
		return fmt.Errorf("%w; %w", err, e)
	}
	return nil
}

// isDenied makes calls that would do no harm.
func isDenied() error {
	if _, _, e := unix.Syscall(unix.SYS_PERSONALITY, 0xffffffff, 0, 0); e != unix.EPERM {
		return fmt.Errorf("personality: %v", e)
	}
	if err := unix.Unshare(0); !errors.Is(err, unix.EPERM) {
		return fmt.Errorf("unshare: %v", err)
	}
	if _, _, e := unix.Syscall(unix.SYS_BPF, 0xffff, 0, 0); e != unix.EPERM {
		return fmt.Errorf("bpf: %v", e)
	}
	if _, err := unix.Socket(unix.AF_ALG, unix.SOCK_SEQPACKET, 0); !errors.Is(err, unix.EAFNOSUPPORT) {
		return fmt.Errorf("socket: %v", err)
	}
	return nil
}

// everyThread looks for lines in the status of all threads. A kernel before 5.9
// does not count filters.
func everyThread(lines ...string) error {
	statuses, err := filepath.Glob("/proc/self/task/*/status")
	if err != nil {
		return err
	}
	for _, name := range statuses {
		text, err := os.ReadFile(name)
		if err != nil {
			continue // it has ended
		}
		for _, line := range lines {
			if field, _, _ := strings.Cut(line, "\t"); strings.Contains(string(text), field) && !strings.Contains(string(text), line+"\n") {
				return fmt.Errorf("%s lacks %q:\n%s", name, line, text)
			}
		}
	}
	return nil
}

// BenchmarkAllowed compares a call without the filter and with it, which has to be
// the last. Of many rounds the quickest counts, for others have the machine too.
func BenchmarkAllowed(b *testing.B) {
	if os.Getenv("TIDEGATE_SECCOMP_BENCH") == "" {
		b.Skip("it filters the process that runs it, for good: set TIDEGATE_SECCOMP_BENCH=1")
	}
	for b.Loop() {
		quickest := func() time.Duration {
			best := time.Hour
			for range 2000 {
				begin := time.Now()
				for range 100 {
					unix.Syscall(unix.SYS_GETPPID, 0, 0, 0)
				}
				best = min(best, time.Since(begin)/100)
			}
			return best
		}
		without := quickest()
		if err := Deny(true); err != nil {
			b.Fatal(err)
		}
		b.ReportMetric(float64(without), "ns/without")
		b.ReportMetric(float64(quickest()), "ns/with")
	}
}
