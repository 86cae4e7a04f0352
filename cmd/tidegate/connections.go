package main

import (
	"context"
	"fmt"
	"time"

	"github.com/tidegate/tidegate/dataplane/control"
)

var connectionsCommand = &command{
	name:    "connections",
	args:    "[API [STAGE]] [--limit N] [--watch] [--json]",
	summary: "list, close and write to connections of WebSocket APIs",
	help: `
Lists the open connections of WebSocket APIs: of all, of one API or of one of its
stages, with the messages that came and went, and how many wait for a client that
does not read. API is a name or an id.

Examples:
  tidegate connections
  tidegate connections chat prod --watch
  tidegate connections chat --limit 0 --json | jq -r '.items[].connectionId'
  tidegate connections send L0SM9cOFvHcCIhw= "back in five minutes"
  tidegate connections close L0SM9cOFvHcCIhw=`,
	verbs: []*command{closeConnectionCommand, sendConnectionCommand},
}

func init() { connectionsCommand.run = listConnections }

// pageOfConnections is how many the daemon is asked for at once.
const pageOfConnections = 1000

func listConnections(e *env, args []string) error {
	r := newRemote(e, connectionsCommand)
	limit := r.Int("limit", 100, "show at most `N`; 0 shows all")
	watch := r.Bool("watch", false, "show them again each second until Ctrl-C")
	operands, err := r.operands(args, 0, 2, "")
	if err != nil {
		return err
	}
	if *limit < 0 {
		return usagef("--limit %d: write a number of connections, or 0 for all", *limit)
	}
	if !*watch {
		var names map[string]string
		var list *control.ConnectionList
		err := r.call("reading connections", func(ctx context.Context, c *control.Client) (err error) {
			names, list, err = readConnections(ctx, c, operands, *limit)
			return err
		})
		if err != nil {
			return err
		}
		return printConnections(r, names, list)
	}
	again := false
	return r.watch(func(ctx context.Context, c *control.Client) error {
		names, list, err := readConnections(ctx, c, operands, *limit)
		if err != nil {
			return err
		}
		if !*r.json {
			r.newScreen(again)
			again = true
		}
		return printConnections(r, names, list)
	})
}

// readConnections reads as many as there are, up to the limit, with the names of
// the APIs.
func readConnections(ctx context.Context, c *control.Client, operands []string, limit int) (map[string]string, *control.ConnectionList, error) {
	apis, err := allAPIs(ctx, c)
	if err != nil {
		return nil, nil, err
	}
	var f control.ConnectionFilter
	if len(operands) > 0 {
		a, err := apiKind.find(apis, operands[0])
		switch {
		case err != nil:
			return nil, nil, err
		case !a.webSocket():
			return nil, nil, refusef("%s is a REST API; only those of WebSocket APIs are listed", a.name)
		}
		f.APIID = a.id
	}
	if len(operands) > 1 {
		f.Stage = operands[1]
	}
	all := &control.ConnectionList{Items: []control.Connection{}}
	for token := ""; ; {
		most := pageOfConnections
		if limit > 0 {
			most = min(most, limit-len(all.Items))
		}
		page, err := c.Connections(ctx, f, token, most)
		if err != nil {
			return nil, nil, err
		}
		all.Items, all.Totals, all.NextToken = append(all.Items, page.Items...), page.Totals, page.NextToken
		if token = page.NextToken; token == "" || len(all.Items) == limit {
			return apiNames(apis), all, nil
		}
	}
}

func printConnections(r *remote, names map[string]string, list *control.ConnectionList) error {
	if *r.json {
		return printJSON(r.env.stdout, list)
	}
	now := r.env.now()
	t := newTable(r.env.stdout, "id", "stage", "source", "open for", "idle for", "in", "out", "queued", "user agent")
	for _, c := range list.Items {
		t.row(c.ID, nameOf(names, c.APIID)+":"+c.Stage, c.SourceIP, lasted(now, c.ConnectedAt), lasted(now, c.LastActiveAt),
			decimal(c.MessagesIn), decimal(c.MessagesOut), fmt.Sprint(c.Queued), c.UserAgent)
	}
	if err := t.flush(); err != nil {
		return err
	}
	total := list.Totals
	_, err := fmt.Fprintf(r.env.stdout, "%s open; %s came, %s went, %d bytes queued\n", count(total.Open, "connection"), decimal(total.MessagesIn), decimal(total.MessagesOut), total.Queued)
	if err == nil && list.NextToken != "" {
		_, err = fmt.Fprintf(r.env.stdout, "%d are shown; --limit 0 shows all\n", len(list.Items))
	}
	return err
}

// lasted is how long ago something was, to the second.
func lasted(now, since time.Time) string {
	if since.IsZero() {
		return ""
	}
	return max(0, now.Sub(since)).Truncate(time.Second).String()
}
