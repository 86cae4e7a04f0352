package jwt

import (
	"encoding/json"
	"fmt"
	"strings"
)

// onIssuerAndAudience are signed, but by or for somebody else.
func (l *attackList) onIssuerAndAudience() {
	for name, change := range map[string]func(iss string) string{
		"with a slash": func(i string) string { return i + "/" }, "in capitals": strings.ToUpper, "a prefix": func(i string) string { return i[:len(i)-1] },
		"with more behind": func(i string) string { return i + ".evil.example" }, "with a query": func(i string) string { return i + "?" },
		"with a space": func(i string) string { return i + " " }, "with NUL": func(i string) string { return i + "\x00" },
		"of a user at it": func(i string) string { return i + "@evil.example" }, "over https": func(i string) string { return strings.Replace(i, "http:", "https:", 1) },
		"empty": func(string) string { return "" }, "another": func(string) string { return "https://evil.example" },
	} {
		l.add("iss "+name, WrongIssuer, func(s *scene) string {
			text, err := json.Marshal(change(s.r.idp.issuer))
			if err != nil {
				s.t.Fatal(err)
			}
			return s.claiming("iss", string(text))
		})
	}
	l.add("iss a list", WrongIssuer, func(s *scene) string { return s.claiming("iss", fmt.Sprintf("[%q]", s.r.idp.issuer)) })
	l.claims("iss null", WrongIssuer, "iss", "null")
	l.claims("iss absent", WrongIssuer, "iss", "")
	l.add("iss twice", Malformed, func(s *scene) string {
		return s.payload(strings.Replace(s.r.claims(), "{", `{"iss":"https://evil.example",`, 1))
	})
	l.add("iss in capitals too", WrongIssuer, func(s *scene) string {
		return s.payload(strings.Replace(s.r.claims(), `"iss"`, `"ISS"`, 1))
	})

	l.claims("aud another", WrongAudience, "aud", `"others"`)
	l.claims("aud with more behind", WrongAudience, "aud", `"orders2"`)
	l.claims("aud with more in front", WrongAudience, "aud", `"my-orders"`)
	l.claims("aud with a space", WrongAudience, "aud", `"orders "`)
	l.claims("aud two in one", WrongAudience, "aud", `"orders others"`)
	l.claims("aud of another case", WrongAudience, "aud", `"Orders"`)
	l.claims("aud empty", WrongAudience, "aud", `""`)
	l.claims("aud an empty list", WrongAudience, "aud", `[]`)
	l.claims("aud a list of others", WrongAudience, "aud", `["a","b"]`)
	l.claims("aud nested", WrongClaims, "aud", `[["orders"]]`)
	l.claims("aud an object", WrongClaims, "aud", `{"orders":true}`)
	l.claims("aud a number", WrongClaims, "aud", `7`)
	l.claims("aud null", WrongClaims, "aud", `null`)
	l.claims("aud true", WrongClaims, "aud", `true`)
	l.claims("aud with a number in it", WrongClaims, "aud", `["orders",7]`)
	l.claims("aud absent", WrongAudience, "aud", "")
	l.claims("aud another, client_id ours", WrongAudience, "aud", `"others"`, "client_id", `"orders"`)
	l.claims("aud an empty list, client_id ours", WrongAudience, "aud", `[]`, "client_id", `"orders"`)
	l.claims("client_id another", WrongAudience, "aud", "", "client_id", `"others"`)
	l.claims("client_id a list", WrongClaims, "aud", "", "client_id", `["orders"]`)
	l.claims("azp ours", WrongAudience, "aud", "", "azp", `"orders"`)
}

// onTimes are not valid now, or nobody can tell.
func (l *attackList) onTimes() {
	for name, exp := range map[string]string{
		"a string": `"1900000000"`, "null": "null", "true": "true", "a list": "[1900000000]", "1e400": "1e400", "negative": "-1900000000", "too large": "99999999999999999999",
		"in milliseconds": "1900000000000", "the largest integer": "9223372036854775807", "over the largest": "9223372036854775808", "absent": "",
	} {
		l.claims("exp "+name, WrongClaims, "exp", exp)
	}
	for name, exp := range map[string]string{"hexadecimal": "0x7fffffff", "with a zero in front": "01900000000", "with a plus": "+1900000000", "NaN": "NaN", "Infinity": "Infinity", "without digits": "1."} {
		l.claims("exp "+name, Malformed, "exp", exp)
	}
	l.claims("exp twice", Malformed, "exp", `1900000000,"exp":1`)
	l.claims("expired by a second", Expired, "exp", fmt.Sprint(epoch-1))
	l.claims("expires now", Expired, "exp", fmt.Sprint(epoch))
	l.claims("expires within this second", Expired, "exp", fmt.Sprintf("%d.999", epoch))
	l.claims("expired years ago", Expired, "exp", "1")
	l.claims("exp zero", Expired, "exp", "0")
	l.claims("exp minus zero", Expired, "exp", "-0")
	l.claims("exp small", Expired, "exp", "1e-400")
	l.claims("nbf in a minute", NotYetValid, "nbf", fmt.Sprint(epoch+60))
	l.claims("nbf beyond the leeway", NotYetValid, "nbf", fmt.Sprint(epoch+skew+1))
	l.claims("nbf a string", WrongClaims, "nbf", `"1"`)
	l.claims("nbf 1e400", WrongClaims, "nbf", "1e400")
	l.claims("nbf null", WrongClaims, "nbf", "null")
	l.claims("iat in a minute", IssuedInFuture, "iat", fmt.Sprint(epoch+60))
	l.claims("iat beyond the leeway", IssuedInFuture, "iat", fmt.Sprint(epoch+skew+1))
	l.claims("iat a string", WrongClaims, "iat", `"1"`)
	l.claims("sub a number", WrongClaims, "sub", "1")
	l.claims("sub a list", WrongClaims, "sub", `["user-1"]`)
}

// onPayloads mean one thing to one reader and another to the next.
func (l *attackList) onPayloads() {
	l.add("payload a list", Malformed, func(s *scene) string { return s.payload("[" + s.r.claims() + "]") })
	l.add("payload empty object", WrongIssuer, func(s *scene) string { return s.payload("{}") })
	l.add("payload null", Malformed, func(s *scene) string { return s.payload("null") })
	l.add("payload with BOM", Malformed, func(s *scene) string { return s.payload("\ufeff" + s.r.claims()) })
	l.add("payload with NUL behind", Malformed, func(s *scene) string { return s.payload(s.r.claims() + "\x00") })
	l.add("payload with NUL in a name", Malformed, func(s *scene) string { return s.payload(strings.Replace(s.r.claims(), `"sub`, "\"su\x00b", 1)) })
	l.add("payload with a comment", Malformed, func(s *scene) string { return s.payload(s.r.claims() + "// admin") })
	l.add("payload with two objects", Malformed, func(s *scene) string { return s.payload(s.r.claims() + s.r.claims()) })
	l.add("payload with single quotes", Malformed, func(s *scene) string { return s.payload(strings.ReplaceAll(s.r.claims(), `"`, "'")) })
	l.add("payload not UTF-8", Malformed, func(s *scene) string { return s.payload(strings.Replace(s.r.claims(), "user-1", "us\xffer", 1)) })
	l.add("payload with an overlong slash", Malformed, func(s *scene) string { return s.payload(strings.Replace(s.r.claims(), "user-1", "\xc0\xaf", 1)) })
	l.add("payload with a line break in a string", Malformed, func(s *scene) string { return s.payload(strings.Replace(s.r.claims(), "user-1", "a\nb", 1)) })
	l.claims("sub twice", Malformed, "sub", `"a","sub":"b"`)
	l.claims("sub twice, once escaped", Malformed, "sub", `"a","s\u0075b":"b"`)
	l.claims("a name twice in a nested object", Malformed, "roles", `{"admin":false,"admin":true}`)
	l.claims("a name twice in a list of objects", Malformed, "roles", `[1,{"a":{"b":1,"\u0062":2}}]`)
	l.claims("a lone high surrogate", Malformed, "name", `"\ud83d"`)
	l.claims("a lone low surrogate", Malformed, "name", `"\ude00"`)
	l.claims("an unknown escape", Malformed, "name", `"\x41"`)
	l.claims("nested too deeply", Malformed, "deep", strings.Repeat("[", 16)+strings.Repeat("]", 16))
	l.claims("nested far too deeply", Malformed, "deep", strings.Repeat(`{"a":`, 900)+"1"+strings.Repeat("}", 900))
	l.claims("not closed", Malformed, "deep", strings.Repeat("[", 2000))
	l.add("too many claims", Malformed, func(s *scene) string {
		var b strings.Builder
		for i := range 252 {
			fmt.Fprintf(&b, `"c%d":1,`, i)
		}
		return s.payload("{" + b.String() + s.r.claims()[1:])
	})
}
