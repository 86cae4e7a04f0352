package lambda

import (
	"fmt"
	"regexp"
)

const (
	partitionForm = `aws(?:-cn|-us-gov)?`
	regionForm    = `[a-z]{2,4}(?:-[a-z]+)+-[0-9]{1,2}`
)

var (
	isRegion = regexp.MustCompile(`^` + regionForm + `$`)

	// uriForm's groups are the version of Lambda's API, the function and the
	// operation. Older examples of AWS have the slash behind "path" twice.
	uriForm = regexp.MustCompile(`^arn:` + partitionForm + `:apigateway:` + regionForm + `:lambda:path//?([0-9-]+)/functions/([^/]+)/([a-z-]+)$`)

	// functionForm is an ARN or a name. Its groups are the region and the name.
	functionForm = regexp.MustCompile(`^(?:arn:` + partitionForm + `:lambda:(` + regionForm + `):[0-9]{12}:function:)?` +
		`([A-Za-z0-9_-]{1,140})(?::(?:\$LATEST|[A-Za-z0-9_-]{1,128}))?$`)
)

// ParseURI returns the function that an integration or authorizer URI names, for
// [Client.Invoke]:
//
//	arn:aws:apigateway:{region}:lambda:path/2015-03-31/functions/{function}/invocations
//
// Stage variables have to be filled in before. A function is an ARN or, for
// services on the host, a name; either may end in ":" and a version or alias.
func ParseURI(uri string) (function string, err error) {
	m := uriForm.FindStringSubmatch(uri)
	if m == nil {
		return "", fmt.Errorf("%q is not of the form arn:aws:apigateway:{region}:lambda:path/2015-03-31/functions/{function}/invocations", uri)
	}
	switch version, operation := m[1], m[3]; {
	case operation == "response-streaming-invocations":
		return "", fmt.Errorf("%q has the function's answer streamed, which is not supported here: write path/2015-03-31/functions/{function}/invocations", uri)
	case version != "2015-03-31" || operation != "invocations":
		return "", fmt.Errorf("%q is not an invocation: write path/2015-03-31/functions/{function}/invocations", uri)
	}
	if _, err := parseName(m[2]); err != nil {
		return "", err
	}
	return m[2], nil
}

// name is a function as an invocation names it.
type name struct {
	region string // empty when it is not said
	short  string // without version and alias
}

func parseName(function string) (name, error) {
	m := functionForm.FindStringSubmatch(function)
	if m == nil {
		return name{}, fmt.Errorf("function %q: write its ARN, arn:aws:lambda:{region}:{account}:function:{name}, or its name", function)
	}
	return name{m[1], m[2]}, nil
}
