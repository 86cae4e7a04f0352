package load

import (
	"strings"
	"testing"
)

func TestParseSummary(t *testing.T) {
	const text = "Running 1s test @ http://127.0.0.1:1/\n  1 threads and 64 connections\nRequests/sec: 9\n\n"
	const good = `{"requests":3000,"micros":2000000,"bytes":9,"p50_us":40,"p99_us":90,"connect":0,"read":0,"write":0,"timeout":0,"status":0}`

	s, err := parseSummary([]byte(text + good + "\n"))
	if err != nil {
		t.Fatal(err)
	}
	if s.RequestsPerSecond() != 1500 || s.P50 != 40 || s.P99 != 90 {
		t.Errorf("got %+v", s)
	}
	for _, counter := range []string{"connect", "read", "write", "timeout", "status"} {
		line := strings.Replace(good, `"`+counter+`":0`, `"`+counter+`":1`, 1)
		if _, err := parseSummary([]byte(text + line)); err == nil || !strings.Contains(err.Error(), "failed") {
			t.Errorf("one %s error: %v", counter, err)
		}
	}
	for name, out := range map[string]string{
		"no counters": text,
		"nothing":     "",
		"no request":  strings.Replace(good, "3000", "0", 1),
	} {
		if _, err := parseSummary([]byte(out)); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}
