package control

import (
	"context"
	"time"
)

// StateStatus says how well what is defined is kept.
type StateStatus struct {
	CopiedAt  *time.Time     `json:"copiedAt,omitempty"`  // when the copy that a start falls back to was made
	CopyDue   bool           `json:"copyDue,omitempty"`   // there are changes that it does not have yet
	CopyError string         `json:"copyError,omitempty"` // why the last one could not be made
	Fallback  *StateFallback `json:"fallback,omitempty"`  // until it is acknowledged
}

// StateFallback says that a start found the state file damaged or missing and
// went back to its copy. Changes after CopiedAt are lost.
type StateFallback struct {
	At       time.Time `json:"at"`
	Cause    string    `json:"cause"`
	Damaged  string    `json:"damaged,omitempty"` // where the damaged file is now; empty if it was missing
	CopiedAt time.Time `json:"copiedAt"`
}

func (s *Server) acknowledgeFallback(*request) (int, any, error) {
	if err := s.gateway.AcknowledgeFallback(); err != nil {
		return 0, nil, err
	}
	return 204, nil, nil
}

// AcknowledgeFallback ends the alarm that the state file was damaged.
func (c *Client) AcknowledgeFallback(ctx context.Context) error {
	return c.call(ctx, "POST", "/tidegate/state/acknowledge", nil, nil, nil)
}
