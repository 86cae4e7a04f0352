package limits

import "testing"

func TestKeys(t *testing.T) {
	const n = 20_000
	k, gateway, plain, err := NewKeys(n)
	if err != nil {
		t.Fatal(err)
	}
	for name, m := range map[string]KeyMemory{"gateway": gateway, "map": plain} {
		if m.Bytes < 50 || m.Bytes > 1000 || m.Scanned > m.Bytes {
			t.Errorf("%s: %+v", name, m)
		}
	}
	if gateway.Scanned > plain.Scanned/10 {
		t.Errorf("the garbage collector scans %v bytes of a key, %v in a map", gateway.Scanned, plain.Scanned)
	}
	for _, l := range k.Finds() {
		if found := l.Spend(0, momentNow(), 1000); found != 1000 {
			t.Errorf("%s finds %d of 1000", l.Name, found)
		}
	}
	if _, ok := k.store.Find([]byte("not the value of any key at all"), k.stage); ok {
		t.Error("a key that does not exist was found")
	}
	if len(k.plain) != n {
		t.Errorf("%d different values of %d", len(k.plain), n)
	}
}
