package rfc9111

import "testing"

func BenchmarkHit(b *testing.B) {
	head := get(b, "User-Agent: bench|Accept: */*|Accept-Encoding: gzip, br|Cookie: a=b").head
	meta, _ := Admit(nil, get(b, ""), response(b, "200|Cache-Control: max-age=60|Content-Type: application/json|ETag: \"a\"|X-A: 1|"+date0), at0, &DefaultPolicy)
	dst := make([]byte, 0, 1024)
	b.ReportAllocs()
	for b.Loop() {
		q := ReadRequest(head)
		s, _ := Decode(meta)
		if q.Forwarded() != NotForwarded || Evaluate(&s, &q, t0+second).Action != Serve {
			b.Fatal("no hit")
		}
		a := s.Answer(&q, 10)
		dst = s.AppendFields(dst[:0], &a, t0+second, false)
	}
}

func BenchmarkAdmit(b *testing.B) {
	q, r := get(b, ""), response(b, "200|Cache-Control: max-age=60|Content-Type: application/json|ETag: \"a\"|X-A: 1|"+date0)
	dst := make([]byte, 0, 1024)
	b.ReportAllocs()
	for b.Loop() {
		if _, a := Admit(dst, q, r, at0, &DefaultPolicy); a.Refused != Admitted {
			b.Fatal(a.Refused)
		}
	}
}
