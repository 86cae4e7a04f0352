package pipeline

import (
	"slices"
	"testing"

	"github.com/tidegate/tidegate/dataplane/http1"
	"github.com/tidegate/tidegate/dataplane/integration/upstream"
)

// TestEveryReasonHasAnAnswer, and a label of its own.
func TestEveryReasonHasAnAnswer(t *testing.T) {
	labels := Labels()
	for r := range numReasons {
		g := responses[r]
		if g.status < 400 || g.status > 599 || g.responseType == "" || g.errorType == "" || g.message == "" && r != NotSigned {
			t.Errorf("reason %d: %+v", r, g)
		}
		if slices.Index(labels, g.label) != int(r) {
			t.Errorf("label %q is not reason %d's alone", g.label, r)
		}
	}
}

func TestFaultsAndFailures(t *testing.T) {
	for f := http1.FaultRequestLine; f < http1.FaultStatusLine; f++ {
		if got := responses[ofFault(f)].status; got != f.Status() {
			t.Errorf("%v: %d, want %d", f, got, f.Status())
		}
	}
	for f, want := range map[upstream.Failure]int{
		upstream.Unresolved: 504, upstream.Refused: 504, upstream.ConnectTimeout: 504, upstream.Timeout: 504,
		upstream.NoAnswer: 502, upstream.Invalid: 502, upstream.Truncated: 502, upstream.Busy: 503, upstream.NoSocket: 503, upstream.Open: 503, upstream.ShuttingDown: 503,
	} {
		if got := responses[ofFailure(f)].status; got != want {
			t.Errorf("%v: %d, want %d", f, got, want)
		}
	}
}

// TestAnswerTooLarge names the constant behind open point 4: AWS does not say
// what status an answer over the payload limit gets.
func TestAnswerTooLarge(t *testing.T) {
	if got := responses[ofFailure(upstream.TooLarge)].status; got != statusAnswerTooLarge {
		t.Errorf("%d, want %d", got, statusAnswerTooLarge)
	}
}

func TestIsUUID(t *testing.T) {
	for text, want := range map[string]bool{
		"0f8fad5b-d9cb-469f-a165-70867728950e": true, "0F8FAD5B-D9CB-469F-A165-70867728950E": true,
		"": false, "0f8fad5b-d9cb-469f-a165-70867728950": false, "0f8fad5b-d9cb-469f-a165-70867728950eg": false,
		"0f8fad5bd-9cb-469f-a165-70867728950e": false, "0f8fad5b-d9cb-469f-a165-70867728950g": false,
		"{f8fad5b-d9cb-469f-a165-70867728950}": false,
	} {
		if got := isUUID([]byte(text)); got != want {
			t.Errorf("%q: %t", text, got)
		}
	}
}
