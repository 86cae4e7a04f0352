package policy

import (
	"net/netip"
	"strconv"
	"strings"
	"time"
)

// Context is what conditions are about: the request and who makes it. An empty
// field is a missing key. Strings must not change during an evaluation.
type Context struct {
	PrincipalARN     string            // aws:PrincipalArn; empty for an anonymous caller
	PrincipalAccount string            // aws:PrincipalAccount
	PrincipalType    string            // aws:PrincipalType
	Username         string            // aws:username
	UserID           string            // aws:userid
	PrincipalTags    map[string]string // aws:PrincipalTag/name, by lower-case name

	SourceIP        netip.Addr // aws:SourceIp
	VPCSourceIP     netip.Addr // aws:VpcSourceIp
	SourceVPC       string     // aws:SourceVpc
	SourceVPCE      string     // aws:SourceVpce
	SourceARN       string     // aws:SourceArn
	UserAgent       string     // aws:UserAgent
	Referer         string     // aws:Referer
	SecureTransport bool       // aws:SecureTransport
	Now             int64      // aws:CurrentTime and aws:EpochTime, in nanoseconds since the Unix epoch

	Other map[string][]string // any other key, by lower-case name
}

// key is a condition key.
type key struct {
	field field
	name  string // of the tag, or of another key; in lower case
}

type field uint8

const (
	otherKey field = iota
	principalTag
	principalARN
	principalAccount
	principalType
	username
	userID
	sourceIP
	vpcSourceIP
	sourceVPC
	sourceVPCE
	sourceARN
	userAgent
	referer
	secureTransport
	currentTime
	epochTime
)

var fields = map[string]field{
	"aws:principalarn": principalARN, "aws:principalaccount": principalAccount, "aws:principaltype": principalType,
	"aws:username": username, "aws:userid": userID, "aws:sourceip": sourceIP, "aws:vpcsourceip": vpcSourceIP,
	"aws:sourcevpc": sourceVPC, "aws:sourcevpce": sourceVPCE, "aws:sourcearn": sourceARN, "aws:useragent": userAgent,
	"aws:referer": referer, "aws:securetransport": secureTransport, "aws:currenttime": currentTime, "aws:epochtime": epochTime,
}

const tagPrefix = "aws:principaltag/"

func findKey(name string) key {
	name = strings.ToLower(name)
	if tag, ok := strings.CutPrefix(name, tagPrefix); ok {
		return key{principalTag, tag}
	}
	return key{fields[name], name}
}

// value is what a key has for a request. Only what form says is set.
type value struct {
	form form
	text string
	addr netip.Addr
	at   int64 // nanoseconds since the Unix epoch
	on   bool
}

type form uint8

const (
	textForm form = iota
	addrForm
	timeForm  // ISO 8601 as text
	epochForm // a number of seconds as text
	boolForm
)

// count returns how many values a key has.
func (c *Context) count(k *key) int {
	switch k.field {
	case otherKey:
		return len(c.Other[k.name])
	case principalTag: // whose value may be empty
		if _, ok := c.PrincipalTags[k.name]; ok {
			return 1
		}
		return 0
	}
	if v := c.value(k, 0); v.form == textForm && v.text == "" || v.form == addrForm && !v.addr.IsValid() {
		return 0
	}
	return 1
}

// value returns value i of a key. Only keys of Other have more than one.
func (c *Context) value(k *key, i int) value {
	switch k.field {
	case otherKey:
		return value{text: c.Other[k.name][i]}
	case principalTag:
		return value{text: c.PrincipalTags[k.name]}
	case principalARN:
		return value{text: c.PrincipalARN}
	case principalAccount:
		return value{text: c.PrincipalAccount}
	case principalType:
		return value{text: c.PrincipalType}
	case username:
		return value{text: c.Username}
	case userID:
		return value{text: c.UserID}
	case sourceIP:
		return value{form: addrForm, addr: c.SourceIP}
	case vpcSourceIP:
		return value{form: addrForm, addr: c.VPCSourceIP}
	case sourceVPC:
		return value{text: c.SourceVPC}
	case sourceVPCE:
		return value{text: c.SourceVPCE}
	case sourceARN:
		return value{text: c.SourceARN}
	case userAgent:
		return value{text: c.UserAgent}
	case referer:
		return value{text: c.Referer}
	case secureTransport:
		return value{form: boolForm, on: c.SecureTransport}
	case currentTime:
		return value{form: timeForm, at: c.Now}
	}
	return value{form: epochForm, at: c.Now}
}

// appendText appends a value that has another form as text.
func (v *value) appendText(dst []byte) []byte {
	switch v.form {
	case addrForm:
		return v.addr.Unmap().AppendTo(dst)
	case timeForm:
		return time.Unix(0, v.at).UTC().AppendFormat(dst, time.RFC3339)
	case epochForm:
		return strconv.AppendInt(dst, v.at/1e9, 10)
	case boolForm:
		return strconv.AppendBool(dst, v.on)
	}
	return append(dst, v.text...)
}
