package main

import "github.com/tidegate/tidegate/dataplane/control"

var throttleTotalCommand = &command{
	name:    "throttle total",
	args:    "API:STAGE RATE BURST [--json] | API:STAGE none [--json]",
	summary: "set a limit that all methods of a stage share",
	help: `
Sets a limit that all methods of a stage share, beside those that each has for
itself. AWS does not have it.

Examples:
  tidegate throttle total petstore:prod 500 1000
  tidegate throttle total petstore:prod none`,
}

var throttleGuaranteeCommand = &command{
	name:    "throttle guarantee",
	args:    "API:STAGE RATE [--json] | API:STAGE none [--json]",
	summary: "set the rate at which a stage is served whatever others do",
	help: `
Serves a stage RATE requests per second even while others have used up the
account's limit, which one busy API otherwise does to all. The rates of all stages
must not add up to more than the account's. They stay part of it: the others get
less while the share is used, and may use it while it is not. none goes back to
the x-tidegate-guaranteed-rate of the API, if it has one. AWS does not have it.

Examples:
  tidegate throttle guarantee petstore:prod 200
  tidegate throttle guarantee petstore:prod none`,
}

func init() {
	throttleTotalCommand.run = throttleTotal
	throttleGuaranteeCommand.run = throttleGuarantee
}

func throttleTotal(e *env, args []string) error {
	r := newRemote(e, throttleTotalCommand)
	operands, err := r.operands(args, 2, 3, "API:STAGE, and RATE and BURST or none")
	if err != nil {
		return err
	}
	t, err := parseStage(operands[0])
	if err != nil {
		return err
	}
	const path = "/x-tidegate-throttle"
	ops, err := throttleOperations(path, path, operands[1:])
	if err != nil {
		return err
	}
	return updateStage(r, t, ops)
}

func throttleGuarantee(e *env, args []string) error {
	r := newRemote(e, throttleGuaranteeCommand)
	operands, err := r.operands(args, 2, 2, "API:STAGE, and RATE or none")
	if err != nil {
		return err
	}
	t, err := parseStage(operands[0])
	if err != nil {
		return err
	}
	op, err := limitPatch("/x-tidegate-guaranteed-rate", operands[1])
	if err != nil {
		return err
	}
	return updateStage(r, t, []control.PatchOperation{op})
}
