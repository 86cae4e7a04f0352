package control

import (
	"context"
	"net/url"
	"strconv"
)

const iamPath = "/tidegate/iam"

// UserInput is a new user.
type UserInput struct {
	UserName string            `json:"userName"`
	Path     string            `json:"path,omitempty"` // "/" when empty
	Tags     map[string]string `json:"tags,omitempty"`
}

// CreateUser makes a user without keys and policies.
func (c *Client) CreateUser(ctx context.Context, in UserInput) (*User, error) {
	return answer[User](ctx, c, "POST", iamPath+"/users", nil, in)
}

// Users lists all users by name.
func (c *Client) Users(ctx context.Context) ([]User, error) {
	return all[User](ctx, c, iamPath+"/users", url.Values{})
}

// User returns one user.
func (c *Client) User(ctx context.Context, name string) (*User, error) {
	return answer[User](ctx, c, "GET", iamPath+pathOf("users", name), nil, nil)
}

// UpdateUser patches a user: its /tags/{key}.
func (c *Client) UpdateUser(ctx context.Context, name string, ops ...PatchOperation) (*User, error) {
	return answer[User](ctx, c, "PATCH", iamPath+pathOf("users", name), nil, patch{ops})
}

// DeleteUser deletes a user, and with force its access keys and policies.
func (c *Client) DeleteUser(ctx context.Context, name string, force bool) error {
	return c.call(ctx, "DELETE", iamPath+pathOf("users", name), url.Values{"force": {strconv.FormatBool(force)}}, nil, nil)
}

// CreateAccessKey makes an access key. The answer has its secret, which nothing
// tells again.
func (c *Client) CreateAccessKey(ctx context.Context, user string) (*AccessKey, error) {
	return answer[AccessKey](ctx, c, "POST", iamPath+pathOf("users", user, "accesskeys"), nil, nil)
}

// AccessKeys lists the access keys of a user, or with an empty name all, by user.
func (c *Client) AccessKeys(ctx context.Context, user string) ([]AccessKey, error) {
	q := url.Values{}
	if user != "" {
		q.Set("userName", user)
	}
	return all[AccessKey](ctx, c, iamPath+"/accesskeys", q)
}

// SetAccessKeyStatus makes an access key KeyActive or KeyInactive.
func (c *Client) SetAccessKeyStatus(ctx context.Context, id, status string) (*AccessKey, error) {
	return answer[AccessKey](ctx, c, "PATCH", iamPath+pathOf("accesskeys", id), nil, patch{[]PatchOperation{{Op: "replace", Path: "/status", Value: status}}})
}

// DeleteAccessKey deletes an access key.
func (c *Client) DeleteAccessKey(ctx context.Context, id string) error {
	return c.call(ctx, "DELETE", iamPath+pathOf("accesskeys", id), nil, nil, nil)
}

// documentInput is the body of a put of a policy.
type documentInput struct {
	PolicyDocument string `json:"policyDocument"`
}

// PutPolicy makes a managed policy or replaces its document.
func (c *Client) PutPolicy(ctx context.Context, name, document string) (*Policy, error) {
	return answer[Policy](ctx, c, "PUT", iamPath+pathOf("policies", name), nil, documentInput{document})
}

// Policies lists the managed policies by name, without their documents.
func (c *Client) Policies(ctx context.Context) ([]Policy, error) {
	return all[Policy](ctx, c, iamPath+"/policies", url.Values{})
}

// Policy returns one managed policy.
func (c *Client) Policy(ctx context.Context, name string) (*Policy, error) {
	return answer[Policy](ctx, c, "GET", iamPath+pathOf("policies", name), nil, nil)
}

// DeletePolicy deletes a managed policy that is attached to nobody.
func (c *Client) DeletePolicy(ctx context.Context, name string) error {
	return c.call(ctx, "DELETE", iamPath+pathOf("policies", name), nil, nil, nil)
}

// AttachUserPolicy gives a user a managed policy.
func (c *Client) AttachUserPolicy(ctx context.Context, user, policy string) (*User, error) {
	return answer[User](ctx, c, "PUT", iamPath+pathOf("users", user, "attachedpolicies", policy), nil, nil)
}

// DetachUserPolicy takes a managed policy from a user.
func (c *Client) DetachUserPolicy(ctx context.Context, user, policy string) error {
	return c.call(ctx, "DELETE", iamPath+pathOf("users", user, "attachedpolicies", policy), nil, nil, nil)
}

// PutUserPolicy makes an inline policy or replaces its document.
func (c *Client) PutUserPolicy(ctx context.Context, user, policy, document string) (*User, error) {
	return answer[User](ctx, c, "PUT", iamPath+pathOf("users", user, "policies", policy), nil, documentInput{document})
}

// UserPolicy returns one inline policy.
func (c *Client) UserPolicy(ctx context.Context, user, policy string) (*UserPolicy, error) {
	return answer[UserPolicy](ctx, c, "GET", iamPath+pathOf("users", user, "policies", policy), nil, nil)
}

// DeleteUserPolicy deletes an inline policy.
func (c *Client) DeleteUserPolicy(ctx context.Context, user, policy string) error {
	return c.call(ctx, "DELETE", iamPath+pathOf("users", user, "policies", policy), nil, nil, nil)
}

// Simulate decides about a request that nobody has made.
func (c *Client) Simulate(ctx context.Context, in SimulationInput) (*Simulation, error) {
	return answer[Simulation](ctx, c, "POST", iamPath+"/simulate", nil, in)
}
