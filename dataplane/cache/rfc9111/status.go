package rfc9111

// heuristicallyCacheable reports whether responses with the status may be stored
// without being told so (RFC 9110 section 15.1; 451 by RFC 7725 section 3).
// Partial content is one of them, but never stored here.
func heuristicallyCacheable(status int) bool {
	switch status {
	case 200, 203, 204, 300, 301, 308, 404, 405, 410, 414, 451, 501:
		return true
	}
	return false
}

// understood reports whether all that is specified about caching responses with
// the status is implemented (RFC 9111 section 3): the final codes of RFC 9110
// section 15 and a few more that have nothing special, without those that depend
// on conditions of the request.
func understood(status int) bool {
	switch {
	case status >= 200 && status <= 205, status >= 300 && status <= 303, status == 307, status == 308,
		status >= 400 && status <= 411, status >= 413 && status <= 415, status == 417,
		status == 421, status == 422, status == 426, status == 428, status == 429, status == 431, status == 451,
		status >= 500 && status <= 505:
		return true
	}
	return false
}

// ofThisRequest reports whether a response with the status says something about
// conditions or ranges of its request, and so nothing to other requests.
func ofThisRequest(status int) bool {
	return status < 200 || status == 206 || status == 304 || status == 412 || status == 416
}
