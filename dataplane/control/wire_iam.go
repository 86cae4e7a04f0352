package control

import "time"

// User is an internal caller, with AWS IAM's names in lower camel case.
type User struct {
	UserName         string            `json:"userName"`
	UserID           string            `json:"userId"`
	Path             string            `json:"path"`
	ARN              string            `json:"arn"`
	CreateDate       time.Time         `json:"createDate"`
	Tags             map[string]string `json:"tags"`
	PolicyNames      []string          `json:"policyNames"`      // inline
	AttachedPolicies []string          `json:"attachedPolicies"` // managed
}

// Values of AccessKey.Status.
const (
	KeyActive   = "Active"
	KeyInactive = "Inactive"
)

// AccessKey is what a user signs with. SecretAccessKey is in the answer that makes
// the key, and nowhere else.
type AccessKey struct {
	UserName        string    `json:"userName"`
	AccessKeyID     string    `json:"accessKeyId"`
	SecretAccessKey string    `json:"secretAccessKey,omitempty"`
	Status          string    `json:"status"` // KeyActive or KeyInactive
	CreateDate      time.Time `json:"createDate"`
}

// Policy is a managed policy. A list leaves the document out.
type Policy struct {
	PolicyName     string    `json:"policyName"`
	ARN            string    `json:"arn"`
	PolicyDocument string    `json:"policyDocument,omitempty"`
	AttachedUsers  []string  `json:"attachedUsers"`
	CreateDate     time.Time `json:"createDate"`
	UpdateDate     time.Time `json:"updateDate"`
}

// UserPolicy is an inline policy.
type UserPolicy struct {
	UserName       string `json:"userName"`
	PolicyName     string `json:"policyName"`
	PolicyDocument string `json:"policyDocument"`
}

// SimulationInput is a request to decide about.
type SimulationInput struct {
	UserName        string `json:"userName"`
	ActionName      string `json:"actionName"`  // "execute-api:Invoke", or "Invoke"
	ResourceARN     string `json:"resourceArn"` // arn:aws:execute-api:region:account:api/stage/METHOD/path
	SourceIP        string `json:"sourceIp,omitempty"`
	SecureTransport *bool  `json:"secureTransport,omitempty"` // true when nil
}

// Values of Simulation.EvalDecision.
const (
	DecisionAllowed      = "allowed"
	DecisionImplicitDeny = "implicitDeny"
	DecisionExplicitDeny = "explicitDeny"
)

// Simulation is what was decided, by the user's policies and the resource policy
// that the stage serves with.
type Simulation struct {
	UserARN           string             `json:"userArn"`
	EvalActionName    string             `json:"evalActionName"`
	EvalResourceName  string             `json:"evalResourceName"`
	EvalDecision      string             `json:"evalDecision"`
	MatchedStatements []MatchedStatement `json:"matchedStatements"` // of every policy that is not silent
}

// MatchedStatement is the statement of a policy that decides what it says.
type MatchedStatement struct {
	SourcePolicyID   string `json:"sourcePolicyId"`   // name of the policy, or id of the API
	SourcePolicyType string `json:"sourcePolicyType"` // inline, managed or resource
	Statement        int    `json:"statement"`        // from 0
	Effect           string `json:"effect"`           // Allow or Deny
}
