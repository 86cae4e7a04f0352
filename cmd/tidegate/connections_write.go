package main

import (
	"context"
	"fmt"

	"github.com/tidegate/tidegate/dataplane/control"
)

var closeConnectionCommand = &command{
	name:    "connections close",
	args:    "ID [--json]",
	summary: "close a connection",
	help: `
Closes a connection with the code 1000, as DELETE of AWS's @connections API does.
Its client may connect again: to keep a source out, see tidegate gate deny.

Examples:
  tidegate connections close L0SM9cOFvHcCIhw=`,
}

var sendConnectionCommand = &command{
	name:    "connections send",
	args:    "ID TEXT [--json]",
	summary: "send a message to a client",
	help: `
Sends a text message to the client of a connection, as POST of AWS's @connections
API does.

Examples:
  tidegate connections send L0SM9cOFvHcCIhw= '{"notice": "back in five minutes"}'`,
}

func init() {
	closeConnectionCommand.run = closeConnection
	sendConnectionCommand.run = sendConnection
}

func closeConnection(e *env, args []string) error {
	r := newRemote(e, closeConnectionCommand)
	operands, err := r.operands(args, 1, 1, "ID")
	if err != nil {
		return err
	}
	err = r.call("closing a connection", func(ctx context.Context, c *control.Client) error {
		return c.CloseConnection(ctx, operands[0])
	})
	if err != nil {
		return err
	}
	return printDone(r, "closed", operands[0])
}

func sendConnection(e *env, args []string) error {
	r := newRemote(e, sendConnectionCommand)
	operands, err := r.operands(args, 2, 2, "ID and TEXT")
	if err != nil {
		return err
	}
	err = r.call("sending a message", func(ctx context.Context, c *control.Client) error {
		return c.SendToConnection(ctx, operands[0], operands[1])
	})
	if err != nil {
		return err
	}
	return printDone(r, "sent to", operands[0])
}

// printDone says what was done to a connection.
func printDone(r *remote, what, id string) error {
	if *r.json {
		return printJSON(r.env.stdout, map[string]string{"connectionId": id})
	}
	_, err := fmt.Fprintf(r.env.stdout, "%s %s\n", what, visible(id))
	return err
}
