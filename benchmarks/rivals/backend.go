package rivals

import (
	"context"
	"fmt"
	"strings"
)

// SmallBody is what the backend, and a rival answering itself, sends: 40 bytes.
const SmallBody = `{"status":"ok","served_by":"benchmarks"}`

// Backend is the server behind all rivals: an nginx of its own.
//
//	/10k            10 KiB
//	/revision/N/... "revision N"
//	anything else   SmallBody, whatever the method; a request body is read and dropped
var Backend = Rival{Name: "backend", start: startBackend}

func startBackend(_ context.Context, dir string, _ Site) (*Server, error) {
	address, err := freeAddress()
	if err != nil {
		return nil, err
	}
	return startNginx(dir, address, backendConfig(dir, address))
}

func backendConfig(dir, address string) string {
	var b strings.Builder
	nginxHead(&b, dir)
	fmt.Fprintf(&b, "  server {\n    listen %s backlog=4096;\n", address)
	// A parameter of the configuration may not exceed 4 KiB, so five variables of two.
	fmt.Fprintf(&b, "    location = /10k { set $k2 \"%s\"; return 200 $k2$k2$k2$k2$k2; }\n", strings.Repeat("0123456789abcdef", 128))
	b.WriteString("    location ~ ^/revision/(\\d+)/ { return 200 \"revision $1\\n\"; }\n")
	fmt.Fprintf(&b, "    location / { return 200 '%s'; }\n", SmallBody)
	b.WriteString("  }\n}\n")
	return b.String()
}
