package definition

import (
	"encoding/json"
	"testing"
)

func TestParseTarget(t *testing.T) {
	for text, want := range map[string]string{
		"10.0.0.1:8080": "10.0.0.1:8080", "Backend.Example:80": "backend.example:80", "[::1]:443": "[::1]:443", "a_b-c.d:1": "a_b-c.d:1",
		"10.0.0.1": "", ":80": "", "http://10.0.0.1:80": "", "10.0.0.1:0": "", "10.0.0.1:65536": "", "a b:80": "", "a:80/": "", "a:http": "", "::1:80": "", "": "", "a:": "", "a/b:80": "", "a,b:80": "",
	} {
		got, err := ParseTarget(text)
		if got != want || (err == nil) != (want != "") {
			t.Errorf("%q: %q, %v", text, got, err)
		}
	}
	if err := CheckTarget("${stageVariables.pool}"); err != nil {
		t.Error(err)
	}
}

func FuzzParseTarget(f *testing.F) {
	f.Add("[::1]:443")
	f.Fuzz(func(t *testing.T, text string) {
		if got, err := ParseTarget(text); err == nil {
			if again, err := ParseTarget(got); err != nil || again != got {
				t.Errorf("%q, then %q: %v", got, again, err)
			}
		}
	})
}

func TestHealthCheck(t *testing.T) {
	h := NewHealthCheck()
	if h.Check() == nil {
		t.Error("no path, and nobody says so")
	}
	for _, f := range []struct {
		name, text string
		ok         bool
	}{
		{"path", "/up?x=1", true}, {"path", "up", false}, {"path", "/a b", false}, {"interval", "1s", true}, {"interval", "0.5s", false}, {"interval", "5", false},
		{"timeout", "6m", false}, {"timeout", "500ms", true}, {"healthy", "1", true}, {"healthy", "0", false}, {"unhealthy", "many", false}, {"unhealthy", "4", true},
	} {
		if err := h.Set(f.name, f.text); (err == nil) != f.ok {
			t.Errorf("%s %q: %v", f.name, f.text, err)
		}
	}
	_ = h.Set("interval", "1s")
	_ = h.Set("timeout", "500ms")
	if err := h.Check(); err != nil {
		t.Error(err)
	}
	text, err := json.Marshal(h)
	if want := `{"path":"/up?x=1","interval":"1s","timeout":"500ms","healthy":1,"unhealthy":4}`; err != nil || string(text) != want {
		t.Errorf("%s, %v", text, err)
	}
	var again HealthCheck
	if err := json.Unmarshal(text, &again); err != nil || again != *h {
		t.Errorf("%+v, %v", again, err)
	}
	_ = h.Set("timeout", "2s")
	if h.Check() == nil {
		t.Error("a timeout beyond the interval")
	}
}
