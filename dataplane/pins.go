package dataplane

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/sys/unix"

	"github.com/tidegate/tidegate/bpf/gate"
	"github.com/tidegate/tidegate/bpf/steer"
	"github.com/tidegate/tidegate/configs"
)

// What the kernel keeps when the daemon is gone lies in one folder of a BPF file
// system. The folder is locked, so that two gateways on a host do not take each
// other's, and the state folder has a file that names it, so that a host file
// which no longer asks for it does not leave it at work.

func gateDir(pins string) string  { return filepath.Join(pins, "gate") }
func steerDir(pins string) string { return filepath.Join(pins, "steer") }

// pinsNote is the file in the state folder.
const pinsNote = "kernel-pins"

// claimPins locks the folder until the file is closed. Without a BPF file system
// there is nothing to lock, and whoever wants to pin says what is missing.
func claimPins(dir string) (*os.File, error) {
	for at := dir; ; at = filepath.Dir(at) {
		var stat unix.Statfs_t
		err := unix.Statfs(at, &stat)
		if errors.Is(err, unix.ENOENT) && at != filepath.Dir(at) {
			continue
		}
		if err != nil || stat.Type != unix.BPF_FS_MAGIC || unix.Access(at, unix.W_OK) != nil {
			return nil, nil
		}
		break
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("make the folder of pins: %w", err)
	}
	lock, err := os.Open(dir)
	if err != nil {
		return nil, fmt.Errorf("open the folder of pins: %w", err)
	}
	if err := unix.Flock(int(lock.Fd()), unix.LOCK_EX|unix.LOCK_NB); err != nil {
		_ = lock.Close()
		if errors.Is(err, unix.EWOULDBLOCK) {
			err = errors.New("another gateway has it; give this one a kernel_gate.pin_dir of its own")
		}
		return nil, fmt.Errorf("lock %s: %w", dir, err)
	}
	return lock, nil
}

// wantsKernel says what a host file asks the kernel for.
func wantsKernel(h *configs.Host) (gated, steered bool) {
	for i := range h.Listeners {
		steered = steered || h.Listeners[i].Private()
	}
	return len(h.KernelGate.Interfaces) > 0, steered
}

// sweepPins takes out of the kernel what an earlier run left there and this host
// file does not ask for, and notes what this run will leave. The folder of this
// host file has to be claimed.
func sweepPins(h *configs.Host) error {
	note := filepath.Join(h.StateDir, pinsNote)
	text, err := os.ReadFile(note)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("read which pins are left: %w", err)
	}
	gated, steered := wantsKernel(h)
	if old := strings.TrimSpace(string(text)); old != "" {
		if err := sweep(old, old == h.KernelGate.PinDir, gated, steered); err != nil {
			return fmt.Errorf("take out of the kernel what an earlier run left (as root: rm -r %s): %w", old, err)
		}
	}
	if gated || steered {
		return os.WriteFile(note, []byte(h.KernelGate.PinDir+"\n"), 0o600)
	}
	if err := os.Remove(note); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}

func sweep(pins string, ours, gated, steered bool) error {
	if !ours {
		gated, steered = false, false
		lock, err := claimPins(pins)
		if err != nil {
			return err
		}
		defer lock.Close()
	}
	var errs []error
	if !gated {
		errs = append(errs, removeGate(pins))
	}
	if !steered {
		errs = append(errs, removeSteering(pins))
	}
	return errors.Join(errs...)
}

func removeGate(pins string) error {
	if _, err := os.Stat(gateDir(pins)); errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	g, err := gate.Open(gate.Options{Dir: gateDir(pins)}) // without interfaces it lets go of all
	if err != nil {
		return err
	}
	return g.Close()
}

func removeSteering(pins string) error {
	if _, err := os.Stat(steerDir(pins)); errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	s, err := steer.Open(steer.Options{Folder: steerDir(pins)})
	if err != nil {
		return err
	}
	return errors.Join(s.Remove(), os.Remove(steerDir(pins)))
}
