package control

import (
	"context"
	"time"
)

// Offender is a source whose requests were denied lately.
type Offender struct {
	Source    string     `json:"source"` // an IPv4 address, or an IPv6 network of 64 bits
	Denied    uint64     `json:"denied"` // requests since FirstSeen
	Reason    string     `json:"reason"` // gateway response type of the last one
	FirstSeen time.Time  `json:"firstSeen"`
	LastSeen  time.Time  `json:"lastSeen"`
	Until     *time.Time `json:"until,omitempty"` // when its limit returns
}

// offenderList bounds the answer to GET /tidegate/offenders.
const offenderList = 100

// offenders lists who was denied most, the most first.
func (s *Server) offenders(*request) (int, any, error) {
	list := List[Offender]{Items: s.gateway.Offenders(offenderList)}
	if list.Items == nil {
		list.Items = []Offender{}
	}
	return 200, list, nil
}

// Offenders lists the sources whose requests were denied most lately, the most
// first.
func (c *Client) Offenders(ctx context.Context) ([]Offender, error) {
	var list List[Offender]
	err := c.call(ctx, "GET", "/tidegate/offenders", nil, nil, &list)
	return list.Items, err
}
