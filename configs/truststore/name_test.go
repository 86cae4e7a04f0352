package truststore

import (
	"crypto/x509/pkix"
	"encoding/asn1"
	"encoding/hex"
	"strings"
	"testing"
)

func TestName(t *testing.T) {
	rdn := func(id string, value any) pkix.RelativeDistinguishedNameSET {
		for oid, short := range attributes {
			if short == id {
				id = oid
			}
		}
		return pkix.RelativeDistinguishedNameSET{{Type: identifier(t, id), Value: value}}
	}
	bmp := asn1.RawValue{Class: asn1.ClassUniversal, Tag: asn1.TagBMPString, Bytes: []byte{0, 'x'}}
	for want, name := range map[string]pkix.RDNSequence{
		"": {},
		"C=US,ST=Washington,L=Seattle,O=Amazon Web Services,OU=Security,CN=My Client": {
			rdn("C", "US"), rdn("ST", "Washington"), rdn("L", "Seattle"), rdn("O", "Amazon Web Services"), rdn("OU", "Security"), rdn("CN", "My Client")},
		"CN=a,C=US":                     {rdn("CN", "a"), rdn("C", "US")},
		`O=Acme\, Inc.,CN=a\+b\"\\\;`:   {rdn("O", "Acme, Inc."), rdn("CN", `a+b"\;`)},
		`CN=\#a,OU=\ b\ ,O=c # d`:       {rdn("CN", "#a"), rdn("OU", " b "), rdn("O", "c # d")},
		`CN=\<a\>=b`:                    {rdn("CN", "<a>=b")},
		`CN=a\0d\0aX-Admin: 1\00\7f`:    {rdn("CN", "a\r\nX-Admin: 1\x00\x7f")},
		"CN=Zoë,OU=東京":                  {rdn("CN", "Zoë"), rdn("OU", "東京")},
		"emailAddress=a@b.example":      {rdn("emailAddress", "a@b.example")},
		"DC=com,UID=7,serialNumber=1":   {rdn("DC", "com"), rdn("UID", "7"), rdn("serialNumber", "1")},
		"1.2.3.4=#130161":               {rdn("1.2.3.4", "a")},
		"CN=x":                          {rdn("CN", bmp)},
		"2.5.4.3=#020107":               {rdn("CN", 7)},
		"CN=a+OU=b,O=c":                 {{rdn("CN", "a")[0], rdn("OU", "b")[0]}, rdn("O", "c")},
		"CN=" + strings.Repeat("x", 64): {rdn("CN", strings.Repeat("x", 64))},
	} {
		der, err := asn1.Marshal(name)
		if err != nil {
			t.Fatalf("%q: %v", want, err)
		}
		if got := Name(der); got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
	for _, broken := range []string{"", "30", "3003020107", "3000" + "00"} {
		der, _ := hex.DecodeString(broken)
		if got := Name(der); got != "#"+broken {
			t.Errorf("%q: %q", broken, got)
		}
	}
}

func identifier(t *testing.T, text string) (id asn1.ObjectIdentifier) {
	t.Helper()
	for part := range strings.SplitSeq(text, ".") {
		n := 0
		for _, c := range part {
			n = 10*n + int(c-'0')
		}
		id = append(id, n)
	}
	return id
}
