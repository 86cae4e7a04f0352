package main

import (
	"fmt"
	"strconv"

	"github.com/tidegate/tidegate/dataplane/control"
)

// printCallers shows what finds out who calls: whose tokens there are keys for,
// and how custom authorizers do.
func printCallers(e *env, s *control.Status) error {
	if len(s.Issuers) > 0 {
		fmt.Fprintln(e.stdout)
		t := newTable(e.stdout, "issuer", "keys", "fetched", "failures since")
		for _, i := range s.Issuers {
			fetched := "never"
			if i.FetchedAt != nil {
				fetched = stamp(*i.FetchedAt)
			}
			t.row(i.Issuer, strconv.Itoa(len(i.Keys)), fetched, strconv.Itoa(i.Failures))
		}
		if err := t.flush(); err != nil {
			return err
		}
	}
	if len(s.Authorizers) > 0 {
		fmt.Fprintln(e.stdout)
		t := newTable(e.stdout, "authorizer", "hits", "calls", "failed", "mean", "busy", "waiting")
		for _, a := range s.Authorizers {
			t.row(a.APIName+":"+a.Stage+" "+a.Name, strconv.FormatInt(a.Hits, 10), strconv.FormatInt(a.Calls, 10), strconv.FormatInt(a.Failed, 10),
				strconv.FormatInt(a.MeanLatencyMillis, 10)+" ms", strconv.FormatInt(a.Busy, 10), strconv.Itoa(a.Waiting))
		}
		return t.flush()
	}
	return nil
}

// printTroubles says why tokens are refused and requests to authorizers fail.
func printTroubles(e *env, s *control.Status) {
	for _, i := range s.Issuers {
		if i.Failures > 0 && i.FailedAt != nil {
			fmt.Fprintf(e.stdout, "note: no keys of %s at %s: %s\n", visible(i.Issuer), stamp(*i.FailedAt), visible(i.LastError))
		}
		for _, unfit := range i.Unfit {
			fmt.Fprintf(e.stdout, "note: of %s: %s\n", visible(i.Issuer), visible(unfit))
		}
	}
	for _, a := range s.Authorizers {
		if a.FailedAt != nil {
			fmt.Fprintf(e.stdout, "note: authorizer %s:%s %s failed last at %s: %s\n", visible(a.APIName), a.Stage, visible(a.Name), stamp(*a.FailedAt), visible(a.LastError))
		}
	}
}
