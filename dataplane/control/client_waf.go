package control

import (
	"context"
	"net/url"
	"strconv"
)

const wafPath = "/tidegate/waf"

// PutWebACL makes a web ACL, or replaces its document for all stages that have it.
func (c *Client) PutWebACL(ctx context.Context, name string, in WebACLInput) (*WebACL, error) {
	return answer[WebACL](ctx, c, "PUT", wafPath+pathOf("webacls", name), nil, in)
}

// WebACLs lists all web ACLs by name, without their documents.
func (c *Client) WebACLs(ctx context.Context) ([]WebACL, error) {
	return all[WebACL](ctx, c, wafPath+"/webacls", url.Values{})
}

// WebACL returns one web ACL.
func (c *Client) WebACL(ctx context.Context, name string) (*WebACL, error) {
	return answer[WebACL](ctx, c, "GET", wafPath+pathOf("webacls", name), nil, nil)
}

// DeleteWebACL deletes a web ACL that no stage has.
func (c *Client) DeleteWebACL(ctx context.Context, name string) error {
	return c.call(ctx, "DELETE", wafPath+pathOf("webacls", name), nil, nil, nil)
}

// AttachWebACL has a web ACL protect a stage, in place of another one. It is named
// by its name, ARN or id; empty leaves the stage without.
func (c *Client) AttachWebACL(ctx context.Context, apiID, stage, webACL string) (*Stage, error) {
	op := PatchOperation{Op: "replace", Path: webACLPath, Value: webACL}
	if webACL == "" {
		op.Op = "remove"
	}
	return c.UpdateStage(ctx, apiID, stage, op)
}

// WAFStats returns what all web ACLs have done.
func (c *Client) WAFStats(ctx context.Context) (*WAFStats, error) {
	return answer[WAFStats](ctx, c, "GET", wafPath+"/stats", nil, nil)
}

// WAFSamples returns requests that a web ACL has seen lately, the newest first.
func (c *Client) WAFSamples(ctx context.Context, webACL string) ([]SampledRequest, error) {
	list, err := answer[List[SampledRequest]](ctx, c, "GET", wafPath+pathOf("webacls", webACL, "samples"), nil, nil)
	if err != nil {
		return nil, err
	}
	return list.Items, nil
}

// PutIPSet makes an IP set, or changes what is given of one.
func (c *Client) PutIPSet(ctx context.Context, name string, in IPSetInput) (*IPSet, error) {
	return answer[IPSet](ctx, c, "PUT", wafPath+pathOf("ipsets", name), nil, in)
}

// PutIPSetText is PutIPSet with the addresses as a text of one a line, and without
// Addresses and Tags.
func (c *Client) PutIPSetText(ctx context.Context, name string, addresses []byte, in IPSetInput) (*IPSet, error) {
	q := url.Values{"format": {"text"}}
	if in.IPAddressVersion != "" {
		q.Set("ipAddressVersion", in.IPAddressVersion)
	}
	if in.Description != nil {
		q.Set("description", *in.Description)
	}
	if in.KernelGate != nil {
		q.Set("kernelGate", strconv.FormatBool(*in.KernelGate))
	}
	return answer[IPSet](ctx, c, "PUT", wafPath+pathOf("ipsets", name), q, addresses)
}

// ChangeIPSet adds addresses to an IP set and removes others.
func (c *Client) ChangeIPSet(ctx context.Context, name string, add, remove []string) (*IPSet, error) {
	in := map[string][]string{"add": add, "remove": remove}
	return answer[IPSet](ctx, c, "PATCH", wafPath+pathOf("ipsets", name, "addresses"), nil, in)
}

// IPSets lists all IP sets by name.
func (c *Client) IPSets(ctx context.Context) ([]IPSet, error) {
	return all[IPSet](ctx, c, wafPath+"/ipsets", url.Values{})
}

// IPSet returns one IP set.
func (c *Client) IPSet(ctx context.Context, name string) (*IPSet, error) {
	return answer[IPSet](ctx, c, "GET", wafPath+pathOf("ipsets", name), nil, nil)
}

// IPSetAddresses calls f with the addresses of an IP set in order, some thousands
// at a time, until it returns an error.
func (c *Client) IPSetAddresses(ctx context.Context, name string, f func([]string) error) error {
	q := url.Values{"limit": {strconv.Itoa(maxAddresses)}}
	for {
		list, err := answer[List[string]](ctx, c, "GET", wafPath+pathOf("ipsets", name, "addresses"), q, nil)
		if err != nil {
			return err
		}
		if err := f(list.Items); err != nil || list.Position == "" {
			return err
		}
		q.Set("position", list.Position)
	}
}

// DeleteIPSet deletes an IP set that no web ACL names.
func (c *Client) DeleteIPSet(ctx context.Context, name string) error {
	return c.call(ctx, "DELETE", wafPath+pathOf("ipsets", name), nil, nil, nil)
}

// PutRegexPatternSet makes a regex pattern set, or replaces its expressions.
func (c *Client) PutRegexPatternSet(ctx context.Context, name string, in RegexPatternSetInput) (*RegexPatternSet, error) {
	return answer[RegexPatternSet](ctx, c, "PUT", wafPath+pathOf("regexpatternsets", name), nil, in)
}

// RegexPatternSets lists all regex pattern sets by name.
func (c *Client) RegexPatternSets(ctx context.Context) ([]RegexPatternSet, error) {
	return all[RegexPatternSet](ctx, c, wafPath+"/regexpatternsets", url.Values{})
}

// RegexPatternSet returns one regex pattern set.
func (c *Client) RegexPatternSet(ctx context.Context, name string) (*RegexPatternSet, error) {
	return answer[RegexPatternSet](ctx, c, "GET", wafPath+pathOf("regexpatternsets", name), nil, nil)
}

// DeleteRegexPatternSet deletes a regex pattern set that no web ACL names.
func (c *Client) DeleteRegexPatternSet(ctx context.Context, name string) error {
	return c.call(ctx, "DELETE", wafPath+pathOf("regexpatternsets", name), nil, nil, nil)
}
