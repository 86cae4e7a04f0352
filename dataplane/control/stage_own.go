package control

import (
	"strconv"

	"github.com/tidegate/tidegate/dataplane/definition"
)

// ourPrefix begins the paths that AWS does not have.
const ourPrefix = "/x-tidegate-"

// webACLPath is the path of a stage's web ACL. AWS has it changed by AWS WAF.
const webACLPath = "/x-tidegate-web-acl"

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
	case "/x-tidegate-max-in-flight":
		st.MaxInFlight = 0
		if err = only(op, "add", "replace", "remove"); err == nil && op.Op != "remove" {
			if st.MaxInFlight, err = strconv.Atoi(op.Value); err != nil {
				st.MaxInFlight = -1
			}
			err = checkMaxInFlight(st.MaxInFlight)
		}
	case webACLPath:
		st.WebACLID, err = patchWebACL(op)
	default:
		err = unknownPath(op, "/x-tidegate-throttle", "/x-tidegate-throttle/rateLimit", "/x-tidegate-throttle/burstLimit", "/x-tidegate-guaranteed-rate", "/x-tidegate-rate-limit-headers", "/x-tidegate-cache-mode", "/x-tidegate-max-in-flight", "/x-tidegate-priority", webACLPath)
	}
	return err
}

// maxInFlight is far beyond any use.
const maxInFlight = 1 << 20

func checkMaxInFlight(n int) error {
	if n < 1 || n > maxInFlight {
		return badRequest("Invalid value for x-tidegate-max-in-flight: it must be a number of requests from 1 to %d", maxInFlight)
	}
	return nil
}

// patchWebACL returns how an operation names a web ACL, which the caller looks up.
func patchWebACL(op PatchOperation) (string, error) {
	name, err := patchText(op)
	if err == nil && name == "" && op.Op != "remove" {
		err = badRequest("Invalid value for %s: name a web ACL by its name, ARN or id, or remove it", op.Path)
	}
	return name, err
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
