package selection

import "testing"

func TestAppend(t *testing.T) {
	in := &Input{
		Body:   []byte(`{"action":"send","service":"chat","n":7,"deep":{"under":"y"},"none":null,"obj":{},"dollar":"$connect"}`),
		Status: []byte("200"), Header: func(name string) []byte {
			if name == "x-kind" {
				return []byte("big")
			}
			return nil
		},
	}
	for _, c := range []struct {
		text, want string
		ok         bool
	}{
		{"$request.body.action", "send", true},
		{"${request.body.action}", "send", true},
		{"${request.body.service}/${request.body.action}", "chat/send", true},
		{"a-${request.body.n}-z", "a-7-z", true},
		{"$request.body.deep.under", "y", true},
		{"x$request.body.action", "xsend", true},
		{"fixed", "fixed", true},
		{`\$default`, "$default", true},
		{`\${x}`, "${x}", true},
		{"$request.body.dollar", "$connect", true},
		{"$request.body.none", "", false}, {"$request.body.obj", "", false}, {"$request.body.missing", "", false},
		{"$integration.response.statuscode", "200", true},
		{"${integration.response.header.X-Kind}/${integration.response.statuscode}", "big/200", true},
		{"$integration.response.header.None", "", false},
	} {
		e, err := Compile(c.text, Answer)
		if err != nil {
			t.Errorf("%s: %v", c.text, err)
			continue
		}
		got, ok := e.Append(nil, in)
		if ok != c.ok || ok && string(got) != c.want {
			t.Errorf("%s: %q, %v; want %q, %v", c.text, got, ok, c.want, c.ok)
		}
	}
	e, err := Compile("$request.body.action", Message)
	if err != nil {
		t.Fatal(err)
	}
	for _, body := range []string{"", "hello", `{"action":`, `"action"`, `[]`} {
		if got, ok := e.Append(nil, &Input{Body: []byte(body)}); ok {
			t.Errorf("%q: %q", body, got)
		}
	}
}

func TestCompileErrors(t *testing.T) {
	for _, c := range []struct {
		text  string
		scope Scope
	}{
		{"", Message}, {"$", Message}, {"${request.body.a", Message}, {"a$b", Message}, {"$request.body", Message}, {"$request.header.a", Message}, {"$context.routeKey", Message},
		{"$request.bodyaction", Message}, {"$request.body..a", Message}, {"$integration.response.statuscode", Message}, {"${request.body.a[*]}", Message},
		{"$integration.response.header.", Answer}, {"$integration.response.body", Answer},
	} {
		if e, err := Compile(c.text, c.scope); err == nil {
			t.Errorf("%q: no error, but %+v", c.text, e)
		}
	}
}

func FuzzCompile(f *testing.F) {
	for _, seed := range []string{"$request.body.action", "${request.body.a[0]}/x", `\$default`, "$request.body.a"} {
		f.Add(seed, `{"action":"x"}`)
	}
	f.Fuzz(func(_ *testing.T, text, body string) {
		if e, err := Compile(text, Answer); err == nil {
			e.Append(nil, &Input{Body: []byte(body)})
		}
	})
}
