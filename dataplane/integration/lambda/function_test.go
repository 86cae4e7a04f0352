package lambda

import (
	"strings"
	"testing"
)

const arn = "arn:aws:lambda:eu-west-1:123456789012:function:guard"

func TestParseURI(t *testing.T) {
	for uri, want := range map[string]string{
		"arn:aws:apigateway:eu-west-1:lambda:path/2015-03-31/functions/" + arn + "/invocations":                                              arn,
		"arn:aws:apigateway:eu-west-1:lambda:path//2015-03-31/functions/" + arn + ":live/invocations":                                        arn + ":live",
		"arn:aws:apigateway:eu-west-1:lambda:path/2015-03-31/functions/" + arn + ":$LATEST/invocations":                                      arn + ":$LATEST",
		"arn:aws:apigateway:us-east-1:lambda:path/2015-03-31/functions/guard:7/invocations":                                                  "guard:7",
		"arn:aws-cn:apigateway:cn-north-1:lambda:path/2015-03-31/functions/arn:aws-cn:lambda:cn-north-1:123456789012:function:a/invocations": "arn:aws-cn:lambda:cn-north-1:123456789012:function:a",
		"arn:aws-us-gov:apigateway:us-gov-west-1:lambda:path/2015-03-31/functions/a_b-C/invocations":                                         "a_b-C",
	} {
		if got, err := ParseURI(uri); err != nil || got != want {
			t.Errorf("%s: %q, %v", uri, got, err)
		}
	}
}

func TestParseURIRefuses(t *testing.T) {
	in := func(function string) string {
		return "arn:aws:apigateway:us-east-1:lambda:path/2015-03-31/functions/" + function + "/invocations"
	}
	for uri, want := range map[string]string{
		"":                     "not of the form",
		arn:                    "not of the form",
		"http://h/x":           "not of the form",
		in(""):                 "not of the form",
		in("a/b"):              "not of the form",
		in("../x"):             "not of the form",
		in("..%2fx"):           "write its ARN",
		in("a b"):              "write its ARN",
		in("a:"):               "write its ARN",
		in("a:b:c"):            "write its ARN",
		in(arn + "\n"):         "write its ARN",
		in(arn) + "?x":         "not of the form",
		in(arn) + "/":          "not of the form",
		in(arn) + "\n":         "not of the form",
		"x" + in("a"):          "not of the form",
		in("${stageVar.name}"): "write its ARN",
		in("arn:aws:lambda:evil.example/#:123456789012:function:a"):                                                "not of the form",
		in("arn:aws:lambda:evil.example:123456789012:function:a"):                                                  "write its ARN",
		in("arn:aws:lambda:us-east-1:123:function:a"):                                                              "write its ARN",
		in("arn:aws:s3:us-east-1:123456789012:function:a"):                                                         "write its ARN",
		in("arn:aws:lambda:us-east-1:123456789012:function:"):                                                      "write its ARN",
		in("arn:aws:lambda:us-east-1:123456789012:layer:a"):                                                        "write its ARN",
		strings.Replace(in("a"), "lambda:path", "sqs:path", 1):                                                     "not of the form",
		strings.Replace(in("a"), "2015-03-31", "2014-11-13", 1):                                                    "not an invocation",
		strings.Replace(in("a"), "/invocations", "/event-source", 1):                                               "not an invocation",
		"arn:aws:apigateway:us-east-1:lambda:path/2021-11-15/functions/" + arn + "/response-streaming-invocations": "streamed",
	} {
		if got, err := ParseURI(uri); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %q, %v; want %q", uri, got, err, want)
		}
	}
}

// FuzzParseURI: what is accepted names one function of a service's path, on a
// host of AWS's.
func FuzzParseURI(f *testing.F) {
	f.Add("arn:aws:apigateway:eu-west-1:lambda:path/2015-03-31/functions/" + arn + ":live/invocations")
	f.Add("arn:aws:apigateway:eu-west-1:lambda:path//2015-03-31/functions/a:$LATEST/invocations")
	client, err := New(Config{Region: "us-east-1"})
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, uri string) {
		function, err := ParseURI(uri)
		if err != nil {
			return
		}
		n, err := parseName(function)
		if err != nil {
			t.Fatal(err)
		}
		req, err := client.request(t.Context(), n, function, nil)
		if err != nil {
			t.Fatal(err)
		}
		host, ok := strings.CutSuffix(strings.TrimSuffix(req.URL.Host, ".cn"), ".amazonaws.com")
		host, ok2 := strings.CutPrefix(host, "lambda.")
		if !ok || !ok2 || strings.Trim(host, "abcdefghijklmnopqrstuvwxyz0123456789-") != "" {
			t.Fatalf("%q is called at %s", uri, req.URL)
		}
		if parts := strings.Split(req.URL.EscapedPath(), "/"); len(parts) != 5 || strings.ContainsAny(parts[3], "/:?#$ ") {
			t.Fatalf("%q is called as %s", uri, req.URL)
		}
	})
}
