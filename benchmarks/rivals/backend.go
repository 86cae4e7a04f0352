package rivals

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
)

// SmallBody is what the backend, and a rival answering itself, sends: 40 bytes.
const SmallBody = `{"status":"ok","served_by":"benchmarks"}`

// Backend is the server behind all rivals: an nginx of its own.
//
//	/10k            10 KiB
//	/512, /512/...  512 bytes
//	/revision/N/... "revision N"
//	/requests       how many requests it has got, see [Requests]
//	anything else   SmallBody, whatever the method; a request body is read and dropped
//
// The first two are there below the stage as well, for rivals that pass paths on.
var Backend = Rival{Name: "backend", start: startBackend}

func startBackend(_ context.Context, dir string, s Site) (*Server, error) {
	address, err := s.freeAddress()
	if err != nil {
		return nil, err
	}
	return s.startNginx(dir, address, backendConfig(dir, address))
}

func backendConfig(dir, address string) string {
	var b strings.Builder
	nginxHead(&b, dir)
	fmt.Fprintf(&b, "  server {\n    listen %s backlog=4096;\n", address)
	for _, under := range []string{"", "/" + Stage} {
		// A parameter of the configuration may not exceed 4 KiB, so five variables of two.
		fmt.Fprintf(&b, "    location = %s/10k { set $k2 \"%s\"; return 200 $k2$k2$k2$k2$k2; }\n", under, strings.Repeat("0123456789abcdef", 128))
		fmt.Fprintf(&b, "    location %s/512 { return 200 \"%s\"; }\n", under, strings.Repeat("0123456789abcdef", 32))
	}
	b.WriteString("    location = /requests { stub_status; }\n")
	b.WriteString("    location ~ ^/revision/(\\d+)/ { return 200 \"revision $1\\n\"; }\n")
	fmt.Fprintf(&b, "    location / { return 200 '%s'; }\n", SmallBody)
	b.WriteString("  }\n}\n")
	return b.String()
}

// Requests returns how many requests the backend has got since it was started,
// this one included.
func Requests(ctx context.Context, backend *Server) (int64, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, backend.URL+"/requests", nil)
	if err != nil {
		return 0, err
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return 0, fmt.Errorf("requests of the backend: %w", err)
	}
	defer resp.Body.Close()
	page, err := io.ReadAll(resp.Body)
	if err != nil {
		return 0, fmt.Errorf("requests of the backend: %w", err)
	}
	return parseStubStatus(string(page))
}

// parseStubStatus finds the requests on the page of nginx's stub_status: the
// third of the numbers that stand alone in a line.
func parseStubStatus(page string) (int64, error) {
	_, numbers, _ := strings.Cut(page, "requests")
	f := strings.Fields(numbers)
	if len(f) < 3 {
		return 0, fmt.Errorf("requests of the backend: no page of stub_status: %.200q", page)
	}
	n, err := strconv.ParseInt(f[2], 10, 64)
	if err != nil {
		return 0, fmt.Errorf("requests of the backend: %w", err)
	}
	return n, nil
}
