// Package throttle holds requests to the limits of the account, of stages and
// of methods. What a client may use by its plan is usage's; both are charged
// together, so that a request that one of them denies costs none of them.
//
// # Guaranteed shares
//
// One account limit is shared by all APIs, so one that is overused throttles the
// others, as on AWS. A stage with a guaranteed rate g is served g requests per
// second all the same: a request that only the account denies takes a token of
// the stage's own bucket, and pushes the account's line one slot further, which
// the others wait for. The bursts of these buckets are taken off the account's,
// and the rates must not add up to more than its rate. So with all of them the
// account stays under burst + rate·t, while nothing is set aside that nobody
// uses: as long as the account has tokens, everyone may take them.
package throttle
