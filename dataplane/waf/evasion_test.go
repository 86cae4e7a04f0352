package waf

import (
	"strings"
	"testing"

	"github.com/tidegate/tidegate/dataplane/http1"
)

// Attacks in disguise, with the transformations that see through it, and without,
// which do not.
func TestEvasions(t *testing.T) {
	w := newWorld()
	form := func(text string) string { return "POST /x\n\n" + text }
	for _, tc := range []struct {
		name    string
		field   obj
		chain   []string
		needle  string
		request string
	}{
		{"encoded", query, []string{"URL_DECODE"}, "<script", "GET /?q=%3Cscript%3E"},
		{"encoded twice", query, []string{"URL_DECODE", "URL_DECODE"}, "<script", "GET /?q=%253Cscript%253E"},
		{"encoded three times", query, []string{"URL_DECODE", "URL_DECODE", "URL_DECODE"}, "../", "GET /?q=%25252e%25252e%25252f"},
		{"letters encoded", query, []string{"URL_DECODE"}, "union select", "GET /?q=%75%6eion+s%65lect"},
		{"case", query, []string{"LOWERCASE"}, "union", "GET /?q=UnIoN"},
		{"case and encoding", query, []string{"URL_DECODE", "LOWERCASE"}, "<script", "GET /?q=%3CScRiPt"},
		{"null bytes", body, []string{"REMOVE_NULLS"}, "<script", form("<scr\x00ipt>")},
		{"encoded null bytes", body, []string{"URL_DECODE", "REMOVE_NULLS"}, "union select", form("q=un%00ion%20sel%00ect")},
		{"null for a space", body, []string{"REPLACE_NULLS"}, "union select", form("union\x00select")},
		{"comment for a space", query, []string{"URL_DECODE", "REPLACE_COMMENTS"}, "union select", "GET /?q=union/**/select"},
		{"comment with words", query, []string{"URL_DECODE", "REPLACE_COMMENTS", "COMPRESS_WHITE_SPACE"}, "union select", "GET /?q=union/*foo*/%20/*bar*/select"},
		{"comment characters", body, []string{"REMOVE_COMMENTS_CHAR"}, "union", form("un/**/ion")},
		{"white space", body, []string{"COMPRESS_WHITE_SPACE"}, "union select", form("union \t\r\n\v\f select")},
		{"no-break space", body, []string{"COMPRESS_WHITE_SPACE"}, "union select", form("union\u00a0\u00a0select")},
		{"no white space", body, []string{"REMOVE_WHITESPACE"}, "javascript:", form("java\tscript :")},
		{"full-width, as %u", body, []string{"URL_DECODE_UNI"}, "<script", form("q=%uff1cscript")},
		{"%u", body, []string{"URL_DECODE_UNI"}, "<script", form("q=%u003cscript")},
		{"full-width, in UTF-8", body, []string{"UTF8_TO_UNICODE", "URL_DECODE_UNI"}, "<script", form("q=＜script")},
		{"full-width, encoded", query, []string{"URL_DECODE", "UTF8_TO_UNICODE", "URL_DECODE_UNI"}, "<script", "GET /?q=%EF%BC%9Cscript"},
		{"overlong slash", query, []string{"URL_DECODE", "UTF8_TO_UNICODE", "URL_DECODE_UNI"}, "../../etc", "GET /?f=..%c0%af..%c0%afetc"},
		{"overlong dot", query, []string{"URL_DECODE", "UTF8_TO_UNICODE", "URL_DECODE_UNI"}, "../etc", "GET /?f=%c0%ae%c0%ae/etc"},
		{"overlong slash of three bytes", query, []string{"URL_DECODE", "UTF8_TO_UNICODE", "URL_DECODE_UNI"}, "../etc", "GET /?f=..%e0%80%afetc"},
		{"dots in a path", argument("f"), []string{"URL_DECODE", "NORMALIZE_PATH"}, "/etc/passwd", "GET /?f=/var/./www//../../etc/x/../passwd"},
		{"dots beyond the root", argument("f"), []string{"NORMALIZE_PATH"}, "/etc/passwd", "GET /?f=/a/../../../etc/./passwd"},
		{"backslashes", argument("f"), []string{"URL_DECODE", "NORMALIZE_PATH_WIN"}, "/windows/win.ini", "GET /?f=%5ctemp%5c..%5cwindows%5cwin.ini"},
		{"slashes in the path", path, []string{"NORMALIZE_PATH"}, "/admin/users", "GET /admin//users"},
		{"letters of the path encoded", path, []string{"URL_DECODE"}, "/admin", "GET /%61dmin"},
		{"entities", body, []string{"HTML_ENTITY_DECODE"}, "<script", form("&lt;script")},
		{"entity without semicolon", body, []string{"HTML_ENTITY_DECODE"}, "javascript:", form("&#106avascript:")},
		{"entity with zeros", body, []string{"HTML_ENTITY_DECODE"}, "<script", form("&#x0000003cscript")},
		{"encoded entity", query, []string{"URL_DECODE", "HTML_ENTITY_DECODE"}, "<script", "GET /?q=%26lt;script"},
		{"escapes of JavaScript", body, []string{"JS_DECODE"}, "alert(1)", form(`\u0061l\x65rt\0501\51`)},
		{"full-width in JavaScript", body, []string{"JS_DECODE"}, "<script", form(`\uff1cscript`)},
		{"escapes of CSS", body, []string{"CSS_DECODE"}, "javascript:", form(`j\61v\00061script\3a`)},
		{"backslash in CSS", body, []string{"CSS_DECODE"}, "javascript", form(`ja\vascript`)},
		{"escapes of C", body, []string{"ESCAPE_SEQ_DECODE"}, "/bin/sh", form(`\x2fbin\057sh`)},
		{"quotes in a command", body, []string{"CMD_LINE"}, "cat/etc/passwd", form(`c"a"t /e\tc/pa's'swd`)},
		{"carets in a command", body, []string{"CMD_LINE"}, "cmd.exe/c dir", form(`C^M^D.exe  /c  DIR`)},
		{"commas in a command", body, []string{"CMD_LINE"}, "ping 127.0.0.1 whoami", form(`ping,127.0.0.1;;whoami`)},
		{"base64", argument("q"), []string{"BASE64_DECODE"}, "<script>", "GET /?q=PHNjcmlwdD4="},
		{"base64 with junk", body, []string{"BASE64_DECODE_EXT"}, "<script>", form("PHN.jcm\nlwdD4=")},
		{"hexadecimal", argument("q"), []string{"HEX_DECODE"}, "<script>", "GET /?q=3c7363726970743e"},
		{"hexadecimal of SQL", query, []string{"SQL_HEX_DECODE"}, "admin", "GET /?u=0x61646d696e"},
		{"name of an argument", argument("user"), nil, "admin", "GET /?%75s%65R=admin"},
		{"argument given twice", argument("user"), nil, "admin", "GET /?user=guest&user=admin"},
		{"header given twice", single("X-User"), nil, "admin", "GET /\nX-User: guest\nX-User: admin"},
		{"name of a header", single("x-user"), nil, "admin", "GET /\nX-USER: admin"},
		{"second cookie field", pairs("Cookies", "IncludedCookies", arr{"u"}, "VALUE", "CONTINUE"), nil, "admin", "GET /\nCookie: a=b\nCookie: u=admin"},
		{"escapes of JSON", jsonField("VALUE", nil), nil, "<script", form(`{"a":"\u003cscript"}`)},
		{"escaped key of JSON", jsonField("VALUE", nil, "/role"), nil, "admin", form(`{"\u0072ole":"admin"}`)},
		{"repeated key of JSON", jsonField("VALUE", nil, "/role"), nil, "admin", form(`{"role":"guest","role":"admin"}`)},
		{"escapes in escapes", jsonField("VALUE", nil), []string{"JS_DECODE", "HTML_ENTITY_DECODE"}, "<script", form(`{"a":"\\u0026lt;script"}`)},
		{"JSON behind padding", jsonField("VALUE", nil), nil, "evil", form(`{"p":"` + strings.Repeat("x", 60<<10) + `","a":"evil"}`)},
	} {
		if !w.blocks(t, byteStatement(tc.field, "CONTAINS", tc.needle, tc.chain...), requestOf(t, tc.request)) {
			t.Errorf("%s: it gets past %v", tc.name, tc.chain)
		}
		if len(tc.chain) > 0 && w.blocks(t, byteStatement(tc.field, "CONTAINS", tc.needle), requestOf(t, tc.request)) {
			t.Errorf("%s: it is no disguise", tc.name)
		}
	}
}

// What never comes as far as the rules, since the request is refused before.
func TestEvasionsThatAreNoRequests(t *testing.T) {
	for name, target := range map[string]string{
		"dot segments": "/a/../admin", "encoded dot segments": "/a/%2e%2e/admin", "encoded slash behind dots": "/a/..%2fadmin",
		"backslash behind dots": "/a/..%5cadmin", "null byte": "/a%00.jpg", "network path": "//evil/a", "half an escape": "/a%2", "%u": "/%u002e", "fragment": "/a#b", "raw UTF-8": "/\xe2\x82\xac",
	} {
		if _, fault := parsed([]byte("GET "+target+" HTTP/1.1\r\nHost: a\r\n\r\n"), nil); fault != http1.FaultTarget {
			t.Errorf("%s: %v", name, fault)
		}
	}
}

// A body that is longer than what is inspected can be treated as a match.
func TestPaddingIsNoWayAround(t *testing.T) {
	w := newWorld()
	long := "POST /\n\n" + strings.Repeat("x", 65<<10) + "evil"
	if w.blocks(t, byteStatement(body, "CONTAINS", "evil"), requestOf(t, long)) {
		t.Error("more than 64 KiB are inspected")
	}
	if !w.blocks(t, byteStatement(obj{"Body": obj{"OversizeHandling": "MATCH"}}, "CONTAINS", "evil"), requestOf(t, long)) {
		t.Error("OversizeHandling MATCH does not match")
	}
}
