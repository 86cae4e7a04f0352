package main

import (
	_ "embed"
	"encoding/json"
	"html/template"
	"net/http"
	"strings"
)

//go:embed index.html
var index string

// page is told where the gateway is.
var page = template.Must(template.New("page").Parse(index))

// Bounds on a message, in bytes.
const (
	maxMessage = 4096
	maxName    = 40
)

// handler serves the page, and what the gateway calls.
func handler(r *room, gateway string) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /{$}", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		_ = page.Execute(w, "ws"+strings.TrimPrefix(gateway, "http")) // the client is gone: nobody to tell
	})
	mux.HandleFunc("POST /connected", known(func(_ http.ResponseWriter, _ *http.Request, id string) { r.enter(id) }))
	mux.HandleFunc("POST /disconnected", known(func(_ http.ResponseWriter, _ *http.Request, id string) { r.leave(id) }))
	mux.HandleFunc("POST /message", known(r.message))
	return mux
}

// known passes on requests that say whose they are.
func known(next func(http.ResponseWriter, *http.Request, string)) http.HandlerFunc {
	return func(w http.ResponseWriter, req *http.Request) {
		id := req.Header.Get("X-Connection-Id")
		if id == "" {
			http.Error(w, "no X-Connection-Id: only the gateway calls this", http.StatusBadRequest)
			return
		}
		next(w, req, id)
	}
}

// message sends what somebody says to everybody.
func (r *room) message(w http.ResponseWriter, req *http.Request, _ string) {
	var said struct {
		Action string `json:"action"`
		Name   string `json:"name"`
		Text   string `json:"text"`
	}
	err := json.NewDecoder(http.MaxBytesReader(w, req.Body, maxMessage)).Decode(&said)
	if err != nil || said.Text == "" || said.Name == "" || len(said.Name) > maxName {
		http.Error(w, "a message has a name and a text", http.StatusBadRequest)
		return
	}
	r.broadcast(req.Context(), map[string]string{"name": said.Name, "text": said.Text})
}
