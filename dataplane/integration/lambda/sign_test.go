package lambda

import (
	"bufio"
	"context"
	"crypto/sha256"
	"errors"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"

	"github.com/tidegate/tidegate/dataplane/auth/sigv4"
	"github.com/tidegate/tidegate/dataplane/http1"
)

// key is a CredentialsProvider of one key, and knows it to a Verifier.
type key aws.Credentials

var (
	longTerm  = key{AccessKeyID: "AKIDEXAMPLE", SecretAccessKey: "secret/key"}
	temporary = key{AccessKeyID: "ASIAEXAMPLE", SecretAccessKey: "other+key", SessionToken: "token=="}
)

func (k key) Retrieve(context.Context) (aws.Credentials, error) { return aws.Credentials(k), nil }

func (k key) Lookup(id []byte) *sigv4.Credential {
	if string(id) != k.AccessKeyID {
		return nil
	}
	return &sigv4.Credential{AccessKeyID: k.AccessKeyID, Secret: k.SecretAccessKey, Token: k.SessionToken, Expires: 1 << 62}
}

// What a client sends is verified from the bytes on the wire.
func TestSigned(t *testing.T) {
	for name, row := range map[string]struct {
		key      key
		function string
		region   string // of the host
		want     string // region that it is signed for
	}{
		"ARN":       {longTerm, arn + ":$LATEST", "us-east-1", "eu-west-1"},
		"name":      {longTerm, "guard:live", "us-east-1", "us-east-1"},
		"temporary": {temporary, arn, "", "eu-west-1"},
	} {
		listener, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		client, err := New(Config{Endpoint: "http://" + listener.Addr().String(), Region: row.region, Credentials: row.key})
		if err != nil {
			t.Fatal(err)
		}
		const payload = `{"type":"TOKEN"}`
		wire := make(chan string, 1)
		go func() {
			conn, err := listener.Accept()
			if err != nil {
				t.Error(err)
				return
			}
			defer conn.Close()
			r, head := bufio.NewReader(conn), ""
			for !strings.HasSuffix(head, "\r\n\r\n") {
				line, err := r.ReadString('\n')
				if err != nil {
					t.Error(err)
					break
				}
				head += line
			}
			io.CopyN(io.Discard, r, int64(len(payload)))
			io.WriteString(conn, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}")
			wire <- head
		}()
		if _, err := client.Invoke(t.Context(), row.function, []byte(payload)); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		head := []byte(<-wire)
		listener.Close()
		client.Close()
		var r http1.Request
		if fault := r.Parse(head, http1.Limits{Target: 8192, Header: 8192, Count: 50}); fault != 0 {
			t.Fatalf("%s: fault %d in %q", name, fault, head)
		}
		verifier := sigv4.New(sigv4.Config{Region: row.want, Service: "lambda", Credentials: row.key})
		hash := sha256.Sum256([]byte(payload))
		id, failure := verifier.Verify(&r, string(r.Host), &hash, time.Now().UnixNano())
		if failure != nil || id.AccessKeyID != row.key.AccessKeyID {
			t.Errorf("%s: %+v, %v\n%s", name, id, failure, head)
		}
	}
}

type noKey struct{}

func (noKey) Retrieve(context.Context) (aws.Credentials, error) {
	return aws.Credentials{}, errors.New("none here")
}

func TestCredentialsFail(t *testing.T) {
	client := serve(t, func(http.ResponseWriter, *http.Request) { t.Error("called") }, func(c *Config) { c.Credentials = noKey{} })
	if _, err := client.Invoke(t.Context(), arn, nil); err == nil || !strings.Contains(err.Error(), "credentials: ") || !strings.Contains(err.Error(), "none here") {
		t.Error(err)
	}
}
