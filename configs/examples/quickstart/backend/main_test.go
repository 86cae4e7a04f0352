package main

import (
	"net/http/httptest"
	"strings"
	"testing"
)

func TestBackend(t *testing.T) {
	h := newStore().handler()
	for _, c := range []struct {
		method, path, body string
		status             int
		want               string
	}{
		{"GET", "/pets", "", 200, `[{"id":1,"type":"dog","price":249.99},{"id":2,"type":"cat","price":124.99},{"id":3,"type":"fish","price":0.99}]`},
		{"GET", "/pets/2", "", 200, `{"id":2,"type":"cat","price":124.99}`},
		{"GET", "/pets/4", "", 404, `{"message":"no such pet"}`},
		{"GET", "/pets/cat", "", 404, `{"message":"no such pet"}`},
		{"POST", "/pets", `{"type":"owl","price":80}`, 201, `{"id":4,"type":"owl","price":80}`},
		{"GET", "/pets/4", "", 200, `{"id":4,"type":"owl","price":80}`},
		{"POST", "/pets", `{"price":80}`, 400, `{"message":"a pet needs a type"}`},
		{"POST", "/pets", `owl`, 400, `{"message":"not a pet: invalid character 'o' looking for beginning of value"}`},
	} {
		w := httptest.NewRecorder()
		h.ServeHTTP(w, httptest.NewRequest(c.method, c.path, strings.NewReader(c.body)))
		if got := strings.TrimSpace(w.Body.String()); w.Code != c.status || got != c.want {
			t.Errorf("%s %s: %d %s, want %d %s", c.method, c.path, w.Code, got, c.status, c.want)
		}
	}
}
