package auth

import (
	"fmt"

	"github.com/tidegate/tidegate/dataplane/auth/policy"
	"github.com/tidegate/tidegate/dataplane/definition"
)

// Host is where method ARNs are.
type Host struct {
	Partition, Region, AccountID string
}

// apiARN returns the part of method ARNs up to the API.
func (h Host) apiARN(apiID string) string {
	return "arn:" + h.Partition + ":execute-api:" + h.Region + ":" + h.AccountID + ":" + apiID
}

// Stage compiles the guards of one stage's methods.
type Stage struct {
	policy  *policy.Policy
	private bool
	arn     string
	open    *Guard // of methods that ask for nobody; nil when there is nothing to decide
}

// CompilePolicy reads the resource policy of an API; empty is none.
func CompilePolicy(h Host, apiID, document string) (*policy.Policy, error) {
	if document == "" {
		return nil, nil
	}
	p, err := policy.Compile([]byte(document), policy.Options{Kind: policy.Resource, API: h.apiARN(apiID)})
	if err != nil {
		return nil, fmt.Errorf("resource policy: %w", err)
	}
	return p, nil
}

// CompileStage reads what the methods of a stage have in common.
func CompileStage(h Host, st *definition.Stage, body *definition.Body) (*Stage, error) {
	s := &Stage{private: body.EndpointType == definition.EndpointPrivate, arn: h.apiARN(st.APIID) + "/" + st.Name + "/"}
	var err error
	if s.policy, err = CompilePolicy(h, st.APIID, body.Policy); err != nil {
		return nil, err
	}
	if s.policy != nil || s.private {
		s.open = s.guard(None)
	}
	return s, nil
}

func (s *Stage) guard(k Kind) *Guard {
	return &Guard{Kind: k, policy: s.policy, private: s.private, stage: s.arn}
}

// Method compiles the guard of a method, nil when anybody may call it.
func (s *Stage) Method(m *definition.Method) (*Guard, error) {
	switch m.AuthorizationType {
	case "", definition.AuthNone:
		return s.open, nil
	case definition.AuthIAM:
		return s.guard(IAM), nil
	}
	return nil, fmt.Errorf("authorization type %q is not supported yet", m.AuthorizationType)
}
