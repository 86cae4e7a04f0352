package text

import (
	"crypto/md5"
	"crypto/sha256"
)

// Transformation is one of AWS WAF's, known by its name.
type Transformation uint8

// The transformations.
const (
	None Transformation = iota
	Base64Decode
	Base64DecodeExt
	CmdLine
	CompressWhiteSpace
	CSSDecode
	EscapeSeqDecode
	HexDecode
	HTMLEntityDecode
	JSDecode
	Lowercase
	MD5
	NormalizePath
	NormalizePathWin
	RemoveCommentsChar
	RemoveNulls
	RemoveWhitespace
	ReplaceComments
	ReplaceNulls
	SHA256
	SQLHexDecode
	Trim
	TrimLeft
	TrimRight
	Uppercase
	URLDecode
	URLDecodeUni
	UTF8ToUnicode
	count
)

var names = [count]string{
	None: "NONE", Base64Decode: "BASE64_DECODE", Base64DecodeExt: "BASE64_DECODE_EXT", CmdLine: "CMD_LINE",
	CompressWhiteSpace: "COMPRESS_WHITE_SPACE", CSSDecode: "CSS_DECODE", EscapeSeqDecode: "ESCAPE_SEQ_DECODE",
	HexDecode: "HEX_DECODE", HTMLEntityDecode: "HTML_ENTITY_DECODE", JSDecode: "JS_DECODE", Lowercase: "LOWERCASE",
	MD5: "MD5", NormalizePath: "NORMALIZE_PATH", NormalizePathWin: "NORMALIZE_PATH_WIN",
	RemoveCommentsChar: "REMOVE_COMMENTS_CHAR", RemoveNulls: "REMOVE_NULLS", RemoveWhitespace: "REMOVE_WHITESPACE",
	ReplaceComments: "REPLACE_COMMENTS", ReplaceNulls: "REPLACE_NULLS", SHA256: "SHA256", SQLHexDecode: "SQL_HEX_DECODE",
	Trim: "TRIM", TrimLeft: "TRIM_LEFT", TrimRight: "TRIM_RIGHT", Uppercase: "UPPERCASE",
	URLDecode: "URL_DECODE", URLDecodeUni: "URL_DECODE_UNI", UTF8ToUnicode: "UTF8_TO_UNICODE",
}

// Parse returns the transformation of AWS's name.
func Parse(name string) (t Transformation, ok bool) {
	for t, n := range names {
		if n == name {
			return Transformation(t), true
		}
	}
	return None, false
}

// Names returns the names of all transformations, sorted but for the first.
func Names() []string { return append([]string(nil), names[:]...) }

// String returns AWS's name.
func (t Transformation) String() string { return names[t] }

// Apply transforms the text that is buf from at on to the end. It returns the
// buffer with the result, and where that begins: at, or behind the text for one
// of the few transformations whose result may be longer. The text itself is
// overwritten.
func (t Transformation) Apply(buf []byte, at int) ([]byte, int) {
	b := buf[at:]
	n := len(b)
	switch t {
	case Base64Decode:
		n = base64Decode(b, false)
	case Base64DecodeExt:
		n = base64Decode(b, true)
	case CmdLine:
		n = cmdLine(b)
	case CompressWhiteSpace:
		n = compressWhiteSpace(b)
	case CSSDecode:
		n = cssDecode(b)
	case EscapeSeqDecode:
		n = escapeSeqDecode(b)
	case HexDecode:
		n = hexDecode(b)
	case HTMLEntityDecode:
		n = htmlEntityDecode(b)
	case JSDecode:
		n = jsDecode(b)
	case Lowercase:
		lowercase(b)
	case NormalizePath:
		n = normalizePath(b)
	case NormalizePathWin:
		replace(b, '\\', '/')
		n = normalizePath(b)
	case RemoveCommentsChar:
		n = removeCommentsChar(b)
	case RemoveNulls:
		n = removeNulls(b)
	case RemoveWhitespace:
		n = removeWhitespace(b)
	case ReplaceComments:
		n = replaceComments(b)
	case ReplaceNulls:
		replace(b, 0, ' ')
	case SQLHexDecode:
		n = sqlHexDecode(b)
	case Trim, TrimLeft, TrimRight:
		return trim(buf, at, t != TrimRight, t != TrimLeft)
	case Uppercase:
		uppercase(b)
	case URLDecode:
		n = urlDecode(b, false)
	case URLDecodeUni:
		n = urlDecode(b, true)
	case MD5:
		sum := md5.Sum(b)
		return append(buf, sum[:]...), len(buf)
	case SHA256:
		sum := sha256.Sum256(b)
		return append(buf, sum[:]...), len(buf)
	case UTF8ToUnicode:
		return utf8ToUnicode(buf, at)
	}
	return buf[:at+n], at
}

// The functions of the other files transform b in place and return the length
// of the result.

func unhex(c byte) int {
	switch {
	case c >= '0' && c <= '9':
		return int(c - '0')
	case c >= 'a' && c <= 'f':
		return int(c-'a') + 10
	case c >= 'A' && c <= 'F':
		return int(c-'A') + 10
	}
	return -1
}

// hexByte reads two hexadecimal digits at b[i:]; -1 when they are not there.
func hexByte(b []byte, i int) int {
	if i+1 >= len(b) {
		return -1
	}
	high, low := unhex(b[i]), unhex(b[i+1])
	if high < 0 || low < 0 {
		return -1
	}
	return high<<4 | low
}

// unit reads the four hexadecimal digits of a UTF-16 unit at b[i:] as the byte
// that single-byte backends take it for: full-width forms of ASCII as what they
// look like, of all others the low byte. It is -1 when they are not there.
func unit(b []byte, i int) int {
	high, low := hexByte(b, i), hexByte(b, i+2)
	if high < 0 || low < 0 {
		return -1
	}
	if high == 0xff && low >= 0x01 && low <= 0x5e {
		return low + 0x20
	}
	return low
}
