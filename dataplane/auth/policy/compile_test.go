package policy

import (
	"strings"
	"testing"
)

const api = "arn:aws:execute-api:us-east-1:123456789012:abc"

// document is a policy of statements: Compile reads what is written with single
// quotes as JSON.
func document(statements ...string) []byte {
	return quoted(`{'Version':'2012-10-17','Statement':[` + strings.Join(statements, ",") + `]}`)
}

func quoted(text string) []byte { return []byte(strings.ReplaceAll(text, "'", `"`)) }

func compile(t testing.TB, kind Kind, statements ...string) *Policy {
	t.Helper()
	p, err := Compile(document(statements...), Options{Kind: kind, API: api})
	if err != nil {
		t.Fatalf("%s: %v", statements, err)
	}
	return p
}

func TestCompileAccepts(t *testing.T) {
	for _, text := range []string{
		`{'Statement':[]}`,
		`{'Version':'2008-10-17','Id':'x','Statement':{'Effect':'Allow','Action':'*','Resource':'*'}}`,
		`{'Version':'2012-10-17','Statement':{'Sid':'','Effect':'Deny','NotAction':['s3:Get*','execute-api:invoke'],'NotResource':['arn:aws:s3:::b/*','arn:aws:execute-api:*']}}`,
		`{'Statement':{'Effect':'Allow','Action':'*:*','Resource':'arn:aws:execute-api:us-east-?:*:abc/*/GET/*'}}`,
		`{'Statement':{'Effect':'Allow','Action':'*','Resource':'*','Condition':{}}}`,
		`{'Statement':{'Effect':'Allow','Action':'*','Resource':'*','Condition':{'Bool':{'aws:SecureTransport':true},'NumericLessThan':{'aws:MultiFactorAuthAge':3600},
			'ForAnyValue:StringLikeIfExists':{'aws:PrincipalOrgPaths':['o-a/*','o-b/*']},'Null':{'aws:TokenIssueTime':'false'}}}}`,
	} {
		if _, err := Compile(quoted(text), Options{}); err != nil {
			t.Errorf("%s: %v", text, err)
		}
	}
	for _, principal := range []string{
		`'*'`, `{'AWS':'*'}`, `{'AWS':['123456789012','arn:aws:iam::123456789012:root','arn:aws:iam::123456789012:user/a/b']}`,
		`{'Service':'apigateway.amazonaws.com','Federated':['cognito-identity.amazonaws.com'],'CanonicalUser':'x'}`,
	} {
		text := `{'Statement':{'Effect':'Allow','Principal':` + principal + `,'Action':'execute-api:Invoke','Resource':'execute-api:/*/GET/pets'}}`
		if _, err := Compile(quoted(text), Options{Kind: Resource, API: api}); err != nil {
			t.Errorf("%s: %v", text, err)
		}
	}
}

func TestCompileRefuses(t *testing.T) {
	allow := func(more string) string {
		return `{'Statement':[{'Effect':'Allow','Action':'*','Resource':'*'},{'Effect':'Allow','Action':'*','Resource':'*'` + more + `}]}`
	}
	condition := func(text string) string { return allow(`,'Condition':` + text) }
	const rest = `,'Effect':'Allow'}}`
	for _, row := range []struct{ text, want string }{
		{``, "byte 0: unexpected end of JSON input"},
		{`{`, "byte 1: unexpected end of JSON input"},
		{`{'Statement':[]} x`, "byte 18: invalid character 'x' after top-level value"},
		{"{'Statement':'\xff'}", "not UTF-8"},
		{`[]`, "policy must be an object"},
		{`{}`, "policy has no Statement"},
		{`{'Version':'2012-10-17'}`, "policy has no Statement"},
		{`{'Version':'2012-10-18','Statement':[]}`, `Version: must be "2012-10-17" or "2008-10-17"`},
		{`{'Version':2012,'Statement':[]}`, "Version: must be a string"},
		{`{'Id':null,'Statement':[]}`, "Id: must be a string"},
		{`{'Statement':[],'Statement':[]}`, "Statement: given twice"},
		{`{'Statement':[],'statement':'a'}`, "statement: unknown element"},
		{`{'Statement':'Allow'}`, "Statement: must be an object"},
		{`{'Statement':[null]}`, "Statement[0]: must be an object"},
		{`{'Statement':[[[[[[[[[]]]]]]]]]}`, "Statement[0][0][0][0][0][0][0]: nested too deeply"},
		{`{'Statement':{}}`, "Statement: has no Effect"},
		{`{'Statement':{'Effect':'Allow'}}`, "Statement: has neither Action nor NotAction"},
		{`{'Statement':{'Effect':'Allow','Action':'*'}}`, "Statement: has neither Resource nor NotResource"},
		{`{'Statement':{'Effect':'allow'}}`, `Statement.Effect: must be "Allow" or "Deny"`},
		{`{'Statement':{'Effect':true}}`, `Statement.Effect: must be "Allow" or "Deny"`},
		{`{'Statement':{'Action':[]` + rest, "Statement.Action: is empty"},
		{`{'Statement':{'Action':['*',1]` + rest, "Statement.Action[1]: must be a string"},
		{`{'Statement':{'Action':'Invoke'` + rest, `Statement.Action: "Invoke" is not of the form service:Action`},
		{`{'Statement':{'Action':'execute-api:'` + rest, `Statement.Action: "execute-api:" is not of the form service:Action`},
		{`{'Statement':{'Action':'exec*:Invoke'` + rest, `Statement.Action: "exec*:Invoke" is not of the form service:Action`},
		{`{'Statement':{'Action':'execute-api:In voke'` + rest, `Statement.Action: "execute-api:In voke" is not of the form service:Action`},
		{`{'Statement':{'Action':'*','NotAction':'*'` + rest, "Statement.NotAction: stands beside Action"},
		{`{'Statement':{'Resource':'api/stage'` + rest, `Statement.Resource: "api/stage" is neither an ARN nor "*"`},
		{`{'Statement':{'Resource':'urn:aws:execute-api:r:a:x'` + rest, `Statement.Resource: "urn:aws:execute-api:r:a:x" does not begin with "arn:"`},
		{`{'Statement':{'Resource':'arn:aws:execute-api'` + rest, `Statement.Resource: "arn:aws:execute-api" is neither an ARN nor "*"`},
		{`{'Statement':{'Resource':'execute-api:/*'` + rest, "Statement.Resource: the short form is for policies of an API"},
		{`{'Statement':{'Resource':'*','NotResource':'*'` + rest, "Statement.NotResource: stands beside Resource"},
		{allow(`,'Principal':'*'`), "Statement[1]: has a principal, which is for resource policies"},
		{allow(`,'Sid':1`), "Statement[1].Sid: must be a string"},
		{allow(`,'Priority':1`), "Statement[1].Priority: unknown element"},
		{allow(`,'Condition':[]`), "Statement[1].Condition: must be an object"},
		{`{'Statement':[{'Sid':'a','Effect':'Allow','Action':'*','Resource':'*'},{'Sid':'a','Effect':'Allow','Action':'*','Resource':'*'}]}`, `Statement[1].Sid: "a" is given twice`},
		{condition(`{'StringEqual':{'aws:username':'a'}}`), "Statement[1].Condition.StringEqual: unknown operator"},
		{condition(`{'stringEquals':{'aws:username':'a'}}`), "Statement[1].Condition.stringEquals: unknown operator"},
		{condition(`{'BinaryEquals':{'aws:username':'a'}}`), "Statement[1].Condition.BinaryEquals: unknown operator"},
		{condition(`{'NullIfExists':{'aws:username':'true'}}`), "Statement[1].Condition.NullIfExists: unknown operator"},
		{condition(`{'ForSome:StringEquals':{'aws:username':'a'}}`), "Statement[1].Condition.ForSome:StringEquals: unknown operator"},
		{condition(`{'StringEquals':'a'}`), "Statement[1].Condition.StringEquals: must be an object of keys and values"},
		{condition(`{'StringEquals':{}}`), "Statement[1].Condition.StringEquals: must be an object of keys and values"},
		{condition(`{'StringEquals':{'username':'a'}}`), "Statement[1].Condition.StringEquals.username: not a condition key"},
		{condition(`{'StringEquals':{'aws:username':[]}}`), "Statement[1].Condition.StringEquals.aws:username: has no values"},
		{condition(`{'StringEquals':{'aws:username':['a',null]}}`), "Statement[1].Condition.StringEquals.aws:username[1]: must be a string, number or bool"},
		{condition(`{'IpAddress':{'aws:SourceIp':'10.0.0.0/33'}}`), `Statement[1].Condition.IpAddress.aws:SourceIp: "10.0.0.0/33" is neither an address nor a prefix`},
		{condition(`{'IpAddress':{'aws:SourceIp':['10.0.0.1','fe80::1%eth0']}}`), `Statement[1].Condition.IpAddress.aws:SourceIp[1]: "fe80::1%eth0" is neither an address nor a prefix`},
		{condition(`{'NumericEquals':{'a:b':'0x10'}}`), `Statement[1].Condition.NumericEquals.a:b: "0x10" is not a number`},
		{condition(`{'NumericEquals':{'a:b':''}}`), `Statement[1].Condition.NumericEquals.a:b: "" is not a number`},
		{condition(`{'DateLessThan':{'aws:CurrentTime':'tomorrow'}}`), `Statement[1].Condition.DateLessThan.aws:CurrentTime: "tomorrow" is not a date`},
		{condition(`{'Bool':{'aws:SecureTransport':'yes'}}`), `Statement[1].Condition.Bool.aws:SecureTransport: "yes" is neither true nor false`},
		{condition(`{'ArnLike':{'aws:SourceArn':'abc'}}`), `Statement[1].Condition.ArnLike.aws:SourceArn: "abc" is neither an ARN nor "*"`},
		{condition(`{'StringLike':{'aws:username':'*a?` + strings.Repeat("x", 63) + `*'}}`), "Statement[1].Condition.StringLike.aws:username: more than 64 characters between two asterisks, with a question mark among them"},
		{`{'Statement':[{'Effect':'Allow','Action':'*','Resource':'` + strings.Repeat("x", MaxBytes) + `'}]}`, "policy has 65597 bytes, more than 65536"},
	} {
		if _, err := Compile(quoted(row.text), Options{}); err == nil || err.Error() != row.want {
			t.Errorf("%.200s:\n got %v\nwant %s", row.text, err, row.want)
		}
	}
}

func TestCompileRefusesPrincipals(t *testing.T) {
	for _, row := range []struct{ principal, want string }{
		{`'a'`, `Statement.Principal: must be "*" or an object such as {"AWS": "*"}`},
		{`{}`, `Statement.Principal: must be "*" or an object such as {"AWS": "*"}`},
		{`{'AWS':[]}`, "Statement.Principal.AWS: is empty"},
		{`{'aws':'*'}`, "Statement.Principal.aws: unknown kind of principal"},
		{`{'AWS':'12345678901'}`, `Statement.Principal.AWS: "12345678901" is neither "*", an account nor the ARN of a principal`},
		{`{'AWS':'arn:aws:iam::123456789012:user/*'}`, `Statement.Principal.AWS: "arn:aws:iam::123456789012:user/*" is neither "*", an account nor the ARN of a principal`},
		{`{'AWS':'arn:aws:iam::123456789012:'}`, `Statement.Principal.AWS: "arn:aws:iam::123456789012:" is neither "*", an account nor the ARN of a principal`},
	} {
		text := `{'Statement':{'Effect':'Allow','Action':'*','Resource':'*','Principal':` + row.principal + `}}`
		if _, err := Compile(quoted(text), Options{Kind: Resource}); err == nil || err.Error() != row.want {
			t.Errorf("%s:\n got %v\nwant %s", row.principal, err, row.want)
		}
	}
	const want = "Statement: has neither Principal nor NotPrincipal"
	if _, err := Compile(quoted(`{'Statement':{'Effect':'Allow','Action':'*','Resource':'*'}}`), Options{Kind: Resource}); err == nil || err.Error() != want {
		t.Errorf("got %v, want %s", err, want)
	}
}
