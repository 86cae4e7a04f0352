package policy

import (
	"net/netip"
	"testing"
	"time"
)

var at = time.Date(2026, 11, 22, 10, 20, 11, 0, time.UTC)

// caller is a request with every key.
func caller() *Context {
	return &Context{
		PrincipalARN: "arn:aws:iam::123456789012:user/team/ann", PrincipalAccount: "123456789012", PrincipalType: "User",
		Username: "ann", UserID: "AIDAEXAMPLE", PrincipalTags: map[string]string{"team": "Blue", "empty": ""},
		SourceIP: netip.MustParseAddr("203.0.113.7"), VPCSourceIP: netip.MustParseAddr("2001:db8::7"),
		SourceVPC: "vpc-1", SourceVPCE: "vpce-1", SourceARN: "arn:aws:sns:us-east-1:123456789012:topic",
		UserAgent: "curl/8.0", Referer: "https://example.com/a", SecureTransport: true, Now: at.UnixNano(),
		Other: map[string][]string{"aws:tagkeys": {"a", "b"}, "x:number": {"12.5"}, "x:date": {"2026-11-22"}, "x:ip": {"10.1.2.3"}, "x:bool": {"True"}},
	}
}

func TestConditions(t *testing.T) {
	for _, row := range []struct {
		condition string
		want      bool
	}{
		{`'StringEquals':{'aws:username':'ann'}`, true},
		{`'StringEquals':{'AWS:UserName':'ann'}`, true},
		{`'StringEquals':{'aws:username':['bob','ann']}`, true},
		{`'StringEquals':{'aws:username':'Ann'}`, false},
		{`'StringEquals':{'aws:username':'a*'}`, false},
		{`'StringEquals':{'aws:username':'ann','aws:userid':'AIDAEXAMPLE'}`, true},
		{`'StringEquals':{'aws:username':'ann','aws:userid':'other'}`, false},
		{`'StringEquals':{'aws:username':'ann'},'Bool':{'aws:SecureTransport':'false'}`, false},
		{`'StringNotEquals':{'aws:username':['bob','ann']}`, false},
		{`'StringNotEquals':{'aws:username':['bob','eve']}`, true},
		{`'StringEqualsIgnoreCase':{'aws:username':'ANN'}`, true},
		{`'StringNotEqualsIgnoreCase':{'aws:username':'ANN'}`, false},
		{`'StringLike':{'aws:UserAgent':'curl/*'}`, true},
		{`'StringLike':{'aws:Referer':'https://*.com/?'}`, true},
		{`'StringNotLike':{'aws:UserAgent':['wget/*','curl/?.?']}`, false},
		{`'StringEquals':{'aws:PrincipalTag/Team':'Blue'}`, true},
		{`'StringEquals':{'aws:PrincipalTag/team':'blue'}`, false},
		{`'StringEquals':{'aws:PrincipalTag/empty':''}`, true},
		{`'StringEquals':{'aws:PrincipalType':'User','aws:PrincipalAccount':'123456789012','aws:SourceVpc':'vpc-1','aws:SourceVpce':['vpce-0','vpce-1']}`, true},
		{`'StringEquals':{'aws:SourceIp':'203.0.113.7','aws:SecureTransport':'true','aws:CurrentTime':'2026-11-22T10:20:11Z','aws:EpochTime':'1795342811'}`, true},

		{`'NumericEquals':{'x:number':'12.50'}`, true},
		{`'NumericNotEquals':{'x:number':12.5}`, false},
		{`'NumericLessThan':{'x:number':12.5}`, false},
		{`'NumericLessThanEquals':{'x:number':12.5}`, true},
		{`'NumericGreaterThan':{'x:number':['100','12']}`, true},
		{`'NumericGreaterThanEquals':{'x:number':'12.6'}`, false},
		{`'NumericLessThan':{'aws:EpochTime':1795342812}`, true},
		{`'NumericEquals':{'aws:username':'1'}`, false},
		{`'NumericNotEquals':{'aws:username':'1'}`, true},

		{`'DateGreaterThan':{'aws:CurrentTime':'2026-11-22T10:20:10Z'},'DateLessThan':{'aws:CurrentTime':'2026-11-22T11:20:12+01:00'}`, true},
		{`'DateGreaterThan':{'aws:CurrentTime':'2026-11-22T10:20:11Z'}`, false},
		{`'DateGreaterThanEquals':{'aws:CurrentTime':'2026-11-22T10:20:11Z'}`, true},
		{`'DateLessThan':{'aws:CurrentTime':'2026-11-22'}`, false},
		{`'DateLessThanEquals':{'aws:EpochTime':'1795342811'}`, true},
		{`'DateEquals':{'x:date':'2026-11-22T00:00:00Z'}`, true},
		{`'DateNotEquals':{'x:date':'2026-11-22T00:00:00Z'}`, false},
		{`'DateLessThan':{'aws:CurrentTime':'9999-12-31T23:59:59Z'}`, true},

		{`'Bool':{'aws:SecureTransport':'true'}`, true},
		{`'Bool':{'aws:SecureTransport':false}`, false},
		{`'Bool':{'x:bool':'true'}`, true},
		{`'Bool':{'aws:username':'true'}`, false},

		{`'IpAddress':{'aws:SourceIp':'203.0.113.0/24'}`, true},
		{`'IpAddress':{'aws:SourceIp':'203.0.113.99/24'}`, true},
		{`'IpAddress':{'aws:SourceIp':['10.0.0.0/8','203.0.113.7']}`, true},
		{`'IpAddress':{'aws:SourceIp':['10.0.0.0/8','2001:db8::/32']}`, false},
		{`'NotIpAddress':{'aws:SourceIp':['10.0.0.0/8','203.0.113.7']}`, false},
		{`'NotIpAddress':{'aws:SourceIp':'10.0.0.0/8'}`, true},
		{`'IpAddress':{'aws:VpcSourceIp':'2001:db8::/32'}`, true},
		{`'IpAddress':{'x:ip':'10.0.0.0/8'}`, true},
		{`'IpAddress':{'aws:username':'0.0.0.0/0'}`, false},
		{`'NotIpAddress':{'aws:username':'0.0.0.0/0'}`, true},

		{`'ArnEquals':{'aws:SourceArn':'arn:aws:sns:us-east-1:123456789012:topic'}`, true},
		{`'ArnLike':{'aws:SourceArn':'arn:aws:sns:*:*:t*'}`, true},
		{`'ArnEquals':{'aws:PrincipalArn':'arn:aws:iam::*:user/team/*'}`, true},
		{`'ArnNotEquals':{'aws:SourceArn':'arn:aws:sns:*:*:t*'}`, false},
		{`'ArnNotLike':{'aws:SourceArn':'arn:aws:sqs:*:*:t*'}`, true},
		{`'ArnLike':{'aws:username':'*'}`, false},

		// Missing keys.
		{`'StringEquals':{'x:none':'a'}`, false},
		{`'StringLike':{'x:none':'*'}`, false},
		{`'StringNotEquals':{'x:none':'a'}`, true},
		{`'StringNotLike':{'aws:PrincipalTag/none':'*'}`, true},
		{`'NumericNotEquals':{'x:none':1}`, true},
		{`'DateNotEquals':{'x:none':'2026-01-01'}`, true},
		{`'NotIpAddress':{'x:none':'10.0.0.0/8'}`, true},
		{`'IpAddress':{'x:none':'0.0.0.0/0'}`, false},
		{`'ArnNotLike':{'x:none':'*'}`, true},
		{`'Bool':{'x:none':'false'}`, false},
		{`'StringEqualsIfExists':{'x:none':'a'}`, true},
		{`'StringEqualsIfExists':{'aws:username':'a'}`, false},
		{`'IpAddressIfExists':{'aws:SourceIp':'10.0.0.0/8'}`, false},
		{`'BoolIfExists':{'x:none':'true'}`, true},
		{`'Null':{'x:none':'true'}`, true},
		{`'Null':{'x:none':'false'}`, false},
		{`'Null':{'aws:username':false}`, true},
		{`'Null':{'aws:username':true}`, false},
		{`'Null':{'aws:PrincipalTag/empty':'false'}`, true},
		{`'Null':{'aws:username':['true','false']}`, true},

		// Several values.
		{`'StringEquals':{'aws:TagKeys':'b'}`, true},
		{`'StringNotEquals':{'aws:TagKeys':'b'}`, false},
		{`'ForAnyValue:StringEquals':{'aws:TagKeys':['b','c']}`, true},
		{`'ForAnyValue:StringEquals':{'aws:TagKeys':['c','d']}`, false},
		{`'ForAnyValue:StringNotEquals':{'aws:TagKeys':['a']}`, true},
		{`'ForAnyValue:StringNotEquals':{'aws:TagKeys':['a','b']}`, false},
		{`'ForAllValues:StringEquals':{'aws:TagKeys':['a','b','c']}`, true},
		{`'ForAllValues:StringEquals':{'aws:TagKeys':['a']}`, false},
		{`'ForAllValues:StringNotEquals':{'aws:TagKeys':['c']}`, true},
		{`'ForAllValues:StringNotEquals':{'aws:TagKeys':['a']}`, false},
		{`'ForAllValues:StringLike':{'x:none':'a'}`, true},
		{`'ForAnyValue:StringLike':{'x:none':'*'}`, false},
		{`'ForAnyValue:StringNotLike':{'x:none':'*'}`, false},
		{`'ForAnyValue:StringLikeIfExists':{'x:none':'a'}`, true},
		{`'ForAllValues:StringEquals':{'aws:username':'ann'}`, true},
	} {
		p := compile(t, Identity, `{'Effect':'Allow','Action':'*','Resource':'*','Condition':{`+row.condition+`}}`)
		if got := p.Evaluate(Invoke, api+"/prod/GET/", caller()) == Allow; got != row.want {
			t.Errorf("%s: %t", row.condition, got)
		}
	}
}

// A caller of whom nothing is known has no keys but those of the request.
func TestAnonymousKeys(t *testing.T) {
	for _, name := range []string{"aws:PrincipalArn", "aws:PrincipalAccount", "aws:PrincipalType", "aws:username", "aws:userid", "aws:PrincipalTag/a",
		"aws:SourceIp", "aws:VpcSourceIp", "aws:SourceVpc", "aws:SourceVpce", "aws:SourceArn", "aws:UserAgent", "aws:Referer", "aws:PrincipalOrgID"} {
		p := compile(t, Identity, `{'Effect':'Allow','Action':'*','Resource':'*','Condition':{'Null':{'`+name+`':'true'}}}`)
		if got := p.Evaluate(Invoke, api+"/prod/GET/", &Context{}); got != Allow {
			t.Errorf("%s is there", name)
		}
	}
	for _, name := range []string{"aws:SecureTransport", "aws:CurrentTime", "aws:EpochTime"} {
		p := compile(t, Identity, `{'Effect':'Allow','Action':'*','Resource':'*','Condition':{'Null':{'`+name+`':'false'}}}`)
		if got := p.Evaluate(Invoke, api+"/prod/GET/", &Context{}); got != Allow {
			t.Errorf("%s is missing", name)
		}
	}
}

func TestAddressForms(t *testing.T) {
	p := compile(t, Identity, `{'Effect':'Allow','Action':'*','Resource':'*','Condition':{'IpAddress':{'aws:SourceIp':['10.0.0.0/8','fe80::/10']}}}`)
	for text, want := range map[string]Decision{"10.1.2.3": Allow, "::ffff:10.1.2.3": Allow, "fe80::1%eth0": Allow, "11.1.2.3": ImplicitDeny, "::10.1.2.3": ImplicitDeny} {
		if got := p.Evaluate(Invoke, api+"/prod/GET/", &Context{SourceIP: netip.MustParseAddr(text)}); got != want {
			t.Errorf("%s: %v", text, got)
		}
	}
}

func TestParseDate(t *testing.T) {
	for text, want := range map[string]string{
		"2026-11-22T10:20:11Z": "2026-11-22T10:20:11Z", "2026-11-22T10:20:11.5+01:00": "2026-11-22T09:20:11Z", "2026-11-22T10:20Z": "2026-11-22T10:20:00Z",
		"2026-11-22T10:20+01:00": "2026-11-22T09:20:00Z", "2026-11-22": "2026-11-22T00:00:00Z", "2026-11": "2026-11-01T00:00:00Z",
		"1795342811": "2026-11-22T10:20:11Z", "-86400": "1969-12-31T00:00:00Z", "20261": "1970-01-01T05:37:41Z",
		"2026": "", "": "", "2026-13-01": "", "2026-02-30": "", "2026-11-22 10:20:11": "", "2026-11-22T10:20:11": "", "2026-1-1": "", "x": "", "1e9": "",
	} {
		d, ok := parseDate(text)
		if got := d.UTC().Format(time.RFC3339); ok != (want != "") || ok && got != want {
			t.Errorf("%q: %s, %t", text, got, ok)
		}
	}
}
