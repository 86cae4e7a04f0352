package control

import "github.com/tidegate/tidegate/dataplane/definition"

// wireAccount tells the limit that is in force, be it the account's or the
// host's.
func (s *Server) wireAccount(a definition.Account) Account {
	limit := s.gateway.AccountThrottle()
	return Account{
		CloudwatchRoleARN: a.CloudwatchRoleARN, ThrottleSettings: wireThrottle(&limit),
		Features: []string{"UsagePlans"}, APIKeyVersion: "4",
	}
}

func (s *Server) getAccount(*request) (int, any, error) {
	return 200, s.wireAccount(s.gateway.Catalog().Account), nil
}

func (s *Server) updateAccount(r *request) (int, any, error) {
	ops, err := decodePatch(r.body, "updateAccountInput")
	if err != nil {
		return 0, nil, err
	}
	var next definition.Account
	err = s.update(func(c *definition.Catalog) (definition.Change, error) {
		next = c.Account
		for _, op := range ops {
			if err := patchAccount(&next, op); err != nil {
				return definition.Change{}, err
			}
		}
		return definition.Change{PutAccount: &next}, nil
	})
	if err != nil {
		return 0, nil, err
	}
	return 200, s.wireAccount(next), nil
}

func patchAccount(a *definition.Account, op PatchOperation) error {
	switch op.Path {
	case "/cloudwatchRoleArn":
		v, err := patchText(op)
		if err != nil {
			return err
		}
		a.CloudwatchRoleARN = v
		return nil
	case "/throttle/rateLimit", "/throttle/burstLimit":
		return patchAccountThrottle(a, op)
	case "/features":
		return unsupported(op.Path + " of UpdateAccount")
	default:
		return unknownPath(op, "/cloudwatchRoleArn", "/features")
	}
}

// patchAccountThrottle takes no 0: that would stop every API of the host. A part
// that is removed is the host file's again.
func patchAccountThrottle(a *definition.Account, op PatchOperation) error {
	limit, err := patchThrottle(a.Throttle, op)
	if err != nil {
		return err
	}
	if limit != nil && (limit.RateLimit != nil && *limit.RateLimit == 0 || limit.BurstLimit != nil && *limit.BurstLimit == 0) {
		return badRequest("Invalid value for %s: it must be more than 0", op.Path)
	}
	a.Throttle = limit
	return nil
}
