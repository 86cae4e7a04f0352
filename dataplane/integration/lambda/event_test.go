package lambda

import (
	"bytes"
	"encoding/json"
	"slices"
	"strings"
	"testing"
	"time"
)

func example() *Request {
	r := &Request{
		Resource: "/pets/{id}", Path: "/pets/6", HTTPMethod: "GET",
		PathParameters: map[string]string{"id": "6"}, StageVariables: map[string]string{"backend": "b.example"},
		RequestContext: RequestContext{
			ResourceID: "a1b2c3", ResourcePath: "/pets/{id}", HTTPMethod: "GET", ExtendedRequestID: "JKJaXmPLvHcESHA=",
			Path: "/prod/pets/6", AccountID: "123456789012", Protocol: "HTTP/1.1", Stage: "prod", DomainPrefix: "abcdefghij",
			RequestID: "c6af9ac6-7b61-11e6-9a41-93e8deadbeef", DomainName: "abcdefghij.execute-api.example.com", DeploymentID: "d1e2f3", APIID: "abcdefghij",
			Identity: Identity{SourceIP: "203.0.113.7", UserAgent: "curl/8"},
		},
	}
	r.RequestContext.SetTime(time.Date(2024, 8, 2, 23, 34, 43, 123456789, time.UTC).UnixNano())
	r.AddHeader("Authorization", "first")
	r.AddHeader("tEsT-HEADeR", "aValUE")
	r.AddHeader("authorization", "last")
	r.AddQuery("a", "1")
	r.AddQuery("A", "x y")
	r.AddQuery("a", "2")
	return r
}

const methodARN = "arn:aws:execute-api:us-east-1:123456789012:abcdefghij/prod/GET/pets/6"

func TestAuthorizerEvent(t *testing.T) {
	event, err := example().AuthorizerEvent(methodARN)
	if err != nil {
		t.Fatal(err)
	}
	want := `{"type":"REQUEST","methodArn":"` + methodARN + `","resource":"/pets/{id}","path":"/pets/6","httpMethod":"GET",
		"headers":{"Authorization":"last","tEsT-HEADeR":"aValUE"},"multiValueHeaders":{"Authorization":["first","last"],"tEsT-HEADeR":["aValUE"]},
		"queryStringParameters":{"A":"x y","a":"2"},"multiValueQueryStringParameters":{"A":["x y"],"a":["1","2"]},
		"pathParameters":{"id":"6"},"stageVariables":{"backend":"b.example"},
		"requestContext":{"resourceId":"a1b2c3","resourcePath":"/pets/{id}","httpMethod":"GET","extendedRequestId":"JKJaXmPLvHcESHA=",
		"requestTime":"02/Aug/2024:23:34:43 +0000","path":"/prod/pets/6","accountId":"123456789012","protocol":"HTTP/1.1","stage":"prod",
		"domainPrefix":"abcdefghij","requestTimeEpoch":1722641683123,"requestId":"c6af9ac6-7b61-11e6-9a41-93e8deadbeef",
		"identity":{"cognitoIdentityPoolId":null,"accountId":null,"cognitoIdentityId":null,"caller":null,"sourceIp":"203.0.113.7","principalOrgId":null,
		"accessKey":null,"cognitoAuthenticationType":null,"cognitoAuthenticationProvider":null,"userArn":null,"userAgent":"curl/8","user":null},
		"domainName":"abcdefghij.execute-api.example.com","deploymentId":"d1e2f3","apiId":"abcdefghij"}}`
	var compact bytes.Buffer
	if err := json.Compact(&compact, []byte(want)); err != nil {
		t.Fatal(err)
	}
	if got := string(event); got != compact.String() {
		t.Errorf("\n%s\nwant\n%s", got, compact.String())
	}
}

// An event of nothing has every member, with {} for maps, and no body.
func TestAuthorizerEventOfNothing(t *testing.T) {
	r := &Request{}
	event, err := r.AuthorizerEvent(methodARN)
	if err != nil {
		t.Fatal(err)
	}
	var members map[string]json.RawMessage
	if err := json.Unmarshal(event, &members); err != nil {
		t.Fatal(err)
	}
	var names []string
	for name, value := range members {
		names = append(names, name)
		if (strings.HasSuffix(name, "arameters") || strings.HasSuffix(name, "eaders") || name == "stageVariables") && string(value) != "{}" {
			t.Errorf("%s is %s", name, value)
		}
	}
	slices.Sort(names)
	const want = "headers httpMethod methodArn multiValueHeaders multiValueQueryStringParameters path pathParameters queryStringParameters requestContext resource stageVariables type"
	if got := strings.Join(names, " "); got != want {
		t.Errorf("%s", got)
	}
	if r.Headers != nil || r.StageVariables != nil {
		t.Error("the Request was changed")
	}
}

func TestEventWithAPIKey(t *testing.T) {
	r := example()
	r.RequestContext.Identity.APIKey, r.RequestContext.Identity.APIKeyID = "value", "id"
	event, err := r.AuthorizerEvent(methodARN)
	if err != nil || !strings.Contains(string(event), `"user":null,"apiKey":"value","apiKeyId":"id"}`) {
		t.Errorf("%s, %v", event, err)
	}
}

func TestEventWithCertificate(t *testing.T) {
	r := example()
	r.RequestContext.Identity.ClientCert = &ClientCert{"PEM", "CN=client", "CN=root", "1", Validity{"May 28 12:30:02 2019 GMT", "Aug  5 09:36:04 2021 GMT"}}
	event, err := r.AuthorizerEvent(methodARN)
	want := `"user":null,"clientCert":{"clientCertPem":"PEM","subjectDN":"CN=client","issuerDN":"CN=root","serialNumber":"1",` +
		`"validity":{"notBefore":"May 28 12:30:02 2019 GMT","notAfter":"Aug  5 09:36:04 2021 GMT"}}}`
	if err != nil || !strings.Contains(string(event), want) {
		t.Errorf("%s, %v", event, err)
	}
}

// FuzzRequest: whatever a client sends, the event is valid JSON that has it.
func FuzzRequest(f *testing.F) {
	f.Add("X-A", "a\"b\\c</script>\x00\xff\u2028", "q[]", "1\n2")
	f.Add("a", "", "\xff", "\xfe")
	f.Fuzz(func(t *testing.T, header, value, param, param2 string) {
		for _, c := range []byte(header) { // names of fields are tokens
			if c <= ' ' || c >= 0x7f {
				return
			}
		}
		r := &Request{Path: value, PathParameters: map[string]string{param: param2}}
		r.AddHeader(header, value)
		r.AddHeader(strings.ToUpper(header), param2)
		r.AddQuery(param, param2)
		r.AddQuery(param+"\xff", "")
		r.AddQuery(param+"\xfe", "")
		event, err := r.AuthorizerEvent(value)
		if err != nil {
			t.Fatal(err)
		}
		var got struct {
			Type                            string
			MethodARN                       string `json:"methodArn"`
			MultiValueHeaders               map[string][]string
			MultiValueQueryStringParameters map[string][]string
		}
		if err := json.Unmarshal(event, &got); err != nil {
			t.Fatalf("%v: %s", err, event)
		}
		if got.Type != "REQUEST" || len(got.MultiValueHeaders) != 1 {
			t.Fatalf("%s", event)
		}
		if len(got.MultiValueQueryStringParameters) != len(r.QueryStringParameters) {
			t.Fatalf("a name is there twice: %s", event)
		}
		for _, values := range got.MultiValueHeaders {
			if len(values) != 2 {
				t.Fatalf("%q", values)
			}
		}
	})
}
