package load

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"time"
)

// Crowd is WebSocket clients in a process of their own.
type Crowd struct {
	Socket
	Clients int
}

// Clients are a running Crowd. One goroutine uses it.
type Clients struct {
	// IDs are the clients' connection ids, if the answers to their hello had one.
	IDs []string

	child *child
	lines *bufio.Reader
}

// order is what the clients are to do: one of them.
type order struct {
	Echo   *echo   `json:"echo,omitempty"`
	Expect *expect `json:"expect,omitempty"`
	Arrive *arrive `json:"arrive,omitempty"`
	Count  bool    `json:"count,omitempty"`
}

// crowdAnswer is what has come of an order.
type crowdAnswer struct {
	IDs      []string        `json:"ids,omitempty"`
	Echoes   *EchoSummary    `json:"echoes,omitempty"`
	Pushes   *PushSummary    `json:"pushes,omitempty"`
	Arrivals *ArrivalSummary `json:"arrivals,omitempty"`
	Open     int             `json:"open,omitempty"`
	Error    string          `json:"error,omitempty"`
}

// Start returns when all clients are connected.
func (c Crowd) Start(ctx context.Context) (*Clients, error) {
	child, err := spawn(ctx, nil, crowdCommand, c)
	if err != nil {
		return nil, err
	}
	all := &Clients{child: child, lines: bufio.NewReader(child.out)}
	a, err := all.answer()
	if err != nil {
		all.Stop()
		return nil, err
	}
	all.IDs = a.IDs
	return all, nil
}

// Echo has each client send a message of so many bytes, and another when that has
// come back as it was, for so long.
func (c *Clients) Echo(bytes int, d time.Duration) (EchoSummary, error) {
	a, err := c.ask(order{Echo: &echo{Bytes: bytes, For: d}})
	if err != nil {
		return EchoSummary{}, err
	}
	return *a.Echoes, nil
}

// Expect has the clients wait for so many messages that begin with a [Stamp],
// altogether. It returns when they may come.
func (c *Clients) Expect(messages int) error {
	_, err := c.ask(order{Expect: &expect{Messages: messages}})
	return err
}

// Pushed returns when all messages that are expected have come.
func (c *Clients) Pushed() (PushSummary, error) {
	a, err := c.answer()
	if err != nil {
		return PushSummary{}, err
	}
	return *a.Pushes, nil
}

// Arrive has new clients come at a constant rate, and stay. Arrived follows.
func (c *Clients) Arrive(perSecond float64, d time.Duration) error {
	return c.order(order{Arrive: &arrive{Rate: perSecond, For: d}})
}

// Arrived returns when all new clients are connected.
func (c *Clients) Arrived() (ArrivalSummary, error) {
	a, err := c.answer()
	if err != nil {
		return ArrivalSummary{}, err
	}
	return *a.Arrivals, nil
}

// Open counts the clients whose WebSocket is open.
func (c *Clients) Open() (int, error) {
	a, err := c.ask(order{Count: true})
	return a.Open, err
}

// Stop closes all WebSockets.
func (c *Clients) Stop() {
	c.child.release()
	_, _ = io.Copy(io.Discard, c.lines)
	_ = c.child.cmd.Wait()
}

func (c *Clients) ask(o order) (crowdAnswer, error) {
	if err := c.order(o); err != nil {
		return crowdAnswer{}, err
	}
	return c.answer()
}

func (c *Clients) order(o order) error {
	if err := json.NewEncoder(c.child.stdin).Encode(o); err != nil {
		return fmt.Errorf("WebSocket clients: %w", err)
	}
	return nil
}

func (c *Clients) answer() (a crowdAnswer, err error) {
	line, err := c.lines.ReadBytes('\n')
	if err == nil {
		err = json.Unmarshal(line, &a)
	}
	if err == nil && a.Error != "" {
		err = errors.New(a.Error)
	}
	if err != nil {
		err = fmt.Errorf("WebSocket clients: %w%s", err, c.child.log.String())
	}
	return a, err
}
