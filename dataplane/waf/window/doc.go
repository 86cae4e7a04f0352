// Package window counts events of many keys over sliding windows, in bounded
// memory, for any number of goroutines. It knows neither requests nor rules.
//
// # How exact it is
//
// A window of length W is made of 16 ticks of W/15, the current one among them,
// so that a count takes in all of the last W and of no event older than 16/15 W.
// An event is counted before it is judged. It follows, for a limit L:
//
//   - Of the events of a key that are judged to be within L, no more than L fall
//     into any span of W, however many goroutines count them.
//   - An event is within L if no more than L, itself among them, came in the last
//     16/15 W. Those that others count at the same moment came before it.
//
// Both hold as long as the key is not displaced. What was counted in another process
// ([Counts.Add]) counts for 17/15 W.
//
// # Displacement
//
// A table is made for so many keys. Each has eight places that it can be in, and
// where all are taken the key with the lowest count makes room; it is counted
// from zero when it comes again. A key that is over its limit never makes room,
// so nobody is let go by those who come after. Where all eight are over their
// limits a new key is not counted at all. Of the keys that fill half a table about
// one in a hundred is displaced.
package window
