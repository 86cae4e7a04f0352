package rivals

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

func TestRequests(t *testing.T) {
	page := "Active connections: 1 \nserver accepts handled requests\n 7 7 31 \nReading: 0 Writing: 1 Waiting: 0 \n"
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/requests" {
			t.Errorf("asked for %s", r.URL.Path)
		}
		_, _ = io.WriteString(w, page)
	}))
	backend := &Server{URL: s.URL}
	if n, err := Requests(context.Background(), backend); n != 31 || err != nil {
		t.Errorf("%d requests, %v", n, err)
	}
	page = SmallBody
	if _, err := Requests(context.Background(), backend); err == nil || !strings.Contains(err.Error(), "stub_status") {
		t.Errorf("another page: %v", err)
	}
	s.Close()
	if _, err := Requests(context.Background(), backend); err == nil {
		t.Error("no backend, and no error")
	}
}
