package control

import (
	"strconv"

	"github.com/tidegate/tidegate/dataplane/definition"
)

// patchMethodThrottle sets a part of the limit of a method.
func patchMethodThrottle(m *definition.MethodSetting, op PatchOperation) error {
	if v, err := strconv.ParseFloat(op.Value, 64); err == nil && v == -1 {
		op.Op = "remove" // Terraform's way to inherit
	}
	limit, err := patchThrottle(&m.Throttle, op)
	if err != nil {
		return err
	}
	m.Throttle = definition.Throttle{}
	if limit != nil {
		m.Throttle = *limit
	}
	return nil
}
