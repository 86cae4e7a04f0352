package dataplane

import "github.com/tidegate/tidegate/dataplane/control"

// Connections implements control.Gateway.
func (g *Gateway) Connections() control.Connections { return noConnections{} }

// noConnections is a gateway that has no connections open.
type noConnections struct{}

func (noConnections) List(control.ConnectionFilter, string, int) ([]control.Connection, string, error) {
	return nil, "", nil
}

func (noConnections) Totals(control.ConnectionFilter) control.ConnectionTotals {
	return control.ConnectionTotals{}
}

func (noConnections) Close(string) error { return control.ErrConnectionGone }

func (noConnections) Send(string, string) error { return control.ErrConnectionGone }
