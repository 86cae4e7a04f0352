package control

import "github.com/tidegate/tidegate/dataplane/definition"

// ourPrefix begins the paths that AWS does not have.
const ourPrefix = "/x-tidegate-"

// patchOwnSetting sets what a stage has beyond AWS.
func patchOwnSetting(st *definition.Stage, op PatchOperation) (err error) {
	switch op.Path {
	case "/x-tidegate-throttle":
		if err = only(op, "remove"); err == nil {
			st.Throttle = nil
		}
	case "/x-tidegate-throttle/rateLimit", "/x-tidegate-throttle/burstLimit":
		st.Throttle, err = patchThrottle(st.Throttle, op)
	case "/x-tidegate-guaranteed-rate":
		st.GuaranteedRate, err = patchRate(op)
	case "/x-tidegate-priority":
		st.Priority, err = patchPriority(op)
	case "/x-tidegate-rate-limit-headers":
		st.HideLimits = false
		if err = only(op, "add", "replace", "remove"); err == nil && op.Op != "remove" {
			var show bool
			show, err = patchFlag(op)
			st.HideLimits = !show
		}
	case "/x-tidegate-cache-mode":
		st.CacheMode, err = patchCacheMode(op)
	default:
		err = unknownPath(op, "/x-tidegate-throttle", "/x-tidegate-throttle/rateLimit", "/x-tidegate-throttle/burstLimit", "/x-tidegate-guaranteed-rate", "/x-tidegate-rate-limit-headers", "/x-tidegate-cache-mode", "/x-tidegate-priority")
	}
	return err
}

// patchPriority returns the priority that an operation sets, empty for one that
// takes it away.
func patchPriority(op PatchOperation) (string, error) {
	if err := only(op, "add", "replace", "remove"); err != nil || op.Op == "remove" {
		return "", err
	}
	if err := definition.CheckPriority(op.Value); err != nil {
		return "", badRequest("Invalid value for %s: %v", op.Path, err)
	}
	return op.Value, nil
}
