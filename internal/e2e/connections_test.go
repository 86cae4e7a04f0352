package e2e

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/apigatewaymanagementapi"
	"github.com/aws/aws-sdk-go-v2/service/apigatewaymanagementapi/types"
	"github.com/fasthttp/websocket"
)

// manageEverything lets a user write to every connection.
const manageEverything = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"execute-api:ManageConnections","Resource":"*"}]}`

// manager is the unmodified client of @connections, for a user made for it.
func (d *daemon) manager(stage string) *apigatewaymanagementapi.Client {
	d.t.Helper()
	policy := filepath.Join(d.dir, "manage.json")
	if err := os.WriteFile(policy, []byte(manageEverything), 0o644); err != nil {
		d.t.Fatal(err)
	}
	d.cli("iam", "create-user", "manager")
	d.cli("iam", "put-policy", "manage", policy)
	d.cli("iam", "attach", "manager", "manage")
	var key struct{ AccessKeyID, SecretAccessKey string }
	if err := json.Unmarshal([]byte(d.cli("iam", "create-key", "manager", "--json")), &key); err != nil {
		d.t.Fatal(err)
	}
	return apigatewaymanagementapi.New(apigatewaymanagementapi.Options{
		Region: "us-east-1", BaseEndpoint: aws.String("http://" + d.addr + "/" + stage), RetryMaxAttempts: 1,
		Credentials: aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
			return aws.Credentials{AccessKeyID: key.AccessKeyID, SecretAccessKey: key.SecretAccessKey}, nil
		}),
	})
}

// page is a client of a WebSocket API that notes what it is sent.
type page struct {
	*websocket.Conn
	id     string
	leaves atomic.Bool // it has begun to close
	gone   atomic.Bool // the gateway knows
	mu     sync.Mutex
	heard  map[string]bool
	closed chan struct{}
}

func (d *daemon) openPage(t *testing.T) *page {
	t.Helper()
	c, _, err := websocket.DefaultDialer.Dial("ws://"+d.addr+"/prod", nil)
	if err != nil {
		t.Fatal(err)
	}
	p := &page{Conn: c, heard: map[string]bool{}, closed: make(chan struct{})}
	if err := c.WriteMessage(websocket.TextMessage, []byte(`{"action":"template","text":"me"}`)); err != nil {
		t.Fatal(err)
	}
	_, text, err := c.ReadMessage()
	if err != nil {
		t.Fatal(err)
	}
	p.id = string(text)
	go func() {
		defer close(p.closed)
		for {
			_, text, err := c.ReadMessage()
			if err != nil {
				return
			}
			p.mu.Lock()
			p.heard[string(text)] = true
			p.mu.Unlock()
		}
	}()
	return p
}

// TestR28Connections posts to connections of which some go meanwhile: what is
// answered with 200 arrives, and 410 is for those that are gone alone. Whoever makes
// an id up reaches nobody.
func TestR28Connections(t *testing.T) {
	pages, posts, every := lesser(300, 60), lesser(600, 100), time.Duration(0)
	if soaking() {
		pages, posts, every = 1500, 6000, 5*time.Millisecond
	}
	backend := echoBackend(t)
	d := start(t, host{more: moreSockets})
	text := strings.Replace(echoAPI(backend), "$input.path(''$.said'') of $context.routeKey", "$context.connectionId", 1)
	text = strings.Replace(text, "$input.path('$.said') of $context.routeKey", "$context.connectionId", 1)
	d.deploySockets(text)
	m := d.manager("prod")
	var all []*page
	for range pages {
		all = append(all, d.openPage(t))
	}
	var delivered, gone, forged atomic.Int64
	post := func(id, text string) error {
		_, err := m.PostToConnection(t.Context(), &apigatewaymanagementapi.PostToConnectionInput{ConnectionId: &id, Data: []byte(text)})
		return err
	}
	var wg sync.WaitGroup
	work := make(chan int)
	for range 8 {
		wg.Go(func() {
			for n := range work {
				p := all[rand.IntN(len(all))]
				if n%10 == 0 {
					var e *types.GoneException
					id := []byte(p.id)
					for i, c := range "ABCDEFGH"[:2+n%5] {
						if id[i] == byte(c) {
							c++
						}
						id[i] = byte(c)
					}
					if err := post(string(id), "forged"); !errors.As(err, &e) {
						t.Errorf("a forged id: %v", err)
					}
					forged.Add(1)
					continue
				}
				was := p.gone.Load()
				text := fmt.Sprint("post ", n)
				err := post(p.id, text)
				var e *types.GoneException
				switch {
				case err == nil && was:
					t.Error("a message for a connection that is gone was taken")
				case err == nil && !p.leaves.Load():
					delivered.Add(1)
					eventually(t, 5*time.Second, func() error {
						p.mu.Lock()
						defer p.mu.Unlock()
						if !p.heard[text] && !p.leaves.Load() {
							return errors.New("a message that was taken has not come")
						}
						return nil
					})
				case err == nil: // it went meanwhile
				case errors.As(err, &e) && p.leaves.Load():
					gone.Add(1)
				default:
					t.Errorf("%v; it leaves: %v", err, p.leaves.Load())
				}
			}
		})
	}
	for n := range posts {
		work <- n
		time.Sleep(every)
		if n%10 == 5 && n/10 < pages/2 {
			p := all[n/10]
			p.leaves.Store(true)
			p.Close()
			eventually(t, 5*time.Second, func() error {
				var e *types.GoneException
				if err := post(p.id, "late"); !errors.As(err, &e) {
					return fmt.Errorf("gone, and posting to it: %v", err)
				}
				return nil
			})
			p.gone.Store(true)
		}
	}
	close(work)
	wg.Wait()
	for _, p := range all {
		p.mu.Lock()
		if p.heard["forged"] {
			t.Error("a forged id reached somebody")
		}
		p.mu.Unlock()
		p.Close()
	}
	found(t, "R28", "%d connections, %d messages delivered, %d answered 410, %d to forged ids", pages, delivered.Load(), gone.Load(), forged.Load())
}
