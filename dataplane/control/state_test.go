package control

import (
	"context"
	"errors"
	"strings"
	"testing"
)

func TestAcknowledgeFallback(t *testing.T) {
	b := newBench(t)
	client, ctx := Dial(b.socket), context.Background()
	defer client.Close()
	b.gateway.fallback = &StateFallback{At: noon, Cause: "it is empty", CopiedAt: noon}
	if s, err := client.Status(ctx); err != nil || s.Kept.Fallback == nil || *s.Kept.Fallback != *b.gateway.fallback {
		t.Fatalf("%+v, %v", s, err)
	}
	b.gateway.refuse = errors.New("read-only file system")
	if err := client.AcknowledgeFallback(ctx); err == nil || !strings.Contains(err.Error(), "read-only file system") {
		t.Errorf("on a disk that cannot be written: %v", err)
	}
	b.gateway.refuse = nil
	if err := client.AcknowledgeFallback(ctx); err != nil || b.gateway.fallback != nil {
		t.Errorf("%v", err)
	}
}

// TestPartialErrors: who deploys learns that what he did is in force.
func TestPartialErrors(t *testing.T) {
	for err, want := range map[error]string{
		errors.New("no space left on device"):                    "The operation failed and nothing was changed: no space left on device",
		&PartialError{errors.New("a power failure may undo it")}: "The operation was made in part: a power failure may undo it",
	} {
		if e := asError(err); e.Status != 500 || e.Code != CodeInternalError || e.Message != want {
			t.Errorf("%+v", e)
		}
	}
}
