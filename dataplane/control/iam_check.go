package control

import (
	"fmt"
	"regexp"
	"strings"

	"github.com/tidegate/tidegate/dataplane/definition"
)

// Quotas of IAM that a request to AWS could not raise, or need not.
// Source: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html
const (
	maxUsers          = 5000
	maxPolicies       = 1500
	maxKeysOfUser     = 2
	maxAttached       = 10
	maxUserName       = 64
	maxPolicyName     = 128
	maxUserPath       = 512
	maxPolicySize     = 6144 // characters of a managed policy, without white space
	maxUserPolicySize = 2048 // of all inline policies of a user together
)

const namePattern = `[\w+=,.@-]+`

var (
	nameRegexp      = regexp.MustCompile(`^` + namePattern + `$`)
	pathRegexp      = regexp.MustCompile(`^/$|^/[!-~]+/$`)
	accessKeyRegexp = regexp.MustCompile(`^AKIA[A-Z2-7]{16}$`)
)

// checkIAMName holds the name of a user or policy to IAM's form.
func checkIAMName(member, name string, most int) error {
	var problems []string
	if name == "" || !nameRegexp.MatchString(name) {
		problems = append(problems, fmt.Sprintf("Value '%s' at '%s' failed to satisfy constraint: Member must satisfy regular expression pattern: %s", name, member, namePattern))
	}
	if len(name) > most {
		problems = append(problems, fmt.Sprintf("Value '%s' at '%s' failed to satisfy constraint: Member must have length less than or equal to %d", name, member, most))
	}
	return validation(problems)
}

func checkUserPath(path string) error {
	if pathRegexp.MatchString(path) && len(path) <= maxUserPath {
		return nil
	}
	return badRequest("Invalid path: %s. It must begin and end with a slash and have at most %d characters, none of them a space", path, maxUserPath)
}

// checkUserTags tells keys apart regardless of case, as conditions do.
func checkUserTags(tags map[string]string) error {
	seen := map[string]bool{}
	for key := range tags {
		if seen[strings.ToLower(key)] {
			return badRequest("Duplicate tag keys found. Please note that Tag keys are case insensitive.")
		}
		seen[strings.ToLower(key)] = true
	}
	return checkTags(tags)
}

// policySize counts as IAM does, without white space.
func policySize(document string) int {
	size := 0
	for _, c := range document {
		if !strings.ContainsRune(" \t\r\n", c) {
			size++
		}
	}
	return size
}

// decodeDocument reads the body of a put of a policy.
func decodeDocument(body []byte, input string) (string, error) {
	var in struct {
		PolicyDocument *string `json:"policyDocument"`
	}
	if err := decode(body, &in); err != nil {
		return "", err
	}
	if in.PolicyDocument == nil {
		return "", validation([]string{mustNotBeNull(input + ".policyDocument")})
	}
	return *in.PolicyDocument, nil
}

func userNamed(c *definition.Catalog, name string) (*definition.User, error) {
	if u := c.Users[name]; u != nil {
		return u, nil
	}
	return nil, notFound("The user with name %s cannot be found.", name)
}

func policyNamed(c *definition.Catalog, name string) (*definition.ManagedPolicy, error) {
	if p := c.Policies[name]; p != nil {
		return p, nil
	}
	return nil, notFound("The policy with name %s cannot be found.", name)
}

func accessKey(c *definition.Catalog, id string) (*definition.AccessKey, error) {
	if k := c.AccessKeys[id]; k != nil {
		return k, nil
	}
	if !accessKeyRegexp.MatchString(id) {
		id = "given" // it may be a secret
	}
	return nil, notFound("The Access Key with id %s cannot be found.", id)
}

// auditPrincipal is what the audit line tells of a user, policy or access key in
// the path. What does not look like one may be a secret in the wrong place.
func auditPrincipal(r *request) []any {
	var attrs []any
	for _, param := range []struct {
		name string
		form *regexp.Regexp
	}{{"user", nameRegexp}, {"policy", nameRegexp}, {"accesskey", accessKeyRegexp}} {
		if v := r.params[param.name]; v != "" && param.form.MatchString(v) {
			attrs = append(attrs, param.name, v)
		}
	}
	return attrs
}
