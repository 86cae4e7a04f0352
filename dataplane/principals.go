package dataplane

import (
	"fmt"

	"github.com/tidegate/tidegate/dataplane/auth/iam"
	"github.com/tidegate/tidegate/dataplane/definition"
)

// loadPrincipals knows the signatures of a catalog's users from then on. Update
// keeps that as the catalog is.
func (g *Gateway) loadPrincipals(accountID string, c *definition.Catalog) error {
	g.iam = iam.NewStore(accountID)
	principals, err := g.iam.Compile(c)
	if err != nil {
		return fmt.Errorf("load users and access keys: %w", err)
	}
	g.iam.Swap(principals)
	return nil
}
