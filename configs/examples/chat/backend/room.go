package main

import (
	"context"
	"encoding/json"
	"errors"
	"log"
	"sync"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/apigatewaymanagementapi"
	"github.com/aws/aws-sdk-go-v2/service/apigatewaymanagementapi/types"
)

// poster is the part of the SDK's client that a room needs.
type poster interface {
	PostToConnection(context.Context, *apigatewaymanagementapi.PostToConnectionInput, ...func(*apigatewaymanagementapi.Options)) (*apigatewaymanagementapi.PostToConnectionOutput, error)
}

// room is who is connected. It is kept in memory: a chat that outlives its backend
// would keep the ids in a database.
type room struct {
	gateway poster

	mu  sync.Mutex
	ids map[string]bool // of connections
}

func newRoom(gateway poster) *room { return &room{gateway: gateway, ids: map[string]bool{}} }

// enter adds a connection. Nothing can be sent to it yet: the gateway accepts it
// once it has our answer.
func (r *room) enter(id string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.ids[id] = true
}

func (r *room) leave(id string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	delete(r.ids, id)
}

func (r *room) all() []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	ids := make([]string, 0, len(r.ids))
	for id := range r.ids {
		ids = append(ids, id)
	}
	return ids
}

// atOnce is how many connections are written to at the same time.
const atOnce = 16

// broadcast sends a message to everybody. Whoever is gone is forgotten: the call of
// /disconnected is the gateway's best effort.
func (r *room) broadcast(ctx context.Context, message any) {
	text, err := json.Marshal(message)
	if err != nil {
		log.Print(err)
		return
	}
	var sending sync.WaitGroup
	slots := make(chan struct{}, atOnce)
	for _, id := range r.all() {
		slots <- struct{}{}
		sending.Go(func() {
			defer func() { <-slots }()
			_, err := r.gateway.PostToConnection(ctx, &apigatewaymanagementapi.PostToConnectionInput{ConnectionId: aws.String(id), Data: text})
			var gone *types.GoneException
			switch {
			case errors.As(err, &gone):
				r.leave(id)
			case err != nil:
				log.Printf("connection %s: %v", id, err)
			}
		})
	}
	sending.Wait()
}
