package main

import (
	"context"
	"fmt"
	"strings"

	"github.com/tidegate/tidegate/dataplane/control"
)

var simulateCommand = &command{
	name:    "iam simulate",
	args:    "USER ACTION RESOURCE [--source-ip IP] [--cleartext] [--json]",
	summary: "say whether a user may make a request, and by what",
	help: `
Decides about a request that the user would sign, by the user's policies and the
resource policy that the stage serves with, and lists the statements that say so.
ACTION is Invoke, InvalidateCache or ManageConnections. RESOURCE is a method ARN
with the path of the request, or API:STAGE:/path/VERB. What is not given, such as
the source address, the request does not have.

Exit codes: 0 allowed, 4 denied.

Examples:
  tidegate iam simulate billing Invoke petstore:prod:/pets/6/GET
  tidegate iam simulate billing execute-api:Invoke arn:aws:execute-api:us-east-1:000000000000:k2x9ab4c1d/prod/GET/pets/6 --source-ip 10.1.2.3`,
}

func init() { simulateCommand.run = simulate }

func simulate(e *env, args []string) error {
	r := newRemote(e, simulateCommand)
	address := r.String("source-ip", "", "`ADDRESS` that the request comes from")
	cleartext := r.Bool("cleartext", false, "the request comes without TLS")
	operands, err := r.operands(args, 3, 3, "USER, ACTION and RESOURCE")
	if err != nil {
		return err
	}
	secure := !*cleartext
	in := control.SimulationInput{UserName: operands[0], ActionName: operands[1], ResourceARN: operands[2], SourceIP: *address, SecureTransport: &secure}
	var method *target
	if !strings.HasPrefix(operands[2], "arn:") {
		t, err := parseTarget(operands[2])
		switch {
		case err != nil:
			return err
		case t.verb == "":
			return usagef("%q: name a method, as API:STAGE:/path/VERB, or a method ARN", operands[2])
		}
		method = &t
	}
	var found *control.Simulation
	err = r.call("simulating", func(ctx context.Context, c *control.Client) error {
		if method != nil {
			if in.ResourceARN, err = methodARN(ctx, c, method); err != nil {
				return err
			}
		}
		found, err = c.Simulate(ctx, in)
		return err
	})
	if err != nil {
		return err
	}
	if *r.json {
		err = printJSON(e.stdout, found)
	} else {
		err = printSimulation(e, found)
	}
	if err == nil && found.EvalDecision != control.DecisionAllowed {
		return &refusedError{errReported}
	}
	return err
}

// methodARN is the ARN of a request to a method.
func methodARN(ctx context.Context, c *control.Client, t *target) (string, error) {
	if _, err := resolve(ctx, c, t); err != nil {
		return "", err
	}
	status, err := c.Status(ctx)
	if err != nil {
		return "", err
	}
	return fmt.Sprintf("arn:aws:execute-api:%s:%s:%s/%s/%s/%s", status.Region, status.AccountID, t.api, t.stage, t.verb, strings.TrimPrefix(t.path, "/")), nil
}

var decisionTexts = map[string]string{
	control.DecisionAllowed:      "allowed",
	control.DecisionImplicitDeny: "denied, since nothing allows it",
	control.DecisionExplicitDeny: "denied by a statement",
}

func printSimulation(e *env, s *control.Simulation) error {
	fmt.Fprintf(e.stdout, "%s: %s on %s for %s\n", decisionTexts[s.EvalDecision], s.EvalActionName, visible(s.EvalResourceName), s.UserARN)
	if len(s.MatchedStatements) == 0 {
		return nil
	}
	fmt.Fprintln(e.stdout)
	t := newTable(e.stdout, "effect", "policy", "kind", "statement")
	for _, m := range s.MatchedStatements {
		t.row(m.Effect, m.SourcePolicyID, m.SourcePolicyType, fmt.Sprintf("Statement[%d]", m.Statement))
	}
	return t.flush()
}
