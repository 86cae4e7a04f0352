package control

import (
	"net/netip"

	"github.com/tidegate/tidegate/dataplane/auth/iam"
	"github.com/tidegate/tidegate/dataplane/auth/policy"
)

var decisions = map[policy.Decision]string{
	policy.Allow: DecisionAllowed, policy.ImplicitDeny: DecisionImplicitDeny, policy.ExplicitDeny: DecisionExplicitDeny,
}

// simulate decides about a request that nobody has made.
func (s *Server) simulate(r *request) (int, any, error) {
	var in SimulationInput
	if err := decode(r.body, &in); err != nil {
		return 0, nil, err
	}
	catalog := s.gateway.Catalog()
	u, err := userNamed(catalog, in.UserName)
	if err != nil {
		return 0, nil, err
	}
	action, err := iam.ParseAction(in.ActionName)
	if err != nil {
		return 0, nil, badRequest("Invalid actionName: %v", err)
	}
	c := policy.Context{Now: s.now().UnixNano(), SecureTransport: in.SecureTransport == nil || *in.SecureTransport}
	if in.SourceIP != "" {
		if c.SourceIP, err = netip.ParseAddr(in.SourceIP); err != nil {
			return 0, nil, badRequest("Invalid sourceIp: %s is no IP address", in.SourceIP)
		}
	}
	found, err := iam.Simulate(catalog, s.options.AccountID, u, action, in.ResourceARN, c)
	if err != nil {
		return 0, nil, badRequest("Invalid simulation: %v", err)
	}
	answer := Simulation{
		UserARN: iam.ARN(s.options.AccountID, u), EvalActionName: action.String(), EvalResourceName: in.ResourceARN,
		EvalDecision: decisions[found.Decision], MatchedStatements: []MatchedStatement{},
	}
	for _, m := range found.Matches {
		effect := "Allow"
		if m.Decision == policy.ExplicitDeny {
			effect = "Deny"
		}
		answer.MatchedStatements = append(answer.MatchedStatements, MatchedStatement{m.Policy, m.Kind, m.Statement, effect})
	}
	return 200, answer, nil
}
