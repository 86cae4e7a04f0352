package rfc9111

import (
	"bytes"
	"testing"
)

func TestDecode(t *testing.T) {
	meta, _ := Admit(nil, get(t, ""), response(t, `203|Cache-Control: max-age=60, stale-while-revalidate=7, stale-if-error=8|ETag:  W/"a" |X: 1|Age: 3|`+date0+"|"+lastModified), at0, &DefaultPolicy)
	s, ok := Decode(meta)
	if !ok {
		t.Fatal("not decoded")
	}
	if s.Status != 203 || s.lifetime != 60 || s.whileRevalidate != 7 || s.ifError != 8 || s.initialAge != 3*second || s.responseTime != t0 ||
		s.date != t0/second || s.lastModified != t0/second-2977 || string(s.entityTag) != `W/"a"` || string(s.modified) != lastModified[15:] || s.flags != hasModified {
		t.Errorf("%+v", s)
	}
	for n := range storedBytes {
		if _, ok := Decode(meta[:n]); ok {
			t.Errorf("decoded %d bytes", n)
		}
	}
	if _, ok := Decode(meta[:storedBytes+10]); ok {
		t.Error("decoded although a validator is cut off")
	}
	if _, ok := DecodeIndex(meta); ok {
		t.Error("a response is an index")
	}
	index, _, _ := MergeIndex(nil, Index{}, stored(t, "200|Vary: a|Cache-Control: max-age=60"))
	if _, ok := Decode(append(index, make([]byte, 100)...)); ok {
		t.Error("an index is a response")
	}
}

// FuzzStored: whatever is in the store, nothing panics, and what decodes can be
// used to the end.
func FuzzStored(f *testing.F) {
	q := get(f, `If-None-Match: "b"|Range: bytes=0-1|If-Range: Sun, 06 Nov 1994 08:00:00 GMT`)
	r := response(f, `304|ETag: "a"|X-A: 2`)
	for _, text := range []string{
		"200|Cache-Control: max-age=60", `200|Cache-Control: no-cache|ETag: "a"|Vary: a, b|` + lastModified,
		"404|Cache-Control: s-maxage=60|X-A: 1|x-a: 2",
	} {
		meta, _ := Admit(nil, get(f, ""), response(f, text), at0, &DefaultPolicy)
		f.Add(meta)
	}
	f.Add([]byte{storedMark})
	index, _, _ := MergeIndex(nil, Index{}, stored(f, "200|Vary: accept, b|Cache-Control: max-age=60"))
	f.Add(index)
	f.Fuzz(func(t *testing.T, meta []byte) {
		if x, ok := DecodeIndex(meta); ok {
			if key := x.AppendKey([]byte("key"), q.head); !bytes.HasPrefix(key, []byte("key")) {
				t.Fatal("lost the primary key")
			}
		}
		s, ok := Decode(meta)
		if !ok {
			return
		}
		if s.Age(t0) < 0 {
			t.Fatalf("age %d", s.Age(t0))
		}
		Evaluate(&s, q, t0)
		a := s.Answer(q, 10)
		if a.From < 0 || a.From > a.To || a.To > 10 {
			t.Fatalf("%+v", a)
		}
		s.AppendFields(nil, &a, t0, false)
		s.AppendConditionals(nil)
		s.OnResponse(q, r, 10, t0)
		s.OnFailure(q, t0, &DefaultPolicy)
		s.Update(nil, q, r, at0, &DefaultPolicy)
		MergeIndex(nil, Index{}, &s)
	})
}
