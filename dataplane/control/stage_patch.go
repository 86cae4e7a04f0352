package control

import (
	"strings"

	"github.com/tidegate/tidegate/dataplane/definition"
)

// stagePaths is the list that AWS prints, with its missing commas.
const stagePaths = "/deploymentId, /description, /cacheClusterEnabled, /cacheClusterSize, /clientCertificateId, /accessLogSettings, /accessLogSettings/destinationArn, /accessLogSettings/format, " +
	"/{resourcePath}/{httpMethod}/metrics/enabled, /{resourcePath}/{httpMethod}/logging/dataTrace, /{resourcePath}/{httpMethod}/logging/loglevel, " +
	"/{resourcePath}/{httpMethod}/throttling/burstLimit/{resourcePath}/{httpMethod}/throttling/rateLimit/{resourcePath}/{httpMethod}/caching/ttlInSeconds, " +
	"/{resourcePath}/{httpMethod}/caching/enabled, /{resourcePath}/{httpMethod}/caching/dataEncrypted, /{resourcePath}/{httpMethod}/caching/requireAuthorizationForCacheControl, " +
	"/{resourcePath}/{httpMethod}/caching/unauthorizedCacheControlHeaderStrategy, " +
	"/*/*/metrics/enabled, /*/*/logging/dataTrace, /*/*/logging/loglevel, /*/*/throttling/burstLimit /*/*/throttling/rateLimit /*/*/caching/ttlInSeconds, " +
	"/*/*/caching/enabled, /*/*/caching/dataEncrypted, /*/*/caching/requireAuthorizationForCacheControl, /*/*/caching/unauthorizedCacheControlHeaderStrategy, " +
	"/variables/{variable_name}, /tracingEnabled"

// patchStage applies one operation to st, which is a copy of the caller's with
// variables and method settings of its own.
func patchStage(st *definition.Stage, op PatchOperation) error {
	switch op.Op {
	case "copy":
		return promote(op)
	case "move", "test":
		return badRequest("Invalid patch operation specified. Must be one of: [add, remove, replace, copy]")
	}
	if name, ok := strings.CutPrefix(op.Path, "/variables/"); ok {
		return patchVariable(st, op, unescape(name))
	}
	if strings.HasPrefix(op.Path, ourPrefix) {
		return patchOwnSetting(st, op)
	}
	if known, err := patchMethodSetting(st, op); known {
		return err
	}
	if op.Op == "remove" && removeMethodSetting(st, strings.TrimPrefix(op.Path, "/")) {
		return nil
	}
	switch op.Path {
	case "/deploymentId":
		if err := only(op, "add", "replace"); err != nil {
			return err
		}
		st.DeploymentID = op.Value // the caller looks it up
		return nil
	case "/description":
		v, err := patchText(op)
		if err != nil {
			return err
		}
		st.Description = v
		return nil
	case "/cacheClusterEnabled", "/cacheClusterSize":
		return patchCacheCluster(st, op)
	case "/tracingEnabled":
		if strings.EqualFold(op.Value, "false") && op.Op != "remove" {
			return nil // it is off
		}
	}
	return refuseStagePath(op)
}

func patchVariable(st *definition.Stage, op PatchOperation, name string) error {
	if op.Op == "remove" {
		if _, ok := st.Variables[name]; !ok {
			return badRequest("Cannot remove stage variable %s because the stage has no such variable", name)
		}
		delete(st.Variables, name)
		return nil
	}
	if err := checkVariable(name, op.Value); err != nil {
		return err
	}
	st.Variables[name] = op.Value
	return nil
}

// refuseStagePath tells paths that AWS knows and Tidegate does not support yet
// from those that nobody knows.
func refuseStagePath(op PatchOperation) error {
	known := methodSettingPattern.MatchString(op.Path)
	switch root, _, _ := strings.Cut(strings.TrimPrefix(op.Path, "/"), "/"); root {
	case "accessLogSettings":
		if leaf := strings.TrimPrefix(op.Path, "/accessLogSettings"); op.Op != "remove" && leaf != "/destinationArn" && leaf != "/format" {
			return badRequest("Invalid accessLogSettings path. Must be one of : [/accessLogSettings/destinationArn, /accessLogSettings/format]")
		}
		known = true
	case "clientCertificateId", "tracingEnabled", "canarySettings":
		known = true
	}
	switch {
	case op.Op == "remove" && !strings.HasPrefix(op.Path, "/canarySettings"):
		// AWS's text, its space at the end too: there is no such setting.
		return badRequest("Cannot remove method setting %s because there is no method setting for this method ", strings.TrimPrefix(op.Path, "/"))
	case known:
		return unsupported(op.Path + " of UpdateStage")
	default:
		return badRequest("Invalid method setting path: %s. Must be one of: [%s]", op.Path, stagePaths)
	}
}

// promote answers a copy from a canary, which no stage has.
func promote(op PatchOperation) error {
	paths := op.Path == "/deploymentId" || op.Path == "/variables"
	froms := op.From == "/canarySettings/deploymentId" || op.From == "/canarySettings/stageVariableOverrides"
	if !paths || !froms {
		return badRequest("Invalid copy operation with path: %s and from %s. Valid copy:path are [/deploymentId, /variables] and valid copy:from are [/canarySettings/deploymentId, /canarySettings/stageVariableOverrides]", op.Path, op.From)
	}
	return badRequest("Promotion not available. Canary does not exist.")
}
