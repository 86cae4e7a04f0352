package main

import "github.com/tidegate/tidegate/dataplane/control"

var throttlePriorityCommand = &command{
	name:    "throttle priority",
	args:    "API:STAGE low|normal|high [--json] | API:STAGE none [--json]",
	summary: "set which requests are refused first when the host has too much to do",
	help: `
When the host runs out of memory, descriptors or time, it answers requests of low
priority with 503 first, and then normal ones; those of high priority only when
there are more requests in flight than limits.in_flight. A method with an
x-tidegate-priority of its own keeps that. none goes back to the
x-tidegate-priority of the API, or normal. AWS does not have it.

Examples:
  tidegate throttle priority reports:prod low
  tidegate throttle priority checkout:prod high
  tidegate throttle priority reports:prod none`,
}

func init() { throttlePriorityCommand.run = throttlePriority }

func throttlePriority(e *env, args []string) error {
	r := newRemote(e, throttlePriorityCommand)
	operands, err := r.operands(args, 2, 2, "API:STAGE, and low, normal, high or none")
	if err != nil {
		return err
	}
	t, err := parseStage(operands[0])
	if err != nil {
		return err
	}
	op := control.PatchOperation{Op: "replace", Path: "/x-tidegate-priority", Value: operands[1]}
	if operands[1] == "none" {
		op.Op, op.Value = "remove", ""
	}
	return updateStage(r, t, []control.PatchOperation{op})
}
