package sigv4

import (
	"strings"
	"testing"
)

func TestPayload(t *testing.T) {
	const body = `{"name":"a"}`
	right, wrong := sha(body), sha("other")
	strict, lax := newVerifier(), newVerifier(func(c *Config) { c.AllowUnsignedPayload = true })
	for _, row := range []struct {
		name, method, sent, declared string
		known                        *[32]byte
		v                            *Verifier
		want                         string
		state                        Payload
	}{
		{"no body", "GET", "", "", nil, strict, "ok", PayloadVerified},
		{"no body, declared", "GET", "", hexSHA(""), nil, strict, "ok", PayloadVerified},
		{"no body, another declared", "GET", "", hexSHA("x"), nil, strict, mismatched, 0},
		{"not declared, read", "POST", body, "", &right, strict, "ok", PayloadVerified},
		{"not declared, another read", "POST", body, "", &wrong, strict, mismatched, 0},
		{"not declared, not read", "POST", body, "", nil, strict, mismatched, 0},
		{"declared, not read", "POST", body, hexSHA(body), nil, strict, "ok", PayloadDeclared},
		{"declared, read", "POST", body, hexSHA(body), &right, strict, "ok", PayloadVerified},
		{"declared, another read", "POST", body, hexSHA(body), &wrong, strict, mismatched, 0},
		{"declared in capitals", "POST", body, strings.ToUpper(hexSHA(body)), &right, strict, "ok", PayloadVerified},
		{"no hash", "POST", body, "x", nil, strict, mismatched, 0},
		{"no hash", "POST", body, strings.Repeat("x", 64), nil, strict, mismatched, 0},
		{"no hash", "POST", body, "STREAMING-AWS4-HMAC-SHA256-PAYLOAD", nil, lax, mismatched, 0},
		{"unsigned", "POST", body, "UNSIGNED-PAYLOAD", &right, strict, mismatched, 0},
		{"unsigned", "POST", body, "UNSIGNED-PAYLOAD", nil, lax, "ok", PayloadUnsigned},
	} {
		r := request(t, row.method, "/prod", "", row.sent)
		payload := row.declared
		if row.declared != "" {
			r.Header.Set("X-Amz-Content-Sha256", row.declared)
		} else {
			payload = hexSHA(row.sent)
		}
		sign(t, r, longTerm, payload, at)
		parsed := parse(wire(t, r))
		if needs := NeedsBody(parsed); needs != (row.sent != "" && row.declared == "") {
			t.Errorf("%s: NeedsBody %t", row.name, needs)
		}
		id, failure := row.v.Verify(parsed, host, row.known, now)
		if got := outcome(id, failure); got != row.want || id.Payload != row.state {
			t.Errorf("%s: %s, payload %d", row.name, got, id.Payload)
		}
		if row.state != PayloadDeclared {
			continue
		}
		var b Body
		for _, sent := range []string{body, "other", body} {
			b.Reset(id.BodyHash)
			for i := range sent {
				b.Write([]byte(sent[i : i+1]))
			}
			if failure := b.Verify(); (failure == nil) != (sent == body) {
				t.Errorf("%q: %v", sent, failure)
			}
		}
	}
}

// A signature for no body is not one for a body that nobody looked at.
func TestBodyAdded(t *testing.T) {
	r := request(t, "POST", "/prod", "", "")
	sign(t, r, longTerm, hexSHA(""), at)
	head := strings.Replace(wire(t, r), "Content-Length: 0", "Content-Length: 7", 1)
	if got := verdict(t, newVerifier(), head, nil, now); got != mismatched {
		t.Error(got)
	}
}

func TestPresignedPayload(t *testing.T) {
	v := newVerifier()
	const body = "body"
	right, wrong := sha(body), sha("x")
	r := request(t, "POST", "/prod", "", body)
	head := wire(t, presign(t, r, longTerm, hexSHA(body), "60", at))
	if !NeedsBody(parse(head)) || verdict(t, v, head, &right, now) != "ok" || verdict(t, v, head, &wrong, now) != mismatched || verdict(t, v, head, nil, now) != mismatched {
		t.Error("not declared")
	}
	r = request(t, "POST", "/prod?X-Amz-Content-Sha256="+hexSHA(body), "", body)
	head = wire(t, presign(t, r, longTerm, hexSHA(body), "60", at))
	if NeedsBody(parse(head)) || verdict(t, v, head, nil, now) != "ok" || verdict(t, v, head, &wrong, now) != mismatched {
		t.Error("declared in the query")
	}
}
