package policy

import (
	"fmt"
	"strings"
	"testing"
)

// typical is a policy such as people write.
var typical = []string{
	`{'Effect':'Allow','Principal':'*','Action':'execute-api:Invoke','Resource':['execute-api:/prod/GET/pets/*','execute-api:/prod/POST/pets'],
		'Condition':{'IpAddress':{'aws:SourceIp':['10.0.0.0/8','203.0.113.0/24']},'Bool':{'aws:SecureTransport':'true'}}}`,
	`{'Effect':'Deny','Principal':'*','Action':'execute-api:*','Resource':'execute-api:/*','Condition':{'StringNotEquals':{'aws:PrincipalTag/team':['Blue','Red']}}}`,
	`{'Effect':'Deny','Principal':'*','Action':'execute-api:*','Resource':'execute-api:/*','Condition':{'StringLike':{'aws:UserAgent':'*bot*'},'DateGreaterThan':{'aws:CurrentTime':'2027-01-01T00:00:00Z'}}}`,
}

func BenchmarkEvaluate(b *testing.B) {
	prefixes := make([]string, 400)
	for i := range prefixes {
		prefixes[i] = fmt.Sprintf("'198.51.%d.%d/32'", i/256, i%256)
	}
	for _, row := range []struct {
		name       string
		statements []string
		want       Decision
	}{
		{"typical", typical, Allow},
		{"400 addresses", []string{`{'Effect':'Allow','Principal':'*','Action':'*','Resource':'*','Condition':{'NotIpAddress':{'aws:SourceIp':[` + strings.Join(prefixes, ",") + `]}}}`}, Allow},
	} {
		b.Run(row.name, func(b *testing.B) {
			p, c := compile(b, Resource, row.statements...), caller()
			b.ReportAllocs()
			for b.Loop() {
				if d := p.Evaluate(Invoke, api+"/prod/GET/pets/1", c); d != row.want {
					b.Fatal(d)
				}
			}
		})
	}
}

func BenchmarkCompile(b *testing.B) {
	text := document(typical...)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := Compile(text, Options{Kind: Resource, API: api}); err != nil {
			b.Fatal(err)
		}
	}
}

func TestEvaluateDoesNotAllocate(t *testing.T) {
	c := caller()
	for name, p := range map[string]*Policy{
		"typical": compile(t, Resource, typical...),
		"other forms as text": compile(t, Identity, `{'Effect':'Allow','Action':'*','Resource':'*','Condition':{
			'StringEquals':{'aws:SourceIp':'203.0.113.7','aws:CurrentTime':'2026-11-22T10:20:11Z','aws:SecureTransport':'true'},
			'StringLike':{'aws:EpochTime':'17*','aws:VpcSourceIp':'2001:*'},'NumericGreaterThan':{'x:number':1,'aws:EpochTime':1},
			'DateEquals':{'x:date':'2026-11-22'},'ArnLike':{'aws:SourceArn':'arn:aws:sns:*'},'ForAllValues:StringEquals':{'aws:TagKeys':['a','b']},
			'IpAddress':{'x:ip':'10.0.0.0/8'},'StringEqualsIgnoreCase':{'aws:username':'ANN'}}}`),
	} {
		if n := testing.AllocsPerRun(100, func() {
			if d := p.Evaluate(Invoke, api+"/prod/GET/pets/1", c); d != Allow {
				t.Fatal(name, d)
			}
		}); n != 0 {
			t.Errorf("%s: %.1f allocations", name, n)
		}
	}
}
