package gate

import (
	"fmt"
	"strings"
)

// Answer is what a condemned client hears from a listener that responds.
type Answer uint8

// Answers. Bodies and x-amzn-ErrorType are those of API Gateway's responses
// ACCESS_DENIED, THROTTLED and QUOTA_EXCEEDED.
const (
	Forbidden       Answer = iota // 403
	TooManyRequests               // 429, of a throttle or a rate rule
	LimitExceeded                 // 429, of a quota
)

// Status returns the answer's HTTP status.
func (a Answer) Status() int {
	if a == Forbidden {
		return 403
	}
	return 429
}

// forever is added to an Answer that has no end to name in Retry-After.
const forever = 2

const seconds = "        " // overwritten by the program, DIGITS in answer.h

// texts are the answers by their number in the program.
var texts = [...]string{
	Forbidden:                 text("403 Forbidden", "ForbiddenException", "Forbidden", ""),
	TooManyRequests:           text("429 Too Many Requests", "TooManyRequestsException", "Too Many Requests", seconds),
	LimitExceeded:             text("429 Too Many Requests", "LimitExceededException", "Limit Exceeded", seconds),
	TooManyRequests + forever: text("429 Too Many Requests", "TooManyRequestsException", "Too Many Requests", ""),
	LimitExceeded + forever:   text("429 Too Many Requests", "LimitExceededException", "Limit Exceeded", ""),
}

func text(status, errorType, message, retryAfter string) string {
	body := `{"message":"` + message + `"}`
	var b strings.Builder
	fmt.Fprintf(&b, "HTTP/1.1 %s\r\n", status)
	if retryAfter != "" {
		const header = "Retry-After: "
		if (b.Len()+len(header))%2 != 0 {
			retryAfter = " " + retryAfter // the checksum is one of 16-bit words
		}
		b.WriteString(header + retryAfter + "\r\n")
	}
	fmt.Fprintf(&b, "Content-Type: application/json\r\nContent-Length: %d\r\nx-amzn-ErrorType: %s\r\nConnection: close\r\n\r\n%s",
		len(body), errorType, body)
	return b.String()
}

// canned lays a text out for the program.
func canned(text string) programAnswer {
	a := programAnswer{Length: uint32(len(text))}
	for i := range len(text) {
		a.Text[i] = int8(text[i])
	}
	if at := strings.LastIndex(text, seconds); at >= 0 {
		a.Seconds = uint32(at)
		text = text[:at] + strings.Repeat("\x00", len(seconds)) + text[at+len(seconds):]
	}
	a.Sum = sum16(text)
	return a
}

// sum16 adds up 16-bit words in the host's byte order (RFC 1071 2).
func sum16(text string) (sum uint64) {
	for i := 0; i < len(text); i += 2 {
		word := [2]byte{text[i]}
		if i+1 < len(text) {
			word[1] = text[i+1]
		}
		sum += uint64(native16(word))
	}
	return sum
}
