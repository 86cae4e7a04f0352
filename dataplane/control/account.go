package control

import "github.com/tidegate/tidegate/dataplane/definition"

func wireAccount(a definition.Account) Account {
	return Account{CloudwatchRoleARN: a.CloudwatchRoleARN, Features: []string{}, APIKeyVersion: "4"}
}

func (s *Server) getAccount(*request) (int, any, error) {
	return 200, wireAccount(s.gateway.Catalog().Account), nil
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
	return 200, wireAccount(next), nil
}

func patchAccount(a *definition.Account, op PatchOperation) error {
	switch op.Path {
	case "/cloudwatchRoleArn":
		if err := only(op, "add", "replace", "remove"); err != nil {
			return err
		}
		a.CloudwatchRoleARN = ""
		if op.Op != "remove" {
			a.CloudwatchRoleARN = op.Value
		}
		return nil
	case "/features", "/throttle/rateLimit", "/throttle/burstLimit":
		return unsupported(op.Path + " of UpdateAccount")
	default:
		return unknownPath(op, "/cloudwatchRoleArn", "/features")
	}
}
