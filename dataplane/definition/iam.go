package definition

import (
	"maps"
	"slices"
	"strings"
	"time"
)

// User is an internal caller: it signs its requests with one of its access keys
// (AWS Signature Version 4), and its policies say what it may call.
//
// Source: https://docs.aws.amazon.com/IAM/latest/APIReference/API_User.html
type User struct {
	Name        string            `json:"userName"` // 1 to 64 of [A-Za-z0-9_+=,.@-]
	ID          string            `json:"userId"`   // AIDA and 17 of [A-Z2-7]; never reused
	Path        string            `json:"path"`     // "/" or "/team/": a part of the ARN
	Tags        map[string]string `json:"tags,omitempty"`
	CreatedDate time.Time         `json:"createdDate"`

	Policies map[string]string `json:"policies,omitempty"`         // inline: name to document
	Attached []string          `json:"attachedPolicies,omitempty"` // names of ManagedPolicies, sorted
}

// AccessKey is what a user signs requests with.
type AccessKey struct {
	ID          string    `json:"accessKeyId"` // AKIA and 16 of [A-Z2-7]
	UserName    string    `json:"userName"`    // never changes, like the secret
	Secret      string    `json:"-"`           // 40 characters; never stored in clear
	Active      bool      `json:"active"`
	CreatedDate time.Time `json:"createdDate"`
}

// ManagedPolicy is a policy document that users can share.
type ManagedPolicy struct {
	Name        string    `json:"policyName"` // 1 to 128 of [A-Za-z0-9_+=,.@-]
	Document    string    `json:"policyDocument"`
	CreatedDate time.Time `json:"createdDate"`
	UpdatedDate time.Time `json:"updatedDate"`
}

// KeysOf returns the access keys of a user, sorted by id.
func (c *Catalog) KeysOf(userName string) []*AccessKey {
	var keys []*AccessKey
	for _, k := range c.AccessKeys {
		if k.UserName == userName {
			keys = append(keys, k)
		}
	}
	slices.SortFunc(keys, func(a, b *AccessKey) int { return strings.Compare(a.ID, b.ID) })
	return keys
}

// Attachments returns the names of the users that each managed policy is attached
// to, sorted.
func (c *Catalog) Attachments() map[string][]string {
	users := map[string][]string{}
	for _, name := range slices.Sorted(maps.Keys(c.Users)) {
		for _, p := range c.Users[name].Attached {
			users[p] = append(users[p], name)
		}
	}
	return users
}

func (c *Catalog) deletePrincipals(ch Change) {
	deleteAll(c.AccessKeys, ch.DeleteAccessKeys)
	deleteAll(c.Users, ch.DeleteUsers)
	deleteAll(c.Policies, ch.DeletePolicies)
}

func (c *Catalog) putPrincipals(ch Change) {
	for _, p := range ch.PutPolicies {
		c.Policies[p.Name] = p
	}
	for _, u := range ch.PutUsers {
		c.Users[u.Name] = u
	}
	for _, k := range ch.PutAccessKeys {
		c.AccessKeys[k.ID] = k
	}
}
