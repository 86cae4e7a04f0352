package rivals

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
)

func TestPusher(t *testing.T) {
	var got []string
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		scope, _, _ := strings.Cut(r.Header.Get("Authorization"), ",")
		got = append(got, r.Method+" "+r.Host+r.URL.Path+" "+string(body)+" "+scope)
		if scope != "" && (!strings.HasPrefix(scope, "AWS4-HMAC-SHA256 Credential=AKIA1/") || !strings.HasSuffix(scope, "/us-east-1/execute-api/aws4_request") || len(r.Header.Get("X-Amz-Content-Sha256")) != 64) {
			t.Errorf("signed with %v", r.Header)
		}
		if strings.HasSuffix(r.URL.Path, "/gone") {
			http.Error(w, "no longer", http.StatusGone)
		}
	}))
	defer s.Close()
	ctx, p := context.Background(), unsignedPusher(s.URL+"/push")
	p.host = "h.test"
	if err := p.ToAll(ctx, []byte("one")); err != nil {
		t.Error(err)
	}
	p.signer = &aws.Credentials{AccessKeyID: "AKIA1", SecretAccessKey: "hidden"}
	if err := p.ToOne(ctx, "id1", []byte("two")); err != nil {
		t.Error(err)
	}
	if err := p.ToOne(ctx, "gone", nil); err == nil || !strings.Contains(err.Error(), "410: no longer") {
		t.Errorf("a client that has gone: %v", err)
	}
	if len(got) != 3 || got[0] != "POST h.test/push one " || !strings.HasPrefix(got[1], "POST h.test/push/id1 two AWS4") {
		t.Errorf("calls %q", got)
	}
}
