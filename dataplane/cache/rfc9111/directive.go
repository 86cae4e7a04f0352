package rfc9111

// directive is one cache-directive of a Cache-Control field (RFC 9111 section
// 5.2).
type directive struct {
	name []byte
	arg  []byte // without quotes
	form form
}

// form is how the argument of a directive was written.
type form uint8

const (
	noArgument form = iota
	tokenForm
	quotedForm
	// stringForm is a String of a Structured Field, which, unlike a quoted-string,
	// is never taken for a number (RFC 9213 section 2.1).
	stringForm
	// malformed is anything that the grammar does not have: white space around
	// "=", an empty argument, or something behind it.
	malformed
	// unclosed is a quoted string that does not end, so that nobody can tell
	// which directives are inside.
	unclosed
)

// nextDirective cuts the first directive off a list. Its name is empty between
// two commas and where no token begins.
func nextDirective(list []byte) (d directive, rest []byte) {
	at := 0
	for at < len(list) && isSpace(list[at]) {
		at++
	}
	start := at
	for at < len(list) && isToken[list[at]] {
		at++
	}
	d.name = list[start:at]
	if at < len(list) && list[at] == '=' {
		at++
		if at < len(list) && list[at] == '"' {
			d.form = quotedForm
			n := quotedLen(list[at:])
			if n == 0 {
				d.form = unclosed
				return d, nil
			}
			d.arg = list[at+1 : at+n-1]
			at += n
		} else {
			d.form = tokenForm
			start = at
			for at < len(list) && isToken[list[at]] {
				at++
			}
			if d.arg = list[start:at]; len(d.arg) == 0 {
				d.form = malformed
			}
		}
	}
	for at < len(list) && list[at] != ',' {
		if !isSpace(list[at]) {
			d.form = malformed
		}
		if list[at] == '"' {
			n := quotedLen(list[at:])
			if n == 0 {
				d.form = unclosed
				return d, nil
			}
			at += n - 1
		}
		at++
	}
	if at < len(list) {
		at++
	}
	return d, list[at:]
}

// quotedLen returns the length of the quoted-string that b begins with (RFC 9110
// section 5.6.4), or 0 when it has no end.
func quotedLen(b []byte) int {
	for i := 1; i < len(b); i++ {
		switch b[i] {
		case '\\':
			i++
		case '"':
			return i + 1
		}
	}
	return 0
}

// What a number of seconds can be besides its value.
const (
	absent  int64 = -1
	invalid int64 = -2 // unreadable, or given twice with different values

	// maxDelta stands for all larger numbers (RFC 9111 section 1.2.2).
	maxDelta int64 = 1 << 31
)

// parseDelta reads delta-seconds (RFC 9111 section 1.2.2).
func parseDelta(b []byte) int64 {
	if len(b) == 0 {
		return invalid
	}
	var n int64
	for _, c := range b {
		if !isDigit(c) {
			return invalid
		}
		n = min(n*10+int64(c-'0'), maxDelta)
	}
	return n
}

// delta returns the directive's argument in seconds. Recipients accept the
// quoted form of it too (RFC 9111 section 5.2).
func (d *directive) delta() int64 {
	if d.form != tokenForm && d.form != quotedForm {
		return invalid
	}
	return parseDelta(d.arg)
}

// names reports whether the argument is a list of field names, as in the
// qualified forms of no-cache and private (RFC 9111 sections 5.2.2.4 and
// 5.2.2.7). Anything else leaves the directive in its unqualified, stricter form.
func (d *directive) names() bool {
	if d.form != tokenForm && d.form != quotedForm && d.form != stringForm {
		return false
	}
	some := false
	for list := d.arg; len(list) > 0; {
		var name []byte
		name, list = nextElement(list)
		for _, c := range name {
			if !isToken[c] {
				return false
			}
		}
		some = some || len(name) > 0
	}
	return some
}
