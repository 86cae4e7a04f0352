package waf_test

import (
	"fmt"
	"net/netip"

	"github.com/tidegate/tidegate/dataplane/definition"
	"github.com/tidegate/tidegate/dataplane/http1"
	"github.com/tidegate/tidegate/dataplane/waf"
)

// A web ACL as AWS WAF v2 has it. SearchString is in base64: "/admin" and "BadBot".
const document = `{
  "DefaultAction": {"Allow": {}},
  "CustomResponseBodies": {"slow": {"ContentType": "APPLICATION_JSON", "Content": "{\"message\":\"Slow down\"}"}},
  "Rules": [
    {
      "Name": "admin-from-the-office", "Priority": 0, "Action": {"Block": {}},
      "Statement": {"AndStatement": {"Statements": [
        {"ByteMatchStatement": {
          "FieldToMatch": {"UriPath": {}}, "PositionalConstraint": "STARTS_WITH", "SearchString": "L2FkbWlu",
          "TextTransformations": [{"Priority": 0, "Type": "URL_DECODE"}, {"Priority": 1, "Type": "NORMALIZE_PATH"}]}},
        {"NotStatement": {"Statement": {"IPSetReferenceStatement": {"ARN": "office"}}}}
      ]}}
    },
    {
      "Name": "rate", "Priority": 1,
      "Action": {"Block": {"CustomResponse": {"ResponseCode": 429, "CustomResponseBodyKey": "slow"}}},
      "Statement": {"RateBasedStatement": {"Limit": 100, "EvaluationWindowSec": 60, "AggregateKeyType": "IP"}}
    },
    {
      "Name": "bots", "Priority": 2, "Action": {"Count": {}}, "RuleLabels": [{"Name": "bot"}],
      "Statement": {"ByteMatchStatement": {
        "FieldToMatch": {"SingleHeader": {"Name": "User-Agent"}}, "PositionalConstraint": "CONTAINS_WORD", "SearchString": "QmFkQm90",
        "TextTransformations": [{"Priority": 0, "Type": "NONE"}]}}
    }
  ]
}`

func Example() {
	office, _ := definition.NewPrefixes([]netip.Prefix{netip.MustParsePrefix("192.0.2.0/24")})
	acl, err := waf.Compile(
		&definition.WebACL{ID: "1", Name: "shop", Document: document},
		map[string]*definition.IPSet{"office": {ID: "office", Name: "office", Addresses: office}}, nil,
		waf.Options{Store: waf.NewStore(waf.Settings{Shards: 1}), Region: "us-east-1", Account: "000000000000"})
	if err != nil {
		fmt.Println(err)
		return
	}
	var request http1.Request
	request.Parse([]byte("GET /%61dmin/users HTTP/1.1\r\nHost: shop.example.com\r\nUser-Agent: BadBot/1.0\r\n\r\n"), http1.Limits{Target: 8192, Header: 10240, Count: 100})
	in := waf.Input{Request: &request, Method: request.Method}
	for _, source := range []string{"203.0.113.7:50000", "192.0.2.7:50000"} {
		in.Source = netip.MustParseAddrPort(source)
		v := acl.Inspect(&in, 0)
		fmt.Printf("allowed %v by %q\n", v.Outcome == waf.Allowed, acl.Rule(&v))
		acl.Labels(&v, func(label []byte) { fmt.Println(string(label)) })
	}
	// Output:
	// allowed false by "admin-from-the-office"
	// allowed true by ""
	// awswaf:000000000000:webacl:shop:bot
}
