package sigv4

import (
	"strings"
	"testing"
)

const benchFields = "Content-Type: application/json|Accept: application/json|X-Amz-Meta-Trace: abc"

func BenchmarkVerify(b *testing.B) {
	for _, row := range []struct {
		name      string
		presigned bool
		change    [2]string
		ok        bool
	}{
		{"header", false, [2]string{}, true},
		{"presigned", true, [2]string{}, true},
		{"wrong signature", false, [2]string{"Signature=", "Signature=0"}, false},
		{"unknown key", false, [2]string{keyID, "AKIDNOBODY0"}, false},
	} {
		b.Run(row.name, func(b *testing.B) {
			v, r := newVerifier(), request(b, "GET", "/prod/pets/12?limit=10&after=abc%20def", benchFields, "")
			if row.presigned {
				r = presign(b, r, longTerm, hexSHA(""), "60", at)
			} else {
				sign(b, r, longTerm, hexSHA(""), at)
			}
			head := parse(strings.Replace(wire(b, r), row.change[0], row.change[1], 1))
			b.ReportAllocs()
			for b.Loop() {
				if _, failure := v.Verify(head, host, nil, now); (failure == nil) != row.ok {
					b.Fatal(failure)
				}
			}
		})
	}
}

// BenchmarkSDKSigner signs what BenchmarkVerify verifies.
func BenchmarkSDKSigner(b *testing.B) {
	signer, empty := newSigner(), hexSHA("")
	b.Run("header", func(b *testing.B) {
		r := request(b, "GET", "/prod/pets/12?limit=10&after=abc%20def", benchFields, "")
		b.ReportAllocs()
		for b.Loop() {
			if err := signer.SignHTTP(b.Context(), longTerm, r, empty, ExecuteAPI, region, at); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("presigned", func(b *testing.B) {
		r := request(b, "GET", "/prod/pets/12?limit=10&after=abc%20def&X-Amz-Expires=60", benchFields, "")
		b.ReportAllocs()
		for b.Loop() {
			if _, _, err := signer.PresignHTTP(b.Context(), longTerm, r, empty, ExecuteAPI, region, at); err != nil {
				b.Fatal(err)
			}
		}
	})
}

func TestVerifyDoesNotAllocate(t *testing.T) {
	if underRace {
		t.Skip("the race detector makes pools forget")
	}
	v := newVerifier()
	for _, presigned := range []bool{false, true} {
		r := request(t, "GET", "/prod/pets/12?limit=10&after=abc", benchFields, "")
		if presigned {
			r = presign(t, r, temporary, hexSHA(""), "60", at)
		} else {
			sign(t, r, temporary, hexSHA(""), at)
		}
		head := parse(wire(t, r))
		if n := testing.AllocsPerRun(100, func() {
			if _, failure := v.Verify(head, host, nil, now); failure != nil {
				t.Fatal(failure)
			}
		}); n > 0 {
			t.Errorf("presigned %t: %.1f allocations", presigned, n)
		}
	}
}
