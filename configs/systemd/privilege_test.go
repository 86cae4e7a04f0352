package systemd_test

import (
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/tidegate/tidegate/configs"
)

// TestLeastCapabilities: the unit grants what the kernel gate takes, and the
// folder that it pins to is where the host file says.
func TestLeastCapabilities(t *testing.T) {
	text, err := os.ReadFile("tidegate.service")
	if err != nil {
		t.Fatal(err)
	}
	for _, key := range []string{"CapabilityBoundingSet", "AmbientCapabilities"} {
		if lines := regexp.MustCompile(`(?m)^`+key+`=.*$`).FindAllString(string(text), -1); len(lines) != 1 || lines[0] != key+"=CAP_BPF CAP_NET_ADMIN" {
			t.Errorf("%v", lines)
		}
	}
	bound := regexp.MustCompile(`(?m)^BindPaths=-(/sys/fs/bpf/\S+):(\S+)$`).FindStringSubmatch(string(text))
	if bound == nil {
		t.Fatal("the unit shows no folder of the BPF file system")
	}
	host, err := configs.Load("tidegate.yaml")
	if err != nil {
		t.Fatal(err)
	}
	if host.KernelGate.PinDir != bound[2] {
		t.Errorf("the host file pins to %s and the unit shows %s", host.KernelGate.PinDir, bound[2])
	}
	tmpfiles, err := os.ReadFile("tidegate.tmpfiles")
	if err != nil {
		t.Fatal(err)
	}
	if !regexp.MustCompile(`(?m)^d +` + regexp.QuoteMeta(bound[1]) + ` +0700 tidegate tidegate$`).Match(tmpfiles) {
		t.Errorf("tidegate.tmpfiles does not make %s", bound[1])
	}
	if !strings.Contains(string(text), "RestrictAddressFamilies=AF_INET AF_INET6 AF_UNIX AF_NETLINK\n") {
		t.Error("the daemon may not listen to netlink")
	}
}
