// Command backend is the quick start's example of a service behind the
// gateway: a list of pets in memory. It is an ordinary HTTP server that knows
// nothing of Tidegate.
package main

import (
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"strconv"
	"sync"
	"time"
)

func main() {
	listen := flag.String("listen", "127.0.0.1:8081", "`address` to serve on")
	flag.Parse()
	l, err := net.Listen("tcp", *listen)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("example backend on http://%s\n", l.Addr())
	server := &http.Server{Handler: newStore().handler(), ReadHeaderTimeout: 10 * time.Second}
	log.Fatal(server.Serve(l))
}

type pet struct {
	ID    int     `json:"id"`
	Type  string  `json:"type"`
	Price float64 `json:"price"`
}

type store struct {
	mu   sync.Mutex
	pets []pet // the pet at index i has id i+1
}

func newStore() *store {
	return &store{pets: []pet{{1, "dog", 249.99}, {2, "cat", 124.99}, {3, "fish", 0.99}}}
}

func (s *store) handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /pets", s.list)
	mux.HandleFunc("POST /pets", s.add)
	mux.HandleFunc("GET /pets/{id}", s.get)
	return mux
}

func (s *store) list(w http.ResponseWriter, _ *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	answer(w, http.StatusOK, s.pets)
}

func (s *store) get(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	id, err := strconv.Atoi(r.PathValue("id"))
	if err != nil || id < 1 || id > len(s.pets) {
		answer(w, http.StatusNotFound, map[string]string{"message": "no such pet"})
		return
	}
	answer(w, http.StatusOK, s.pets[id-1])
}

const (
	maxPets     = 1000
	maxPetBytes = 1024
)

func (s *store) add(w http.ResponseWriter, r *http.Request) {
	var p pet
	if err := decode(http.MaxBytesReader(w, r.Body, maxPetBytes), &p); err != nil {
		answer(w, http.StatusBadRequest, map[string]string{"message": err.Error()})
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.pets) >= maxPets {
		answer(w, http.StatusInsufficientStorage, map[string]string{"message": "the store is full"})
		return
	}
	p.ID = len(s.pets) + 1
	s.pets = append(s.pets, p)
	answer(w, http.StatusCreated, p)
}

func decode(body io.Reader, p *pet) error {
	if err := json.NewDecoder(body).Decode(p); err != nil {
		return fmt.Errorf("not a pet: %w", err)
	}
	if p.Type == "" {
		return errors.New("a pet needs a type")
	}
	return nil
}

func answer(w http.ResponseWriter, status int, v any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(v) // the client is gone: nobody to tell
}
