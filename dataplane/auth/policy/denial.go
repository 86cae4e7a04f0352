package policy

// AppendDenial appends AWS's message for a request that d refuses, with all but
// the last four digits of the account masked in the resource. principalARN is
// empty for an anonymous caller.
func AppendDenial(dst []byte, principalARN string, action Action, methodARN string, d Decision) []byte {
	if principalARN == "" {
		principalARN = "anonymous"
	}
	dst = append(dst, "User: "...)
	dst = append(dst, principalARN...)
	dst = append(dst, " is not authorized to perform: "...)
	dst = append(dst, action.String()...)
	dst = append(dst, " on resource: "...)
	dst = appendMasked(dst, methodARN)
	if d == ExplicitDeny {
		dst = append(dst, " with an explicit deny"...)
	}
	return dst
}

func appendMasked(dst []byte, methodARN string) []byte {
	a, ok := splitARN(methodARN)
	if !ok {
		return append(dst, methodARN...)
	}
	for i, part := range a {
		if i > 0 {
			dst = append(dst, ':')
		}
		if i == accountPart {
			for hidden := len(part) - 4; hidden > 0; hidden-- {
				dst = append(dst, '*')
			}
			part = part[max(0, len(part)-4):]
		}
		dst = append(dst, part...)
	}
	return dst
}
