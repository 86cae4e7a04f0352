// Package verdict remembers what was found out about callers, and has it found
// out once when many requests want to know the same.
//
// It knows neither tokens nor HTTP: a key is all that a verdict depends on, as
// bytes, and a verdict is whatever the caller makes of it.
package verdict
