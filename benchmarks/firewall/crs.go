package firewall

import (
	"fmt"
	"net/netip"
	"strings"
	"syscall"
	"time"

	coreruleset "github.com/corazawaf/coraza-coreruleset/v4"
	"github.com/corazawaf/coraza/v3"

	"github.com/tidegate/tidegate/dataplane/definition"
	"github.com/tidegate/tidegate/dataplane/http1"
	"github.com/tidegate/tidegate/dataplane/waf"
	"github.com/tidegate/tidegate/dataplane/waf/crs"
)

// Names under which samples speak of those who inspect.
const (
	Tidegate         = "tidegate-crs"
	Coraza           = "coraza"
	CorazaUnfiltered = "coraza-unfiltered" // with its default: regular expressions are run at once
)

// Inspector has a request inspected with the OWASP Core Rule Set.
type Inspector struct {
	Name    string
	inspect func() error // an error also if the request is blocked
}

// request is a POST of 1 KiB of JSON by a browser that does nothing wrong.
type request struct {
	fields [][2]string
	body   string
}

func benign() request {
	body := `{"customer":{"name":"Ada Lovelace","email":"ada@example.com"},"items":[` +
		strings.Repeat(`{"sku":"A-1001","quantity":2,"price":19.99},`, 21) + `{"sku":"Z"}]}`
	return request{[][2]string{
		{"Host", "shop.example.com"}, {"User-Agent", "Mozilla/5.0 (X11; Linux x86_64; rv:133.0) Gecko/20100101 Firefox/133.0"}, {"Accept", "application/json"},
		{"Accept-Language", "en-US,en;q=0.5"}, {"Content-Type", "application/json"}, {"Content-Length", fmt.Sprint(len(body))},
	}, body}
}

const target = "/prod/orders?dry=false"

// Inspectors returns those who are compared, with the same rules.
func Inspectors() ([]Inspector, error) {
	ours, err := throughTidegate(benign())
	if err != nil {
		return nil, err
	}
	config := crs.Config{Groups: crs.AllGroups, ParanoiaLevel: 1, Threshold: crs.DefaultThreshold, BodyLimit: waf.DefaultBodyBytes}
	directives := config.Directives()
	bare, err := throughCoraza(Coraza, directives, benign())
	if err != nil {
		return nil, err
	}
	unfiltered, err := throughCoraza(CorazaUnfiltered, strings.Replace(directives, "SecRxPreFilter On", "SecRxPreFilter Off", 1), benign())
	return []Inspector{ours, bare, unfiltered}, err
}

// verdicts takes verdicts from the goroutines that find them.
type verdicts chan waf.Verdict

// Inspected implements waf.Waiter.
func (v verdicts) Inspected(one waf.Verdict) { v <- one }

// throughTidegate goes the way of a request: from the event loop's look at it to a
// goroutine of the bounded pool, and back.
func throughTidegate(r request) (Inspector, error) {
	acl, err := waf.Compile(&definition.WebACL{ID: "1", Name: "bench", Document: `{"DefaultAction": {"Allow": {}}, "Rules": [{"Name": "crs", "Priority": 0,
  "OverrideAction": {"None": {}}, "Statement": {"ManagedRuleGroupStatement": {"VendorName": "OWASP", "Name": "CoreRuleSet"}}}]}`}, nil, nil,
		waf.Options{Store: waf.NewStore(waf.Settings{Shards: 1}), Region: "us-east-1", Account: "000000000000"})
	if err != nil {
		return Inspector{}, err
	}
	head := "POST " + target + " HTTP/1.1\r\n"
	for _, f := range r.fields {
		head += f[0] + ": " + f[1] + "\r\n"
	}
	var parsed http1.Request
	if fault := parsed.Parse([]byte(head+"\r\n"), http1.Limits{Target: 1 << 10, Header: 4 << 10, Count: 100}); fault != 0 {
		return Inspector{}, fmt.Errorf("the request cannot be read: %v", fault)
	}
	in := waf.Input{Request: &parsed, Source: netip.MustParseAddrPort("192.0.2.7:50000")}
	body, done := []byte(r.body), make(verdicts, 1)
	return Inspector{Tidegate, func() error {
		in.HaveBody, in.Body = false, nil
		v := acl.Inspect(&in, time.Now().UnixNano())
		if v.Outcome != waf.Unfinished {
			return fmt.Errorf("outcome %d without the rule set", v.Outcome)
		}
		in.HaveBody, in.Body = true, body
		if !acl.Go(&in, v, done) {
			return fmt.Errorf("the inspection is refused")
		}
		if v = <-done; v.Outcome != waf.Allowed {
			return fmt.Errorf("the request is not allowed: outcome %d by %q", v.Outcome, acl.Rule(&v))
		}
		return nil
	}}, nil
}

// throughCoraza does what whoever uses the engine directly writes.
func throughCoraza(name, directives string, r request) (Inspector, error) {
	engine, err := coraza.NewWAF(coraza.NewWAFConfig().WithRootFS(coreruleset.FS).WithDirectives(directives))
	if err != nil {
		return Inspector{}, err
	}
	body := []byte(r.body)
	return Inspector{name, func() error {
		tx := engine.NewTransaction()
		defer func() { _ = tx.Close() }()
		tx.ProcessConnection("192.0.2.7", 50000, "", 0)
		tx.ProcessURI(target, "POST", "HTTP/1.1")
		for _, f := range r.fields {
			tx.AddRequestHeader(f[0], f[1])
		}
		interruption := tx.ProcessRequestHeaders()
		if interruption == nil {
			var err error
			if interruption, _, err = tx.WriteRequestBody(body); err != nil {
				return err
			}
		}
		if interruption == nil {
			var err error
			if interruption, err = tx.ProcessRequestBody(); err != nil {
				return err
			}
		}
		if interruption != nil {
			return fmt.Errorf("the request is blocked by rule %d", interruption.RuleID)
		}
		return nil
	}}, nil
}

// CPU inspects one request after the other for d, and returns the CPU time of one in
// nanoseconds: of all threads of this process, so that what others do at the same
// time counts less, and the garbage collector's counts too.
func (i Inspector) CPU(d time.Duration) (nanos float64, err error) {
	used, n := cpu(), 0
	for start := time.Now(); time.Since(start) < d; n++ {
		if err := i.inspect(); err != nil {
			return 0, fmt.Errorf("%s: %w", i.Name, err)
		}
	}
	return float64(cpu()-used) / float64(n), nil
}

// cpu is the nanoseconds that this process has run.
func cpu() int64 {
	var u syscall.Rusage
	_ = syscall.Getrusage(syscall.RUSAGE_SELF, &u) // never fails for this process
	return u.Utime.Nano() + u.Stime.Nano()
}
