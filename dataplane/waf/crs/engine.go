package crs

import (
	"context"
	"fmt"
	"io"

	coreruleset "github.com/corazawaf/coraza-coreruleset/v4"
	"github.com/corazawaf/coraza/v3"
	"github.com/corazawaf/coraza/v3/types"
)

// Header is a field of a request.
type Header struct{ Name, Value string }

// Request is what is inspected.
type Request struct {
	Source   string // address of the client
	Port     int    // of the client
	Method   string
	Target   string // path and query, as they came
	Protocol string // "HTTP/1.1"
	Host     string
	Headers  []Header
	Body     []byte // the first Config.BodyLimit bytes of it
	Cut      bool   // there is more of it
}

// Result is what an inspection found.
type Result struct {
	Blocked bool
	Groups  Groups // of the rules that matched, whether or not that blocks
	Rules   []int  // those rules
}

// Engine inspects requests by one Config. Any number of goroutines may use it.
type Engine struct {
	waf    coraza.WAF
	config Config
}

// newEngine takes some 150 ms the first time, and some 15 ms later, since the
// regular expressions are shared.
func newEngine(c Config) (*Engine, error) {
	if err := c.check(); err != nil {
		return nil, err
	}
	waf, err := coraza.NewWAF(coraza.NewWAFConfig().WithRootFS(coreruleset.FS).WithDirectives(c.Directives()))
	if err != nil {
		return nil, fmt.Errorf("load the OWASP Core Rule Set: %w", err)
	}
	return &Engine{waf: waf, config: c}, nil
}

// close gives back what was shared.
func (e *Engine) close() {
	if c, ok := e.waf.(io.Closer); ok {
		_ = c.Close()
	}
}

// Inspect holds a request against the rules. It keeps nothing of it. It stops at
// the next of few points when the context ends, and returns its error; a request
// that the engine fails on is an error too.
func (e *Engine) Inspect(ctx context.Context, r *Request) (result Result, err error) {
	defer func() {
		if p := recover(); p != nil { // of a parser, for what nobody has tried before
			result, err = Result{}, fmt.Errorf("the rule engine failed: %v", p)
		}
	}()
	if err := ctx.Err(); err != nil {
		return Result{}, err
	}
	if parts(r) > maxParts {
		return Result{Blocked: true, Groups: Multipart & e.config.Groups}, nil
	}
	tx := e.waf.NewTransaction()
	defer func() { _ = tx.Close() }()
	tx.ProcessConnection(r.Source, r.Port, "", 0)
	tx.ProcessURI(r.Target, r.Method, r.Protocol)
	tx.SetServerName(r.Host)
	for i := range r.Headers {
		tx.AddRequestHeader(r.Headers[i].Name, r.Headers[i].Value)
	}
	interruption := tx.ProcessRequestHeaders()
	if interruption == nil {
		if interruption, err = body(ctx, tx, r); err != nil {
			return Result{}, err
		}
	}
	result.Blocked = interruption != nil
	for _, m := range tx.MatchedRules() {
		id := m.Rule().ID()
		if g := groupOf(id); g != 0 && m.Rule().Severity() != types.RuleSeverityUnset {
			result.Groups |= g
			result.Rules = append(result.Rules, id)
		}
	}
	return result, nil
}

func body(ctx context.Context, tx types.Transaction, r *Request) (*types.Interruption, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	if len(r.Body) > 0 {
		if interruption, _, err := tx.WriteRequestBody(whole(r)); interruption != nil || err != nil {
			return interruption, err
		}
	}
	return tx.ProcessRequestBody()
}
