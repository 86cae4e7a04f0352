package limiter

import "testing"

// TestOwe: a bucket goes on where another one was.
func TestOwe(t *testing.T) {
	const now = int64(5e9)
	l := NewLimit(10, 20)
	var before, after Bucket
	for range 13 {
		if before.Spend(now, l) != 0 {
			t.Fatal("denied")
		}
	}
	after.Owe(now, before.Debt(now))
	if got := after.Remaining(now, l); got != 7 {
		t.Errorf("%d tokens, want 7", got)
	}
	after.Owe(now, 0)
	after.Owe(now, int64(1e9)) // ten tokens, though there are seven
	if after.Spend(now, l) == 0 {
		t.Error("there is a token")
	}
	s, u := NewShared(2, l), NewShared(2, l)
	for range 15 {
		s.Spend(now, 0)
	}
	u.Owe(now, s.Debt(now))
	n := 0
	for u.Spend(now, n%2) == 0 {
		n++
	}
	if n > 5 {
		t.Errorf("%d tokens of 5", n)
	}
}
