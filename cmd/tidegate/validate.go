package main

import (
	"errors"
	"fmt"
	"maps"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/tidegate/tidegate/configs"
	"github.com/tidegate/tidegate/dataplane"
	"github.com/tidegate/tidegate/dataplane/control"
	"github.com/tidegate/tidegate/dataplane/definition"
	"github.com/tidegate/tidegate/dataplane/document"
	"github.com/tidegate/tidegate/dataplane/openapi"
	"github.com/tidegate/tidegate/dataplane/websocketapi"
)

var validateCommand = &command{
	name:    "validate",
	args:    "FILE... [--config HOSTFILE] [--json]",
	summary: "check host files and documents of APIs",
	help: `
Checks each file as the daemon would: a host file with the certificates and
trust stores it names, an OpenAPI document, or the document of a WebSocket API. It tells which of
them a file is. It needs no daemon and changes nothing. The exit code is 4 when a
file is not valid.

Examples:
  tidegate validate /etc/tidegate/tidegate.yaml
  tidegate validate petstore.yaml orders.json chat.yaml
  tidegate validate petstore.yaml --config tidegate.yaml`,
}

func init() { validateCommand.run = validateFiles }

// verdict is what validate finds out about a file.
type verdict struct {
	File     string   `json:"file"`
	Kind     string   `json:"kind"` // "host file", "OpenAPI document" or "WebSocket API"
	Valid    bool     `json:"valid"`
	Problems []string `json:"problems,omitempty"`
	Warnings []string `json:"warnings,omitempty"`
	summary  string
}

func validateFiles(e *env, args []string) error {
	f := newFlags(e, validateCommand)
	asJSON := f.Bool("json", false, "print JSON")
	config := f.String("config", "", "`HOSTFILE` whose region, account, timeout limit and issuers of tokens apply to documents")
	files, err := f.parse(args)
	if err != nil {
		return err
	}
	if len(files) == 0 {
		return usagef("missing FILE")
	}
	host := configs.Defaults()
	if *config != "" {
		if host, err = configs.Load(*config); err != nil {
			return &refusedError{err}
		}
	}
	verdicts := make([]*verdict, 0, len(files))
	for _, file := range files {
		v, err := validateFile(e, host, file)
		if err != nil {
			return err
		}
		verdicts = append(verdicts, v)
	}
	if *asJSON {
		err = printJSON(e.stdout, verdicts)
	} else {
		printVerdicts(e, verdicts)
	}
	for _, v := range verdicts {
		if !v.Valid {
			return &refusedError{errReported}
		}
	}
	return err
}

// versionKey finds the key that every OpenAPI document has and no host file.
var versionKey = regexp.MustCompile(`(?m)(^|[{,]\s*)"?'?(openapi|swagger)'?"?\s*:`)

func validateFile(e *env, host *configs.Host, file string) (*verdict, error) {
	text, err := readDocument(e, file)
	if err != nil {
		return nil, err
	}
	switch {
	case versionKey.Match(text):
		return validateOpenAPI(host, file, text), nil
	case websocketapi.Recognizes(text):
		return validateWebSocketAPI(host, file, text), nil
	}
	return validateHostFile(file, text)
}

func validateHostFile(file string, text []byte) (*verdict, error) {
	folder, err := filepath.Abs(filepath.Dir(file))
	if err != nil {
		return nil, err
	}
	v := &verdict{File: file, Kind: "host file"}
	host, err := configs.Parse(file, folder, text)
	if err == nil {
		if err = host.CheckFiles(); err == nil {
			v.Warnings, err = truststoreWarnings(host)
		}
		if err != nil {
			err = fmt.Errorf("%s: %w", file, err)
		}
	}
	if err != nil {
		v.Problems = strings.Split(err.Error(), "\n")
		return v, nil
	}
	v.Valid = true
	v.summary = fmt.Sprintf("%s, %s", count(len(host.Listeners), "listener"), count(len(host.Domains), "domain"))
	return v, nil
}

func truststoreWarnings(host *configs.Host) (warnings []string, err error) {
	stores, err := host.Truststores()
	for _, name := range slices.Sorted(maps.Keys(stores)) {
		for _, w := range stores[name].Warnings(time.Now()) {
			warnings = append(warnings, fmt.Sprintf("domain %q: %s", name, w))
		}
	}
	return warnings, err
}

func validateOpenAPI(host *configs.Host, file string, text []byte) *verdict {
	v := &verdict{File: file, Kind: "OpenAPI document"}
	result, err := openapi.Parse(text, openapi.Options{
		MaxTimeoutMillis: int(host.Limits.IntegrationTimeout.Milliseconds()),
		AccountID:        host.AccountID,
		Partition:        "aws",
		Region:           host.Region,
	})
	if err != nil {
		return v.invalid(err)
	}
	v.Warnings = result.Warnings
	v.summary = fmt.Sprintf("API %q with %s", result.Name, count(methods(result.Body), "method"))
	return v.compiled(dataplane.Check(host, result.Body))
}

func validateWebSocketAPI(host *configs.Host, file string, text []byte) *verdict {
	v := &verdict{File: file, Kind: "WebSocket API"}
	result, err := websocketapi.Parse(text, websocketapi.Options{
		MaxTimeoutMillis: int(host.Limits.IntegrationTimeout.Milliseconds()),
		AccountID:        host.AccountID,
		Partition:        "aws",
		Region:           host.Region,
	})
	if err != nil {
		return v.invalid(err)
	}
	v.Warnings = result.Warnings
	v.summary = fmt.Sprintf("API %q with %s", result.Name, count(len(result.Body.WebSocket.Routes), "route"))
	return v.compiled(dataplane.Check(host, result.Body))
}

// invalid is the verdict on a document that could not be read.
func (v *verdict) invalid(err error) *verdict {
	var found *document.Errors
	if !errors.As(err, &found) {
		v.Problems = []string{v.File + ": " + err.Error()}
		return v
	}
	list := make([]control.Problem, len(found.Problems))
	for i, p := range found.Problems {
		list[i] = control.Problem(p)
	}
	v.Problems = strings.Split(problems(v.File, list, found.Omitted), "\n")
	return v
}

// compiled is the verdict once a deployment was tried.
func (v *verdict) compiled(err error) *verdict {
	if err != nil {
		v.Problems, v.Warnings = []string{v.File + ": " + err.Error()}, nil
		return v
	}
	v.Valid = true
	return v
}

func methods(body *definition.Body) int {
	n := 0
	for _, r := range body.Resources {
		n += len(r.Methods)
	}
	return n
}

func printVerdicts(e *env, verdicts []*verdict) {
	for _, v := range verdicts {
		for _, p := range v.Problems {
			fmt.Fprintln(e.stderr, p)
		}
		for _, w := range v.Warnings {
			fmt.Fprintf(e.stderr, "warning: %s: %s\n", v.File, w)
		}
		if v.Valid {
			fmt.Fprintf(e.stdout, "%s: valid %s: %s\n", v.File, v.Kind, v.summary)
		} else {
			fmt.Fprintf(e.stdout, "%s: not a valid %s: %s\n", v.File, v.Kind, count(len(v.Problems), "problem"))
		}
	}
}

func count(n int, noun string) string {
	if n != 1 {
		noun += "s"
	}
	return fmt.Sprintf("%d %s", n, noun)
}
