package jwt

import (
	"crypto/elliptic"
	"crypto/rsa"
	"encoding/asn1"
	"fmt"
	"math/big"
	"strings"
)

// onHeaders say what nobody understands, or two things at once.
func (l *attackList) onHeaders() {
	l.header("crit", Malformed, `{'alg':'ES256','kid':'es','crit':['exp'],'exp':1}`)
	l.header("crit empty", Malformed, `{'alg':'ES256','kid':'es','crit':[]}`)
	l.header("b64 false", Malformed, `{'alg':'ES256','kid':'es','b64':false,'crit':['b64']}`)
	l.header("b64 false without crit", Malformed, `{'alg':'ES256','kid':'es','b64':false}`)
	l.header("b64 true", Malformed, `{'alg':'ES256','kid':'es','b64':true}`)
	l.header("zip", Malformed, `{'alg':'ES256','kid':'es','zip':'DEF'}`)
	l.header("enc", Malformed, `{'alg':'ES256','kid':'es','enc':'A128GCM'}`)
	l.header("cty JWT", Malformed, `{'alg':'ES256','kid':'es','cty':'JWT'}`)
	l.header("typ logout+jwt", WrongUse, `{'alg':'ES256','kid':'es','typ':'logout+jwt'}`)
	l.header("typ application/dpop+JWT", WrongUse, `{'alg':'ES256','kid':'es','typ':'application/dpop+JWT'}`)
	l.header("typ a number", Malformed, `{'alg':'ES256','kid':'es','typ':1}`)
	l.header("alg twice", Malformed, `{'alg':'none','kid':'es','alg':'ES256'}`)
	l.header("alg twice, once escaped", Malformed, `{'alg':'ES256','kid':'es','\u0061lg':'none'}`)
	l.header("alg in capitals too", WrongAlgorithm, `{'ALG':'ES256','kid':'es'}`)
	l.header("alg a list", Malformed, `{'alg':['ES256'],'kid':'es'}`)
	l.header("alg null", Malformed, `{'alg':null,'kid':'es'}`)
	l.header("alg absent", WrongAlgorithm, `{'kid':'es'}`)
	l.header("header a list", Malformed, `[{'alg':'ES256','kid':'es'}]`)
	l.header("header a string", Malformed, `'{}'`)
	l.header("header with a comment", Malformed, `{'alg':'ES256',/* x */'kid':'es'}`)
	l.header("header with a comma too many", Malformed, `{'alg':'ES256','kid':'es',}`)
	l.header("header with more behind", Malformed, `{'alg':'ES256','kid':'es'}{}`)
	l.header("header with NUL behind", Malformed, "{'alg':'ES256','kid':'es'}\x00")
	l.header("header with BOM", Malformed, "\ufeff{'alg':'ES256','kid':'es'}")
	l.header("header in UTF-16", Malformed, "{\x00'\x00a\x00l\x00g\x00'\x00:\x00'\x00E\x00S\x002\x005\x006\x00'\x00}\x00")
	l.header("header not UTF-8", Malformed, "{'alg':'ES256','kid':'es','x':'\xff'}")
	l.header("header with a lone surrogate", Malformed, `{'alg':'ES256','kid':'es','x':'\ud800'}`)
}

// onForm look like a token to one reader and like another to the next.
func (l *attackList) onForm() {
	l.form("a dot in front", NotThreeParts, func(t string) string { return "." + t })
	l.form("a dot behind", NotThreeParts, func(t string) string { return t + "." })
	l.form("thousands of dots", NotThreeParts, func(string) string { return strings.Repeat(".", 8000) })
	l.form("two dots alone", Malformed, func(string) string { return ".." })
	l.form("no dot", NotThreeParts, func(t string) string { return strings.ReplaceAll(t, ".", "") })
	l.form("without payload", Malformed, func(t string) string { p := strings.Split(t, "."); return p[0] + ".." + p[2] })
	l.form("without signature", Malformed, func(t string) string { return t[:strings.LastIndexByte(t, '.')+1] })
	l.form("two parts", NotThreeParts, func(t string) string { return t[:strings.LastIndexByte(t, '.')] })
	l.form("padding", Malformed, func(t string) string { return t + "==" })
	l.form("padding of the payload", Malformed, func(t string) string { p := strings.Split(t, "."); return p[0] + "." + p[1] + "=." + p[2] })
	l.form("a line break behind", Malformed, func(t string) string { return t + "\n" })
	l.form("a line break within", Malformed, func(t string) string { return t[:40] + "\n" + t[40:] })
	l.form("CR LF within the signature", Malformed, func(t string) string { return t[:len(t)-4] + "\r\n" + t[len(t)-4:] })
	l.form("a space in front", Malformed, func(t string) string { return " " + t })
	l.form("a tab behind", Malformed, func(t string) string { return t + "\t" })
	l.form("a scheme left on", Malformed, func(t string) string { return "Bearer " + t })
	l.form("two tokens", NotThreeParts, func(t string) string { return t + "," + t })
	l.form("quotes", Malformed, func(t string) string { return `"` + t + `"` })
	l.form("percent-encoded dots", NotThreeParts, func(t string) string { return strings.ReplaceAll(t, ".", "%2e") })
	l.form("NUL behind", Malformed, func(t string) string { return t + "\x00" })
	l.form("a byte above ASCII", Malformed, func(t string) string { return t + "\xc3" })
	l.form("trailing bits in the signature", Malformed, func(t string) string { return flipTrailingBit(t) })
	l.add("trailing bits in the payload", Malformed, func(s *scene) string {
		for pad := ""; ; pad += " " { // until some bits are left over
			signed := b64([]byte(s.es.header())) + "." + b64([]byte(s.r.claims()+pad))
			if len(signed[strings.IndexByte(signed, '.')+1:])%4 != 0 {
				signed = flipTrailingBit(signed)
				return signed + "." + b64(s.es.signature(s.t, signed))
			}
		}
	})
	l.add("the alphabet with + and /", Malformed, func(s *scene) string {
		for {
			token := s.good()
			at := strings.LastIndexByte(token, '.')
			if sig := token[at:]; strings.ContainsAny(sig, "-_") {
				return token[:at] + strings.NewReplacer("-", "+", "_", "/").Replace(sig)
			}
		}
	})
	l.add("8 KiB and a byte", Malformed, func(s *scene) string { return sized(s, maxToken+1) })
	l.add("64 KiB", Malformed, func(s *scene) string { return sized(s, 64<<10) })
	l.form("a JWE", NotThreeParts, func(t string) string {
		return b64([]byte(`{"alg":"RSA-OAEP","enc":"A256GCM","kid":"rs"}`)) + "." + b64([]byte("key")) + "." + b64([]byte("iv")) + "." + b64([]byte(t)) + "." + b64([]byte("tag"))
	})
	l.add("a JWS in JSON", NotThreeParts, func(s *scene) string {
		p := strings.Split(s.good(), ".")
		return fmt.Sprintf(`{"payload":%q,"protected":%q,"signature":%q}`, p[1], p[0], p[2])
	})
	l.add("a token in a token", Malformed, func(s *scene) string { return s.payload(s.good()) })
	l.add("a token as a string in a token", Malformed, func(s *scene) string { return s.payload(`"` + s.good() + `"`) })
}

// onSignatures have no signature of the issuer.
func (l *attackList) onSignatures() {
	l.signature("cut by a byte", BadSignature, func(_ *scene, b []byte) []byte { return b[:len(b)-1] })
	l.signature("cut to half", BadSignature, func(_ *scene, b []byte) []byte { return b[:len(b)/2] })
	l.signature("a byte more", BadSignature, func(_ *scene, b []byte) []byte { return append(b, 0) })
	l.signature("a zero in front", BadSignature, func(_ *scene, b []byte) []byte { return append([]byte{0}, b...) })
	l.signature("twice as long", BadSignature, func(_ *scene, b []byte) []byte { return append(b, b...) })
	l.signature("a bit flipped", BadSignature, func(_ *scene, b []byte) []byte { b[20] ^= 1; return b })
	l.signature("r and s exchanged", BadSignature, func(_ *scene, b []byte) []byte { return append(append([]byte{}, b[32:]...), b[:32]...) })
	l.signature("all zeros", BadSignature, func(_ *scene, b []byte) []byte { return make([]byte, len(b)) })
	l.signature("r zero", BadSignature, func(_ *scene, b []byte) []byte { return append(make([]byte, 32), b[32:]...) })
	l.signature("s zero", BadSignature, func(_ *scene, b []byte) []byte { return append(b[:32:32], make([]byte, 32)...) })
	l.signature("s the order of the curve", BadSignature, func(_ *scene, b []byte) []byte {
		return append(b[:32:32], elliptic.P256().Params().N.Bytes()...)
	})
	l.signature("r and s the order of the curve", BadSignature, func(*scene, []byte) []byte {
		n := elliptic.P256().Params().N.Bytes()
		return append(append([]byte{}, n...), n...)
	})
	l.signature("r larger than the order", BadSignature, func(_ *scene, b []byte) []byte {
		return append([]byte(strings.Repeat("\xff", 32)), b[32:]...)
	})
	l.signature("DER", BadSignature, func(s *scene, b []byte) []byte {
		der, err := asn1.Marshal(struct{ R, S *big.Int }{new(big.Int).SetBytes(b[:32]), new(big.Int).SetBytes(b[32:])})
		if err != nil {
			s.t.Fatal(err)
		}
		return der
	})
	l.add("of other claims", BadSignature, func(s *scene) string {
		a, b := strings.Split(s.good(), "."), strings.Split(s.claiming("sub", `"admin"`), ".")
		return a[0] + "." + b[1] + "." + a[2]
	})
	l.add("of another header", BadSignature, func(s *scene) string {
		a, b := strings.Split(s.good(), "."), strings.Split(s.with(`{"kid":"es","alg":"ES256"}`), ".")
		return b[0] + "." + a[1] + "." + a[2]
	})
	l.add("over the text and not its base64url", BadSignature, func(s *scene) string {
		return s.forged(s.es.header(), s.r.claims(), func(string) []byte { return s.es.signature(s.t, s.es.header()+"."+s.r.claims()) })
	})
	l.add("an RSA signature with a byte more", BadSignature, func(s *scene) string {
		token := s.rs.token(s.t, s.r.claims())
		at := strings.LastIndexByte(token, '.')
		return token[:at+1] + b64(append(s.rs.signature(s.t, token[:at]), 0))
	})
	l.add("an RSA signature of zeros", BadSignature, func(s *scene) string {
		return s.forged(s.rs.header(), s.r.claims(), func(string) []byte { return make([]byte, 256) })
	})
	l.add("an RSA signature of one", BadSignature, func(s *scene) string {
		return s.forged(s.rs.header(), s.r.claims(), func(string) []byte { return append(make([]byte, 255), 1) })
	})
	l.add("an RSA signature plus the modulus", BadSignature, func(s *scene) string {
		return s.forged(s.rs.header(), s.r.claims(), func(signed string) []byte {
			sum := new(big.Int).SetBytes(s.rs.signature(s.t, signed))
			sum.Add(sum, s.rs.private.Public().(*rsa.PublicKey).N)
			return sum.FillBytes(make([]byte, 257))
		})
	})
	l.add("an Ed25519 signature with s plus the order", BadSignature, func(s *scene) string {
		return s.forged(s.ed.header(), s.r.claims(), func(signed string) []byte {
			b := s.ed.signature(s.t, signed)
			order, _ := new(big.Int).SetString("7237005577332262213973186563042994240857116359379907606001950938285454250989", 10)
			little := make([]byte, 32)
			for i := range little {
				little[i] = b[63-i]
			}
			sum := new(big.Int).Add(new(big.Int).SetBytes(little), order).FillBytes(make([]byte, 32))
			for i := range sum {
				b[63-i] = sum[i]
			}
			return b
		})
	})
	for _, kid := range []string{"rsa512", "rsa1024", "e1"} {
		l.add("a published key that is weak: "+kid, UnknownKey, func(s *scene) string {
			return s.forged(fmt.Sprintf(`{"alg":"RS256","kid":%q}`, kid), s.r.claims(), s.weak[kid].sign)
		})
	}
}
