package telemetry

import (
	"encoding/binary"
	"strconv"
	"time"
	"unicode/utf8"
	"unsafe"
)

// Record is what the access log says about one request: AWS's $context
// variables of the same names. Byte slices and strings are read during Append
// alone. Empty strings, and numbers said to be absent, are logged as "-".
//
// Source: https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-variables-for-access-logging.html
type Record struct {
	RequestID         []byte
	ExtendedRequestID []byte
	SourceIP          []byte // identity.sourceIp
	APIKeyID          []byte // identity.apiKeyId
	UserAgent         []byte // identity.userAgent
	RequestTime       int64  // Unix milliseconds: requestTime and requestTimeEpoch
	HTTPMethod        []byte
	Path              []byte // with the stage
	Protocol          string
	DomainName        []byte

	APIID        string
	Stage        string
	DeploymentID string
	ResourcePath string
	TLSVersion   string

	ClientCert ClientCert // identity.clientCert; logged of clients that have one

	Status             int
	ResponseLength     int64 // bytes of the body
	ResponseLatency    int64 // milliseconds
	IntegrationLatency int64 // milliseconds; negative is absent
	IntegrationStatus  int   // 0 is absent

	ErrorMessage      []byte // error.message
	ErrorResponseType string // error.responseType

	// Of the stage's web ACL.
	WebACLARN       string // webaclArn
	WAFResponseCode string // WAFAllow or WAFBlock
	WAFStatus       int    // waf.status; 0 is absent, and the latency with it
	WAFLatency      int64  // waf.latency, milliseconds
	WAFError        string // waf.error

	// Of WebSocket APIs alone: without an EventType none of them is logged.
	EventType    string // CONNECT, MESSAGE or DISCONNECT
	RouteKey     string
	ConnectionID []byte
	MessageID    []byte

	// Context has the values of the variables that the log was opened with, in
	// their order; nil if none has one.
	Context [][]byte
}

// Values of Record.WAFResponseCode.
const (
	WAFAllow = "WAF_ALLOW"
	WAFBlock = "WAF_BLOCK"
)

// ClientCert names the certificate of a client.
type ClientCert struct{ SubjectDN, IssuerDN, SerialNumber string }

// clock keeps the text of the second it formatted last.
type clock struct {
	second int64
	text   []byte
}

func (c *clock) appendTime(dst []byte, milliseconds int64) []byte {
	if second := milliseconds / 1000; second != c.second || c.text == nil {
		c.second = second
		c.text = time.Unix(second, 0).UTC().AppendFormat(c.text[:0], "02/Jan/2006:15:04:05 -0700")
	}
	return append(dst, c.text...)
}

// appendLine appends the record as one line of JSON. Every value is a string,
// as in the JSON format that the AWS console offers, so that a key has one type
// whether its value is there or not. context are the keys of r.Context, as keysOf
// makes them; those of certificates are there for domains that ask for them alone.
func (r *Record) appendLine(dst []byte, c *clock, context ...string) []byte {
	dst = appendText(append(dst, `{"requestId":"`...), r.RequestID)
	dst = appendText(append(dst, `","extendedRequestId":"`...), r.ExtendedRequestID)
	dst = appendText(append(dst, `","identity.sourceIp":"`...), r.SourceIP)
	dst = appendText(append(dst, `","identity.apiKeyId":"`...), r.APIKeyID)
	dst = c.appendTime(append(dst, `","requestTime":"`...), r.RequestTime)
	dst = appendNumber(append(dst, `","requestTimeEpoch":"`...), r.RequestTime)
	dst = appendText(append(dst, `","httpMethod":"`...), r.HTTPMethod)
	dst = appendString(append(dst, `","resourcePath":"`...), r.ResourcePath)
	dst = appendText(append(dst, `","path":"`...), r.Path)
	dst = appendString(append(dst, `","protocol":"`...), r.Protocol)
	dst = appendNumber(append(dst, `","status":"`...), int64(r.Status))
	dst = appendNumber(append(dst, `","responseLength":"`...), r.ResponseLength)
	dst = appendNumber(append(dst, `","responseLatency":"`...), r.ResponseLatency)
	dst = appendNumber(append(dst, `","integrationLatency":"`...), r.IntegrationLatency)
	dst = append(dst, `","integrationStatus":"`...)
	if r.IntegrationStatus == 0 {
		dst = append(dst, '-')
	} else {
		dst = appendNumber(dst, int64(r.IntegrationStatus))
	}
	dst = appendString(append(dst, `","apiId":"`...), r.APIID)
	dst = appendString(append(dst, `","stage":"`...), r.Stage)
	dst = appendText(append(dst, `","domainName":"`...), r.DomainName)
	dst = appendText(append(dst, `","identity.userAgent":"`...), r.UserAgent)
	dst = appendText(append(dst, `","error.message":"`...), r.ErrorMessage)
	dst = appendString(append(dst, `","error.responseType":"`...), r.ErrorResponseType)
	dst = r.appendWAF(dst)
	dst = appendString(append(dst, `","deploymentId":"`...), r.DeploymentID)
	dst = appendString(append(dst, `","tlsVersion":"`...), r.TLSVersion)
	if r.EventType != "" {
		dst = appendString(append(dst, `","eventType":"`...), r.EventType)
		dst = appendString(append(dst, `","routeKey":"`...), r.RouteKey)
		dst = appendText(append(dst, `","connectionId":"`...), r.ConnectionID)
		dst = appendText(append(dst, `","messageId":"`...), r.MessageID)
	}
	if c := &r.ClientCert; c.SerialNumber != "" {
		dst = appendString(append(dst, `","identity.clientCert.subjectDN":"`...), c.SubjectDN)
		dst = appendString(append(dst, `","identity.clientCert.issuerDN":"`...), c.IssuerDN)
		dst = appendString(append(dst, `","identity.clientCert.serialNumber":"`...), c.SerialNumber)
	}
	for i, key := range context {
		dst = append(dst, key...)
		if r.Context == nil {
			dst = append(dst, '-')
		} else {
			dst = appendText(dst, r.Context[i])
		}
	}
	return append(dst, "\"}\n"...)
}

func (r *Record) appendWAF(dst []byte) []byte {
	if r.WebACLARN == "" {
		return append(dst, `","webaclArn":"-","wafResponseCode":"-","waf.status":"-","waf.latency":"-","waf.error":"-`...)
	}
	dst = appendString(append(dst, `","webaclArn":"`...), r.WebACLARN)
	dst = appendString(append(dst, `","wafResponseCode":"`...), r.WAFResponseCode)
	if r.WAFStatus == 0 {
		dst = append(dst, `","waf.status":"-","waf.latency":"-`...)
	} else {
		dst = appendNumber(append(dst, `","waf.status":"`...), int64(r.WAFStatus))
		dst = appendNumber(append(dst, `","waf.latency":"`...), r.WAFLatency)
	}
	return appendString(append(dst, `","waf.error":"`...), r.WAFError)
}

// keysOf makes of names what appendLine writes before their values.
func keysOf(names []string) (keys []string) {
	for _, name := range names {
		keys = append(keys, `","`+string(appendString(nil, name))+`":"`)
	}
	return keys
}

func appendNumber(dst []byte, n int64) []byte {
	if n < 0 {
		return append(dst, '-')
	}
	return strconv.AppendInt(dst, n, 10)
}

// appendText appends the inside of a JSON string (RFC 8259, section 7), or "-"
// for an empty one. Bytes that are not UTF-8 become U+FFFD.
func appendText(dst, s []byte) []byte {
	if len(s) == 0 {
		return append(dst, '-')
	}
	for {
		n := plainPrefix(s)
		dst = append(dst, s[:n]...)
		if s = s[n:]; len(s) == 0 {
			return dst
		}
		dst, n = appendSpecial(dst, s)
		s = s[n:]
	}
}

// appendString is appendText for a string, which is only read.
func appendString(dst []byte, s string) []byte {
	return appendText(dst, unsafe.Slice(unsafe.StringData(s), len(s)))
}

// plainPrefix returns how many bytes at the start of s a JSON string carries as
// they are. It looks at eight at a time, as most values are plain to their end.
func plainPrefix(s []byte) int {
	const (
		ones = 0x0101010101010101
		high = 0x8080808080808080
	)
	n := 0
	for ; n+8 <= len(s); n += 8 {
		x := binary.LittleEndian.Uint64(s[n:])
		quote, backslash := x^'"'*ones, x^'\\'*ones
		// A high bit is set for bytes above 0x7e, below a space, equal to a
		// quote, or equal to a backslash; borrows can only set too many.
		if (x|(x+ones)|(x-' '*ones)|(quote-ones)|(backslash-ones))&high != 0 {
			break
		}
	}
	for n < len(s) && ' ' <= s[n] && s[n] < 0x7f && s[n] != '"' && s[n] != '\\' {
		n++
	}
	return n
}

// appendSpecial appends the first character of s, which is not plain, and
// returns how many bytes of s it has.
func appendSpecial(dst, s []byte) ([]byte, int) {
	const hex = "0123456789abcdef"
	c := s[0]
	if c == '"' || c == '\\' {
		return append(dst, '\\', c), 1
	}
	if c < utf8.RuneSelf {
		return append(dst, '\\', 'u', '0', '0', hex[c>>4], hex[c&0xf]), 1
	}
	r, n := utf8.DecodeRune(s)
	if r == utf8.RuneError && n == 1 {
		return append(dst, `\ufffd`...), 1
	}
	return append(dst, s[:n]...), n
}
