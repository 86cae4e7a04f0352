package firewall

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"strings"
)

// Sizes of the web ACL.
const (
	rules    = 100
	sets     = 10
	prefixes = 100_000 // of each set
)

// Probe is the query of a request that the web ACL blocks.
const Probe = "q=%3Cscript"

type (
	object map[string]any
	array  []any
)

// ACL is a web ACL in the form of AWS WAF v2, with the IP sets that it names: a text
// of one network a line by their names.
type ACL struct {
	Document string
	IPSets   map[string]string
}

// HundredRules returns a web ACL of which no rule matches what loopback clients
// send: address sets, rates, strings in paths, queries and fields after decoding,
// expressions, sizes, and labels. All are the same at every call.
func HundredRules() ACL {
	acl := ACL{IPSets: map[string]string{}}
	var all array
	add := func(action string, statement object) {
		all = append(all, object{"Name": fmt.Sprintf("rule%d", len(all)), "Priority": len(all), "Action": object{action: object{}}, "Statement": statement})
	}
	random := rand.New(rand.NewPCG(1, 2))
	for i := range sets {
		name := fmt.Sprintf("set%d", i)
		acl.IPSets[name] = networks(random)
		add("Block", object{"IPSetReferenceStatement": object{"ARN": name}})
	}
	add("Block", rate(object{"Limit": 2_000_000_000, "AggregateKeyType": "IP"}))
	add("Block", rate(object{"Limit": 2_000_000_000, "AggregateKeyType": "IP", "ScopeDownStatement": text(object{"Method": object{}}, "EXACTLY", "POST")}))
	add("Count", rate(object{"Limit": 2_000_000_000, "AggregateKeyType": "CUSTOM_KEYS", "CustomKeys": array{object{"Header": object{"Name": "Authorization", "TextTransformations": chain()}}}}))
	add("Block", rate(object{"Limit": 2_000_000_000, "AggregateKeyType": "CONSTANT", "ScopeDownStatement": text(path, "STARTS_WITH", "/prod")}))
	for i := 0; len(all) < 84; i++ {
		field := []object{query, path, header("User-Agent"), header("Referer")}[i/len(needles)%4]
		add("Block", text(field, "CONTAINS", needles[i%len(needles)], "URL_DECODE", "LOWERCASE"))
	}
	for _, where := range []string{"EXACTLY", "STARTS_WITH", "ENDS_WITH"} {
		add("Block", text(path, where, "/admin"))
		add("Block", text(header("X-Debug"), where, "1"))
	}
	for _, size := range []struct {
		field object
		most  int
	}{{query, 2048}, {path, 1024}, {header("Cookie"), 8000}} {
		add("Block", object{"SizeConstraintStatement": object{"ComparisonOperator": "GT", "Size": size.most, "FieldToMatch": size.field, "TextTransformations": chain()}})
	}
	add("Block", expression(path, `^/prod/(internal|private)/`))
	add("Block", expression(header("User-Agent"), `^(curl|wget|python-requests)/`))
	for len(all) < rules {
		add("Block", object{"LabelMatchStatement": object{"Scope": "LABEL", "Key": fmt.Sprint("label", len(all))}})
	}
	document, err := json.Marshal(object{"DefaultAction": object{"Allow": object{}}, "Rules": all})
	if err != nil {
		panic(err) // of constants
	}
	acl.Document = string(document)
	return acl
}

// networks are of IPv4, from /20 to /32, and none of them is loopback's.
func networks(random *rand.Rand) string {
	var list strings.Builder
	for range prefixes {
		bits := 20 + random.IntN(13)
		address := (uint32(11+random.IntN(100))<<24 | random.Uint32()>>8) &^ (1<<(32-bits) - 1)
		fmt.Fprintf(&list, "%d.%d.%d.%d/%d\n", address>>24, address>>16&255, address>>8&255, address&255, bits)
	}
	return list.String()
}

// needles are what attacks are made of.
var needles = strings.Fields(`<script javascript: onerror= onload= alert( document.cookie union select insert into drop table information_schema sleep( benchmark(
	/etc/passwd /etc/shadow ../.. ..\\ /proc/self .git/ .env .htaccess wp-admin wp-login phpmyadmin /cgi-bin/ .php .asp .jsp .bak ${jndi: ldap:// cmd.exe powershell
	/bin/sh /bin/bash wget nc -e eval( base64_decode system( passthru( <?php 0x3c`)

var (
	path  = object{"UriPath": object{}}
	query = object{"QueryString": object{}}
)

func header(name string) object { return object{"SingleHeader": object{"Name": name}} }

func chain(names ...string) array {
	if len(names) == 0 {
		names = []string{"NONE"}
	}
	var all array
	for i, name := range names {
		all = append(all, object{"Priority": i, "Type": name})
	}
	return all
}

func rate(spec object) object {
	spec["EvaluationWindowSec"] = 60
	return object{"RateBasedStatement": spec}
}

func text(field object, where, needle string, names ...string) object {
	return object{"ByteMatchStatement": object{"FieldToMatch": field, "PositionalConstraint": where,
		"SearchString": base64.StdEncoding.EncodeToString([]byte(needle)), "TextTransformations": chain(names...)}}
}

func expression(field object, pattern string) object {
	return object{"RegexMatchStatement": object{"FieldToMatch": field, "RegexString": pattern, "TextTransformations": chain()}}
}
