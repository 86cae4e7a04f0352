package steer

import (
	"errors"
	"os"
	"strings"
	"testing"

	"github.com/cilium/ebpf"
	"github.com/cilium/ebpf/asm"
	"github.com/cilium/ebpf/link"
	"github.com/tidegate/tidegate/internal/testnet"
	"golang.org/x/sys/unix"
)

func (h *host) openError(folder string) error {
	return h.Do(func() error {
		s, err := Open(Options{Folder: folder})
		if err == nil {
			s.Close()
		}
		return err
	})
}

func TestOpenBusy(t *testing.T) {
	h := newHost(t)
	s := h.open()
	set(t, s, h.private("private", "[::]:443", 1).by("veth1"))
	if err := h.openError(h.folder); !errors.Is(err, ErrBusy) {
		t.Errorf("a second process: %v, want ErrBusy", err)
	}
	h.wants(1, 443, map[int]string{1: "private", 2: reset})
	s.Close()
	if err := h.openError(h.folder); err != nil {
		t.Errorf("after the first has closed: %v", err)
	}
}

// TestForeignProgram has another take the link: from a process that has ended,
// and under one that runs.
func TestForeignProgram(t *testing.T) {
	h := newHost(t)
	s := h.open()
	b := h.private("private", "[::]:443", 1)
	set(t, s, b.by("veth1"))
	foreign, err := ebpf.NewProgram(&ebpf.ProgramSpec{
		Type:         ebpf.SkLookup,
		AttachType:   ebpf.AttachSkLookup,
		License:      "GPL",
		Instructions: asm.Instructions{asm.Mov.Imm(asm.R0, 1), asm.Return()},
	})
	if err != nil {
		t.Fatal(err)
	}
	defer foreign.Close()
	l, err := link.LoadPinnedLink(h.folder+"/"+pinLink, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	if err := l.Update(foreign); err != nil {
		t.Fatal(err)
	}
	if status(t, s).InForce {
		t.Error("in force although it was replaced")
	}
	if err := s.Set([]Binding{b.by("veth2")}); !errors.Is(err, ErrForeign) {
		t.Errorf("Set over a foreign program: %v, want ErrForeign", err)
	}
	h.wants(1, 443, map[int]string{1: reset, 2: reset})
	s.Close()
	if err := h.openError(h.folder); !errors.Is(err, ErrForeign) {
		t.Errorf("Open over a foreign program: %v, want ErrForeign", err)
	}
}

// TestOpenAfterCrash leaves the pins as a process does that ends between the
// update of the link and the rename.
func TestOpenAfterCrash(t *testing.T) {
	h := newHost(t)
	s := h.open()
	b := h.private("private", "[::]:443", 1).by("veth1")
	set(t, s, b)
	s.Close()
	if err := os.Rename(h.folder+"/"+pinProgram, h.folder+"/"+pinNext); err != nil {
		t.Fatal(err)
	}
	s = h.open()
	set(t, s, b)
	if files := strings.Join(testnet.Files(t, h.folder), " "); files != "link program" {
		t.Errorf("pinned: %s", files)
	}
}

func TestOpenInOtherNamespace(t *testing.T) {
	h := newHost(t)
	s := h.open()
	set(t, s, h.private("private", "[::]:443", 1).by("veth1"))
	s.Close()
	other := &host{Namespace: h.peers[1]}
	if err := other.openError(h.folder); err == nil || !strings.Contains(err.Error(), "another network namespace") {
		t.Errorf("in another namespace: %v", err)
	}
	h.wants(1, 443, map[int]string{1: "private", 2: reset})
}

// limitCapabilities is for the calling thread, which must end soon.
func limitCapabilities(numbers ...int) error {
	header := unix.CapUserHeader{Version: unix.LINUX_CAPABILITY_VERSION_3}
	var data [2]unix.CapUserData
	for _, n := range numbers {
		data[n/32].Effective |= 1 << (n % 32)
		data[n/32].Permitted |= 1 << (n % 32)
	}
	return unix.Capset(&header, &data[0])
}

// TestCapabilities shows that two are enough and what is said without them.
func TestCapabilities(t *testing.T) {
	h := newHost(t)
	if err := h.Do(func() error {
		if err := limitCapabilities(unix.CAP_BPF, unix.CAP_NET_ADMIN); err != nil {
			return err
		}
		s, err := Open(Options{Folder: h.folder})
		if err != nil {
			return err
		}
		defer s.Close()
		return s.Set([]Binding{h.private("private", "[::]:443", 1).by("veth1")})
	}); err != nil {
		t.Errorf("with CAP_BPF and CAP_NET_ADMIN: %v", err)
	}
	for missing, have := range map[string]int{"CAP_BPF": unix.CAP_NET_ADMIN, "CAP_NET_ADMIN": unix.CAP_BPF} {
		var unsupported *UnsupportedError
		err := h.Do(func() error {
			if err := limitCapabilities(have); err != nil {
				return err
			}
			_, err := Open(Options{Folder: h.folder})
			return err
		})
		if !errors.As(err, &unsupported) || unsupported.Missing != missing || !errors.Is(err, errors.ErrUnsupported) {
			t.Errorf("without %s: %v", missing, err)
		}
	}
}

func TestExplain(t *testing.T) {
	for err, want := range map[error]bool{unix.EPERM: true, unix.ENOSYS: true, unix.ENOMEM: false} {
		got := explain(err)
		if errors.Is(got, errors.ErrUnsupported) != want || !errors.Is(got, err) {
			t.Errorf("%v: %v", err, got)
		}
	}
}

func TestOpenWithoutFileSystem(t *testing.T) {
	h := newHost(t)
	var unsupported *UnsupportedError
	err := h.openError(t.TempDir() + "/tidegate/steer")
	if !errors.As(err, &unsupported) || !strings.Contains(unsupported.Missing, "BPF file system") {
		t.Errorf("without a BPF file system: %v", err)
	}
}
