package unit

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"strconv"
	"strings"
)

// callNumbers are the numbers of system calls on this architecture by their names,
// from the source of golang.org/x/sys.
func callNumbers() (map[string]uint32, error) {
	dir, err := exec.Command("go", "list", "-m", "-f", "{{.Dir}}", "golang.org/x/sys").Output()
	if err != nil {
		return nil, fmt.Errorf("find golang.org/x/sys: %w", err)
	}
	source, err := os.ReadFile(filepath.Join(strings.TrimSpace(string(dir)), "unix", "zsysnum_linux_"+runtime.GOARCH+".go"))
	if err != nil {
		return nil, err
	}
	numbers := map[string]uint32{}
	for _, m := range regexp.MustCompile(`(?m)^\s+SYS_(\w+)\s+= (\d+)$`).FindAllStringSubmatch(string(source), -1) {
		n, err := strconv.ParseUint(m[2], 10, 32)
		if err != nil {
			return nil, err
		}
		numbers[strings.ToLower(m[1])] = uint32(n)
	}
	return numbers, nil
}

// allowed evaluates the lines of SystemCallFilter=. The first has to be a list of
// what is allowed; later ones add to it and, with ~, take from it.
func allowed(analyze string, lines []string) (map[string]bool, error) {
	calls := map[string]bool{}
	for i, line := range lines {
		line, remove := strings.CutPrefix(line, "~")
		if i == 0 && remove {
			return nil, fmt.Errorf("SystemCallFilter=~%s: the first one is not a list of what is allowed", line)
		}
		for name := range strings.FieldsSeq(line) {
			if err := expand(analyze, name, func(call string) { calls[call] = !remove }); err != nil {
				return nil, err
			}
		}
	}
	// systemd cannot start a program without.
	return calls, expand(analyze, "@default", func(call string) { calls[call] = true })
}

// expand calls each for every call of a set, or for the one that is named.
func expand(analyze, name string, each func(call string)) error {
	if !strings.HasPrefix(name, "@") {
		each(name)
		return nil
	}
	out, err := exec.Command(analyze, "syscall-filter", name).Output()
	if err != nil {
		return fmt.Errorf("systemd-analyze syscall-filter %s: %w", name, err)
	}
	for line := range strings.Lines(string(out)) {
		member := strings.TrimSpace(line)
		if member == line || member == "" || strings.HasPrefix(member, "#") || member == name {
			continue
		}
		if err := expand(analyze, member, each); err != nil {
			return err
		}
	}
	return nil
}
