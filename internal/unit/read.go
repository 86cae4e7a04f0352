package unit

import (
	"fmt"
	"os"
	"slices"
	"strings"
)

// modelled are the keys of a unit that Exec acts on.
var modelled = []string{
	"AmbientCapabilities", "CapabilityBoundingSet", "NoNewPrivileges", "UMask", "User", "Group",
	"ProtectSystem", "ProtectProc",
	"SystemCallFilter", "SystemCallErrorNumber", "SystemCallArchitectures", "RestrictAddressFamilies", "RestrictNamespaces",
	"RestrictSUIDSGID", "LockPersonality", "MemoryDenyWriteExecute",
}

// others are keys that Exec leaves alone: those that do not confine, and those that
// hide what an ordinary user cannot reach, or that mounts which are only read and
// filters of system calls see to already.
var others = []string{
	"Type", "NotifyAccess", "ExecStartPre", "ExecStart", "ExecReload", "KillMode", "Restart", "RestartSec", "TimeoutStopSec", "WatchdogSec",
	"StateDirectory", "StateDirectoryMode", "RuntimeDirectory", "RuntimeDirectoryMode", "LogsDirectory", "LogsDirectoryMode", "BindPaths",
	"LimitNOFILE", "TasksMax", "OOMScoreAdjust",
	"ProtectHome", "ProtectClock", "ProtectHostname", "ProtectControlGroups", "ProtectKernelLogs", "ProtectKernelModules", "ProtectKernelTunables",
	"PrivateTmp", "PrivateDevices", "DevicePolicy", "RemoveIPC", "RestrictRealtime",
}

// keys are those of the section Service, with their values in order.
type keys map[string][]string

// read reads the section Service of a unit. A key that nobody looked at is an error,
// for a test under a part of the unit would seem to be one under all of it.
func read(path string) (keys, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	all, section := keys{}, ""
	for line := range strings.Lines(string(text)) {
		line = strings.TrimSpace(line)
		if strings.HasPrefix(line, "[") {
			section = line
		}
		key, value, ok := strings.Cut(line, "=")
		if section != "[Service]" || !ok || line[0] == '#' {
			continue
		}
		if !slices.Contains(modelled, key) && !slices.Contains(others, key) {
			return nil, fmt.Errorf("%s: %s= is new: have package unit act on it, or name it among the others", path, key)
		}
		all[key] = append(all[key], value)
	}
	return all, nil
}

func (k keys) on(key string) bool {
	return slices.Contains(k[key], "yes") || slices.Contains(k[key], "true")
}

// words are those of all values of a key.
func (k keys) words(key string) []string { return strings.Fields(strings.Join(k[key], " ")) }
