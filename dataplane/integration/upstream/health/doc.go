// Package health decides which targets of a group are asked: a state machine that
// is told what became of requests and of health checks, and when it is.
//
//	Up -> Ejected -> Trial -> Up, and while every target fails: Open -> HalfOpen -> Closed
//
// A target whose requests fail is ejected for a while, twice as long each time,
// and then has a few requests on trial, one at a time. Never more than a share of
// the targets is out, whatever is said of them: when all of them fail it is not
// the targets that are the outliers. Then the group's circuit breaker opens, and
// nobody is asked until a trial.
//
// Nothing here reads a clock, starts a goroutine or locks: the owner calls Look
// every now and then, and hands over what was counted meanwhile.
package health
