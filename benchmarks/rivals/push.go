package rivals

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"net/http"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
)

// Pusher has a running server send to the WebSocket clients that it has. Any
// goroutine may use it.
type Pusher struct {
	http      *http.Client
	url, host string           // where messages are posted to; host may be empty
	signer    *aws.Credentials // nil: it takes what anybody posts
}

// callsAtOnce is how many calls of one Pusher may be under way on connections that
// are kept.
const callsAtOnce = 64

func unsignedPusher(url string) *Pusher {
	return &Pusher{http: &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: callsAtOnce}}, url: url}
}

// ToAll sends a message to all clients. It returns when the server has taken it.
func (p *Pusher) ToAll(ctx context.Context, message []byte) error { return p.post(ctx, p.url, message) }

// ToOne sends a message to the client that has the connection id, which only
// Tidegate gives.
func (p *Pusher) ToOne(ctx context.Context, id string, message []byte) error {
	return p.post(ctx, p.url+"/"+id, message)
}

func (p *Pusher) post(ctx context.Context, url string, message []byte) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, url, bytes.NewReader(message))
	if err != nil {
		return err
	}
	req.Host = p.host
	if p.signer != nil {
		if err := p.sign(req, message); err != nil {
			return err
		}
	}
	resp, err := p.http.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	answer, err := io.ReadAll(resp.Body)
	if err == nil && resp.StatusCode != http.StatusOK {
		err = fmt.Errorf("push: status %d: %.500s", resp.StatusCode, answer)
	}
	return err
}

// region is what signatures name, and the host file.
const region = "us-east-1"

func (p *Pusher) sign(req *http.Request, message []byte) error {
	sum := sha256.Sum256(message)
	payload := hex.EncodeToString(sum[:])
	req.Header.Set("X-Amz-Content-Sha256", payload)
	if err := v4.NewSigner().SignHTTP(req.Context(), *p.signer, req, payload, "execute-api", region, time.Now()); err != nil {
		return fmt.Errorf("push: %w", err)
	}
	return nil
}

// newPusher makes a user of Tidegate that may call @connections of all APIs, and
// returns a Pusher that signs as he.
func (c *control) newPusher(ctx context.Context, url, host string) (*Pusher, error) {
	const users = "/tidegate/iam/users"
	const policy = `{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"execute-api:ManageConnections","Resource":"*"}}`
	if err := c.send(ctx, http.MethodPost, users, map[string]string{"userName": "bench"}, nil); err != nil {
		return nil, err
	}
	if err := c.send(ctx, http.MethodPut, users+"/bench/policies/push", map[string]string{"policyDocument": policy}, nil); err != nil {
		return nil, err
	}
	var key struct{ AccessKeyID, SecretAccessKey string }
	if err := c.call(ctx, http.MethodPost, users+"/bench/accesskeys", nil, &key); err != nil {
		return nil, err
	}
	p := unsignedPusher(url)
	p.host, p.signer = host, &aws.Credentials{AccessKeyID: key.AccessKeyID, SecretAccessKey: key.SecretAccessKey}
	return p, nil
}
