package main

import (
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
)

// fakeGateway answers at @connections and remembers what it was sent.
type fakeGateway struct {
	mu   sync.Mutex
	sent []string
}

func (g *fakeGateway) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	g.mu.Lock()
	defer g.mu.Unlock()
	body, _ := io.ReadAll(r.Body)
	switch {
	case !strings.HasPrefix(r.Header.Get("Authorization"), "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/"):
		w.WriteHeader(http.StatusForbidden)
	case strings.HasSuffix(r.URL.Path, "/gone="):
		w.Header().Set("x-amzn-ErrorType", "GoneException")
		w.WriteHeader(http.StatusGone)
	default:
		g.sent = append(g.sent, r.Method+" "+r.URL.EscapedPath()+" "+string(body))
	}
}

// TestChat is a room with three connections, one of which is gone.
func TestChat(t *testing.T) {
	t.Setenv("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE")
	t.Setenv("AWS_SECRET_ACCESS_KEY", "secret")
	gateway := &fakeGateway{}
	server := httptest.NewServer(gateway)
	defer server.Close()
	r := newRoom(connections(server.URL+"/prod", "us-east-1"))
	h := handler(r, "http://localhost:8080/prod")
	call := func(path, id, body string, want int) {
		t.Helper()
		req := httptest.NewRequest("POST", path, strings.NewReader(body))
		if id != "" {
			req.Header.Set("X-Connection-Id", id)
		}
		w := httptest.NewRecorder()
		h.ServeHTTP(w, req)
		if w.Code != want {
			t.Errorf("%s of %q: %d %s, want %d", path, id, w.Code, w.Body, want)
		}
	}
	for _, id := range []string{"a=", "b=", "gone=", "left="} {
		call("/connected", id, "", 200)
	}
	call("/disconnected", "left=", "", 200)
	call("/message", "a=", `{"action":"sendmessage","name":"Ann","text":"hi"}`, 200)
	slices.Sort(gateway.sent)
	if want := []string{`POST /prod/@connections/a%3D {"name":"Ann","text":"hi"}`, `POST /prod/@connections/b%3D {"name":"Ann","text":"hi"}`}; !slices.Equal(gateway.sent, want) {
		t.Errorf("sent %q, want %q", gateway.sent, want)
	}
	if ids := r.all(); len(ids) != 2 {
		t.Errorf("in the room %v", ids)
	}
	call("/connected", "", "", 400)
	call("/message", "a=", `{"action":"sendmessage","name":"Ann"}`, 400)
	call("/message", "a=", `{"name":"Ann","text":"`+strings.Repeat("x", maxMessage)+`"}`, 400)
}

func TestPage(t *testing.T) {
	w := httptest.NewRecorder()
	handler(newRoom(nil), "https://chat.example.com/prod").ServeHTTP(w, httptest.NewRequest("GET", "/", nil))
	if w.Code != 200 || !strings.Contains(w.Body.String(), `data-gateway="wss://chat.example.com/prod"`) {
		t.Errorf("%d %s", w.Code, w.Body)
	}
}
