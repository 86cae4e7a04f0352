package policy

import "strings"

// test is what an operator does with a value and each of those in the policy.
type test uint8

const (
	stringEquals test = iota
	stringEqualsFold
	stringLike
	numeric
	date
	boolean
	ipAddress
	arnLike
	null
)

// relation is how a number or date is compared.
type relation uint8

const (
	equal relation = iota
	less
	lessOrEqual
	greater
	greaterOrEqual
)

// holds takes the order of got and want, as of cmp.Compare.
func (r relation) holds(order int) bool {
	switch r {
	case less:
		return order < 0
	case lessOrEqual:
		return order <= 0
	case greater:
		return order > 0
	case greaterOrEqual:
		return order >= 0
	}
	return order == 0
}

// operator is a condition operator without quantifier and IfExists.
type operator struct {
	test     test
	relation relation
	negate   bool // none of the policy's values may match
}

// Source: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_condition_operators.html
var operators = map[string]operator{
	"StringEquals":              {test: stringEquals},
	"StringNotEquals":           {test: stringEquals, negate: true},
	"StringEqualsIgnoreCase":    {test: stringEqualsFold},
	"StringNotEqualsIgnoreCase": {test: stringEqualsFold, negate: true},
	"StringLike":                {test: stringLike},
	"StringNotLike":             {test: stringLike, negate: true},

	"NumericEquals":            {test: numeric},
	"NumericNotEquals":         {test: numeric, negate: true},
	"NumericLessThan":          {test: numeric, relation: less},
	"NumericLessThanEquals":    {test: numeric, relation: lessOrEqual},
	"NumericGreaterThan":       {test: numeric, relation: greater},
	"NumericGreaterThanEquals": {test: numeric, relation: greaterOrEqual},

	"DateEquals":            {test: date},
	"DateNotEquals":         {test: date, negate: true},
	"DateLessThan":          {test: date, relation: less},
	"DateLessThanEquals":    {test: date, relation: lessOrEqual},
	"DateGreaterThan":       {test: date, relation: greater},
	"DateGreaterThanEquals": {test: date, relation: greaterOrEqual},

	"Bool":         {test: boolean},
	"IpAddress":    {test: ipAddress},
	"NotIpAddress": {test: ipAddress, negate: true},

	"ArnEquals":    {test: arnLike}, // AWS lets both have wildcards
	"ArnLike":      {test: arnLike},
	"ArnNotEquals": {test: arnLike, negate: true},
	"ArnNotLike":   {test: arnLike, negate: true},

	"Null": {test: null},
}

// quantifier says how many values of a key have to pass.
type quantifier uint8

const (
	single quantifier = iota
	forAll            // ForAllValues: every one; also none at all
	forAny            // ForAnyValue: at least one
)

// findOperator reads a name such as "ForAnyValue:StringLikeIfExists".
func findOperator(name string) (o operator, q quantifier, ifExists, ok bool) {
	if rest, found := strings.CutPrefix(name, "ForAllValues:"); found {
		name, q = rest, forAll
	} else if rest, found := strings.CutPrefix(name, "ForAnyValue:"); found {
		name, q = rest, forAny
	}
	name, ifExists = strings.CutSuffix(name, "IfExists")
	o, ok = operators[name]
	return o, q, ifExists, ok && !(ifExists && o.test == null)
}
