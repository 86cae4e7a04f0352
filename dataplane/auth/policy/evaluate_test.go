package policy

import (
	"fmt"
	"math/rand/v2"
	"testing"
)

func TestEvaluate(t *testing.T) {
	const pets = api + "/prod/GET/pets"
	for _, row := range []struct {
		name      string
		statement string
		action    Action
		resource  string
		want      Decision
	}{
		{"all", `{'Effect':'Allow','Action':'*','Resource':'*'}`, Invoke, pets, Allow},
		{"action in any case", `{'Effect':'Allow','Action':'EXECUTE-API:invoke','Resource':'*'}`, Invoke, pets, Allow},
		{"another action", `{'Effect':'Allow','Action':'execute-api:Invoke','Resource':'*'}`, InvalidateCache, pets, ImplicitDeny},
		{"wildcard in an action", `{'Effect':'Allow','Action':'execute-api:Inv*','Resource':'*'}`, InvalidateCache, pets, Allow},
		{"wildcard in an action", `{'Effect':'Allow','Action':'execute-api:Inv*','Resource':'*'}`, ManageConnections, pets, ImplicitDeny},
		{"question mark in an action", `{'Effect':'Allow','Action':'execute-api:Invok?','Resource':'*'}`, Invoke, pets, Allow},
		{"actions of other services", `{'Effect':'Allow','Action':['s3:*','lambda:Invoke'],'Resource':'*'}`, Invoke, pets, ImplicitDeny},
		{"not action", `{'Effect':'Allow','NotAction':'execute-api:InvalidateCache','Resource':'*'}`, Invoke, pets, Allow},
		{"not action", `{'Effect':'Allow','NotAction':'execute-api:Inv*','Resource':'*'}`, Invoke, pets, ImplicitDeny},
		{"stage", `{'Effect':'Allow','Action':'*','Resource':'` + api + `/prod/*'}`, Invoke, pets, Allow},
		{"another stage", `{'Effect':'Allow','Action':'*','Resource':'` + api + `/test/*'}`, Invoke, pets, ImplicitDeny},
		{"one of many", `{'Effect':'Allow','Action':'*','Resource':['` + api + `/test/*','` + pets + `']}`, Invoke, pets, Allow},
		{"not resource", `{'Effect':'Deny','Action':'*','NotResource':'` + api + `/prod/*'}`, Invoke, pets, ImplicitDeny},
		{"not resource", `{'Effect':'Deny','Action':'*','NotResource':['` + api + `/test/*','` + api + `/dev/*']}`, Invoke, pets, ExplicitDeny},
		{"connections", `{'Effect':'Allow','Action':'execute-api:ManageConnections','Resource':'` + api + `/prod/POST/@connections/*'}`, ManageConnections, api + "/prod/POST/@connections/a=", Allow},
		{"websocket route", `{'Effect':'Allow','Action':'execute-api:Invoke','Resource':'` + api + `/prod/$connect'}`, Invoke, api + "/prod/$connect", Allow},
		{"no ARN", `{'Effect':'Allow','Action':'*','Resource':'*'}`, Invoke, "abc/prod/GET/pets", ExplicitDeny},
	} {
		if got := compile(t, Identity, row.statement).Evaluate(row.action, row.resource, caller()); got != row.want {
			t.Errorf("%s: %v\n%s", row.name, got, row.statement)
		}
	}
	if got := (*Policy)(nil).Evaluate(Invoke, pets, caller()); got != ImplicitDeny {
		t.Errorf("no policy: %v", got)
	}
	if got := compile(t, Identity).Evaluate(Invoke, pets, caller()); got != ImplicitDeny {
		t.Errorf("no statements: %v", got)
	}
}

func TestAllows(t *testing.T) {
	const allow, deny = `{"Effect":"Allow","Action":"s3:*","Resource":"*"}`, `{"Effect":"Deny","Action":"*","Resource":"*"}`
	for statements, want := range map[string]bool{"": false, deny: false, deny + "," + deny: false, allow: true, deny + "," + allow: true} {
		p, err := Compile([]byte(`{"Statement":[`+statements+`]}`), Options{Kind: Identity})
		if err != nil || p.Allows() != want {
			t.Errorf("%s: %v, %v", statements, p.Allows(), err)
		}
	}
	if (*Policy)(nil).Allows() {
		t.Error("no policy allows")
	}
}

func TestPrincipals(t *testing.T) {
	anonymous := &Context{}
	for _, row := range []struct {
		principal string
		caller    *Context
		want      Decision
	}{
		{`'Principal':'*'`, anonymous, Allow},
		{`'Principal':{'AWS':'*'}`, anonymous, Allow},
		{`'Principal':{'AWS':['arn:aws:iam::123456789012:user/bob','*']}`, anonymous, Allow},
		{`'Principal':{'AWS':'123456789012'}`, anonymous, ImplicitDeny},
		{`'Principal':{'AWS':'123456789012'}`, caller(), Allow},
		{`'Principal':{'AWS':'arn:aws:iam::123456789012:root'}`, caller(), Allow},
		{`'Principal':{'AWS':'210987654321'}`, caller(), ImplicitDeny},
		{`'Principal':{'AWS':'arn:aws:iam::123456789012:user/team/ann'}`, caller(), Allow},
		{`'Principal':{'AWS':'arn:aws:iam::123456789012:user/ann'}`, caller(), ImplicitDeny},
		{`'Principal':{'Service':'apigateway.amazonaws.com'}`, caller(), ImplicitDeny},
		{`'NotPrincipal':{'AWS':'arn:aws:iam::123456789012:user/team/ann'}`, caller(), ImplicitDeny},
		{`'NotPrincipal':{'AWS':'arn:aws:iam::123456789012:user/team/ann'}`, anonymous, Allow},
		{`'NotPrincipal':'*'`, anonymous, ImplicitDeny},
	} {
		p := compile(t, Resource, `{'Effect':'Allow','Action':'execute-api:Invoke','Resource':'execute-api:/prod/GET/*',`+row.principal+`}`)
		if got := p.Evaluate(Invoke, api+"/prod/GET/pets", row.caller); got != row.want {
			t.Errorf("%s: %v", row.principal, got)
		}
		if got := p.Evaluate(Invoke, api+"/test/GET/pets", row.caller); got != ImplicitDeny {
			t.Errorf("%s: short form at another stage: %v", row.principal, got)
		}
		if got := p.Evaluate(Invoke, "arn:aws:execute-api:us-east-1:123456789012:other/prod/GET/pets", row.caller); got != ImplicitDeny {
			t.Errorf("%s: short form at another API: %v", row.principal, got)
		}
	}
}

func TestVariables(t *testing.T) {
	values := map[string]string{"aws:username": "a*n", "aws:principaltag/team": "blue", "aws:userid": "A:B"}
	for _, row := range []struct {
		statement, resource string
		want                Decision
	}{
		{`'Resource':'` + api + `/prod/GET/${aws:username}/*'`, api + "/prod/GET/a*n/x", Allow},
		{`'Resource':'` + api + `/prod/GET/${aws:username}/*'`, api + "/prod/GET/ann/x", ImplicitDeny}, // its asterisk is none
		{`'Resource':'` + api + `/prod/GET/${AWS:PrincipalTag/Team}'`, api + "/prod/GET/blue", Allow},
		{`'Resource':'` + api + `/prod/GET/${aws:none, 'public'}'`, api + "/prod/GET/public", Allow},
		{`'Resource':'` + api + `/prod/GET/a${*}b${?}c${$}'`, api + "/prod/GET/a*b?c$", Allow},
		{`'Resource':'` + api + `/prod/GET/a${*}'`, api + "/prod/GET/ab", ImplicitDeny},
		{`'Resource':'arn:aws:execute-api:us-east-1:${aws:userid}:*'`, "arn:aws:execute-api:us-east-1:A:B:abc/x", ImplicitDeny}, // nor is its colon
		{`'Resource':'*','Condition':{'StringEquals':{'aws:username':'${aws:PrincipalTag/team}'}}`, api + "/prod/GET/", ImplicitDeny},
		{`'Resource':'*','Condition':{'StringLike':{'aws:PrincipalTag/team':'B${*}*'}}`, api + "/prod/GET/", ImplicitDeny},
		{`'Resource':'*','Condition':{'StringNotEquals':{'aws:username':'${aws:PrincipalTag/team}'}}`, api + "/prod/GET/", Allow},
	} {
		text := []byte(`{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"*",` + replaceQuotes(row.statement) + `}}`)
		p, err := Compile(text, Options{Variables: values})
		if err != nil {
			t.Fatalf("%s: %v", row.statement, err)
		}
		if got := p.Evaluate(Invoke, row.resource, caller()); got != row.want {
			t.Errorf("%s on %s: %v", row.statement, row.resource, got)
		}
	}
	for _, row := range []struct{ resource, want string }{
		{"${aws:none}", `Statement.Resource: the policy variable "aws:none" has no value here`},
		{"a${aws:username", `Statement.Resource: unclosed variable in "${aws:username"`},
	} {
		text := quoted(`{'Version':'2012-10-17','Statement':{'Effect':'Allow','Action':'*','Resource':'` + api + `/` + row.resource + `'}}`)
		if _, err := Compile(text, Options{Variables: values}); err == nil || err.Error() != row.want {
			t.Errorf("%s: %v", row.resource, err)
		}
	}
	old := quoted(`{'Statement':{'Effect':'Allow','Action':'*','Resource':'` + api + `/${aws:username}'}}`)
	p, err := Compile(old, Options{Variables: values})
	if err != nil || p.Evaluate(Invoke, api+"/${aws:username}", caller()) != Allow {
		t.Errorf("before 2012-10-17 there were no variables: %v", err)
	}
}

func TestAnyTag(t *testing.T) {
	for resource, want := range map[string]string{
		"${aws:PrincipalTag/team}/${ AWS:principaltag/x }": "",
		"${aws:username}": `Statement[0].Resource: the policy variable "aws:username" has no value here`,
	} {
		text := document(`{'Effect':'Allow','Action':'*','Resource':'` + api + `/` + resource + `'}`)
		if _, err := Compile(text, Options{AnyTag: true}); want == "" && err != nil || want != "" && (err == nil || err.Error() != want) {
			t.Errorf("%s: %v", resource, err)
		}
	}
}

func TestExplain(t *testing.T) {
	allow := func(stage string) string {
		return `{'Effect':'Allow','Action':'*','Resource':'` + api + `/` + stage + `/*'}`
	}
	const deny = `{'Effect':'Deny','Action':'*','Resource':'` + api + `/*/DELETE/*'}`
	p := compile(t, Identity, allow("test"), allow("prod"), allow("prod"), deny, deny)
	for _, row := range []struct {
		resource  string
		decision  Decision
		statement int
	}{
		{api + "/prod/GET/x", Allow, 1},
		{api + "/test/GET/x", Allow, 0},
		{api + "/prod/DELETE/x", ExplicitDeny, 3},
		{api + "/dev/GET/x", ImplicitDeny, -1},
		{"no ARN", ExplicitDeny, -1},
	} {
		if d, n := p.Explain(Invoke, row.resource, caller()); d != row.decision || n != row.statement {
			t.Errorf("%s: %v by statement %d", row.resource, d, n)
		}
	}
	if d, n := (*Policy)(nil).Explain(Invoke, api, caller()); d != ImplicitDeny || n != -1 {
		t.Errorf("no policy: %v by statement %d", d, n)
	}
}

// replaceQuotes makes single quotes JSON's, but for those of a default.
func replaceQuotes(text string) string {
	out := []byte(text)
	inside := false
	for i := range out {
		switch {
		case out[i] == '{' && i > 0 && out[i-1] == '$':
			inside = true
		case out[i] == '}':
			inside = false
		case out[i] == '\'' && !inside:
			out[i] = '"'
		}
	}
	return string(out)
}

// randomStatement is about few enough things that statements often apply.
func randomStatement(r *rand.Rand, effect string) string {
	pick := func(texts ...string) string { return texts[r.IntN(len(texts))] }
	s := fmt.Sprintf(`{'Effect':'%s','%sAction':'%s','%sResource':'%s'`, effect,
		pick("", "", "Not"), pick("*", "execute-api:*", "execute-api:Invoke", "execute-api:I*", "s3:*"),
		pick("", "", "Not"), pick("*", api+"/*", api+"/prod/GET/*", api+"/*/?ET/pets", "arn:aws:s3:*"))
	if r.IntN(2) == 0 {
		s += `,'Condition':{` + pick(`'StringEquals':{'aws:username':['ann','bob']}`, `'IpAddress':{'aws:SourceIp':'203.0.113.0/24'}`,
			`'Bool':{'aws:SecureTransport':'true'}`, `'StringNotLike':{'aws:username':'a*'}`, `'Null':{'aws:SourceVpce':'true'}`) + `}`
	}
	return s + `}`
}

// A statement that denies wins over whatever else is said, in any order; one
// that allows never turns a deny; and each statement counts by itself.
func TestDenyAlwaysWins(t *testing.T) {
	r := rand.New(rand.NewPCG(5, 6))
	seen := map[Decision]int{}
	for range 1500 {
		var texts []string
		var singles []*Policy
		want := ImplicitDeny
		action := []Action{Invoke, InvalidateCache, ManageConnections}[r.IntN(3)]
		resource := []string{api + "/prod/GET/pets", api + "/test/POST/", "arn:aws:execute-api:eu-west-1:1:x/y"}[r.IntN(3)]
		c := caller()
		if r.IntN(2) == 0 {
			c = &Context{Username: "bob", SecureTransport: true}
		}
		for range r.IntN(6) {
			texts = append(texts, randomStatement(r, []string{"Allow", "Deny"}[min(1, r.IntN(4)/3)]))
		}
		for _, text := range texts {
			single := compile(t, Identity, text)
			singles = append(singles, single)
			if d := single.Evaluate(action, resource, c); d > want {
				want = d
			}
		}
		for range 3 {
			r.Shuffle(len(texts), func(i, j int) { texts[i], texts[j] = texts[j], texts[i] })
			if got := compile(t, Identity, texts...).Evaluate(action, resource, c); got != want {
				t.Fatalf("%v on %s: %v, want %v\n%s", action, resource, got, want, texts)
			}
		}
		if got := EvaluateAll(singles, action, resource, c); got != want {
			t.Fatalf("as several policies: %v, want %v", got, want)
		}
		if got := compile(t, Identity, append(texts, `{'Effect':'Deny','Action':'*','Resource':'*'}`)...).Evaluate(action, resource, c); got != ExplicitDeny {
			t.Fatalf("%v although everything is denied", got)
		}
		seen[want]++
	}
	if len(seen) != 3 || seen[ImplicitDeny] < 100 || seen[Allow] < 100 || seen[ExplicitDeny] < 100 {
		t.Errorf("decisions %v", seen)
	}
}
