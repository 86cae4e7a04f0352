package truststore

import (
	"encoding/asn1"
	"encoding/hex"
	"strings"
	"unicode/utf8"
)

// attributes are the short names of what distinguished names consist of (RFC 4514
// section 3, and OpenSSL's for the e-mail address).
var attributes = map[string]string{
	"2.5.4.3": "CN", "2.5.4.4": "SN", "2.5.4.5": "serialNumber", "2.5.4.6": "C", "2.5.4.7": "L", "2.5.4.8": "ST",
	"2.5.4.9": "street", "2.5.4.10": "O", "2.5.4.11": "OU", "2.5.4.12": "title", "2.5.4.17": "postalCode",
	"2.5.4.42": "GN", "0.9.2342.19200300.100.1.1": "UID", "0.9.2342.19200300.100.1.25": "DC",
	"1.2.840.113549.1.9.1": "emailAddress",
}

// attribute is a part of a name. Its value can be of many types.
type attribute struct {
	Type  asn1.ObjectIdentifier
	Value asn1.RawValue
}

// attributeSET is a relative distinguished name; asn1 goes by the end of its name.
type attributeSET []attribute

// Name returns a distinguished name in DER as text, the way AWS shows it: from
// the country down, as it is encoded, such as "C=US,O=Example Corp,CN=client".
// Values are escaped as in RFC 4514 section 2.4, and so are control characters,
// so that two names never look the same.
func Name(der []byte) string {
	var name []attributeSET
	if rest, err := asn1.Unmarshal(der, &name); err != nil || len(rest) > 0 {
		return "#" + hex.EncodeToString(der)
	}
	var b strings.Builder
	for i, set := range name {
		if i > 0 {
			b.WriteByte(',')
		}
		for j := range set {
			if j > 0 {
				b.WriteByte('+')
			}
			set[j].writeTo(&b)
		}
	}
	return b.String()
}

func (a *attribute) writeTo(b *strings.Builder) {
	var text string
	short, known := attributes[a.Type.String()]
	if _, err := asn1.Unmarshal(a.Value.FullBytes, &text); err != nil || !known || !utf8.ValidString(text) {
		b.WriteString(a.Type.String() + "=#" + hex.EncodeToString(a.Value.FullBytes))
		return
	}
	b.WriteString(short + "=")
	for i, r := range text {
		first, last := i == 0, i == len(text)-1
		switch {
		case strings.ContainsRune(`,+"\<>;`, r), r == '#' && first, r == ' ' && (first || last):
			b.WriteByte('\\')
			b.WriteRune(r)
		case r < ' ' || r == 0x7f:
			b.WriteString(`\` + hex.EncodeToString([]byte{byte(r)}))
		default:
			b.WriteRune(r)
		}
	}
}
