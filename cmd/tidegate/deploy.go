package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"strings"

	"github.com/tidegate/tidegate/dataplane/control"
)

var deployCommand = &command{
	name:    "deploy",
	args:    "FILE --stage STAGE [--api API] [--description TEXT] [--var NAME=VALUE]... [--json]",
	summary: "import an OpenAPI document and deploy it to a stage",
	help: `
Imports an OpenAPI 3.0 or 3.1 document ("-" is standard input), makes a
deployment of it and points the stage at that. The document's title names the
API; an API of that name is overwritten, and created if there is none. Nothing
changes when the document is not valid.

Examples:
  tidegate deploy petstore.yaml --stage prod
  tidegate deploy petstore.yaml --stage test --var backend=127.0.0.1:8082
  generate-api | tidegate deploy - --stage prod --description "build 512"`,
}

func init() { deployCommand.run = deploy }

// variables collects flags of NAME=VALUE, such as --var.
type variables map[string]string

func (v variables) String() string { return "" }

func (v variables) Set(text string) error {
	name, value, ok := strings.Cut(text, "=")
	if !ok || name == "" {
		return errors.New("write NAME=VALUE")
	}
	v[name] = value
	return nil
}

// deployment is one run of the command: what is asked and what came of it.
type deployment struct {
	document                []byte
	file, api, stage, about string
	variables               variables

	created bool // the API is new
	result  *control.RestAPI
	made    *control.Deployment
	url     string // of the stage
	path    string // of a GET method without parameters, to try
}

func deploy(e *env, args []string) error {
	r := newRemote(e, deployCommand)
	d := &deployment{variables: variables{}}
	r.StringVar(&d.stage, "stage", "", "`STAGE` to deploy to; made if there is none")
	r.StringVar(&d.api, "api", "", "`API` to overwrite, by name or id, whatever the title")
	r.StringVar(&d.about, "description", "", "`TEXT` to remember the deployment by")
	r.Var(d.variables, "var", "stage variable `NAME=VALUE`; repeat for more, others of the stage stay")
	operands, err := r.operands(args, 1, 1, "FILE")
	if err != nil {
		return err
	}
	if d.stage == "" {
		return usagef("missing --stage")
	}
	d.file = operands[0]
	if d.document, err = readDocument(e, d.file); err != nil {
		return err
	}
	if err := r.call("deploying "+d.file, func(ctx context.Context, c *control.Client) error { return d.run(ctx, c, e) }); err != nil {
		return err
	}
	if *r.json {
		return printJSON(e.stdout, map[string]any{
			"apiId": d.result.ID, "apiName": d.result.Name, "created": d.created, "stageName": d.stage,
			"deploymentId": d.made.ID, "deploymentNumber": d.made.Number, "invokeUrl": d.url,
		})
	}
	return d.print(e.stdout)
}

// maxDocumentBytes is more than any import takes, so that a wrong file name
// does not fill the memory.
const maxDocumentBytes = 16 << 20

func readDocument(e *env, file string) ([]byte, error) { return readInput(e, file, maxDocumentBytes) }

// readInput reads a file, or standard input for "-", of at most so many bytes.
func readInput(e *env, file string, most int) ([]byte, error) {
	in := e.stdin
	if file != "-" {
		f, err := os.Open(file)
		if err != nil {
			return nil, err
		}
		defer f.Close()
		in = f
	}
	document, err := io.ReadAll(io.LimitReader(in, int64(most)+1))
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", file, err)
	}
	if len(document) > most {
		return nil, refusef("%s is larger than %d bytes", file, most)
	}
	return document, nil
}

func (d *deployment) run(ctx context.Context, c *control.Client, e *env) error {
	check, err := c.Validate(ctx, d.document, control.ImportOptions{})
	if err != nil {
		return err
	}
	for _, w := range check.Warnings {
		fmt.Fprintf(e.stderr, "warning: %s: %s\n", d.file, w)
	}
	if !check.Valid {
		return refusef("%s is not valid:\n%s", d.file, problems(d.file, check.Problems, check.Omitted))
	}
	status, err := c.Status(ctx)
	if err != nil {
		return err
	}
	if err := d.importAPI(ctx, c, check.Name); err != nil {
		return err
	}
	if err := d.deploy(ctx, c); err != nil {
		if d.created { // leave nothing behind that was not there
			return errors.Join(err, c.DeleteAPI(ctx, d.result.ID))
		}
		return fmt.Errorf("imported into %s but not deployed, so its stages serve what they did: %w", d.result.ID, err)
	}
	d.url = status.InvokeURL(d.result, d.stage)
	d.path, err = pathToTry(ctx, c, d.result.ID)
	return err
}

// importAPI overwrites the API that --api or the title names, or makes one.
func (d *deployment) importAPI(ctx context.Context, c *control.Client, title string) error {
	var found []control.RestAPI
	if d.api != "" {
		api, err := findAPI(ctx, c, d.api)
		if err != nil {
			return err
		}
		found = []control.RestAPI{*api}
	} else {
		apis, err := c.APIs(ctx)
		if err != nil {
			return err
		}
		for _, a := range apis {
			if a.Name == title {
				found = append(found, a)
			}
		}
	}
	var err error
	switch len(found) {
	case 0:
		d.created = true
		d.result, err = c.Import(ctx, d.document, control.ImportOptions{})
	case 1:
		d.result, err = c.Put(ctx, found[0].ID, d.document, "overwrite", control.ImportOptions{})
	default:
		err = apiKind.ambiguous(title, found)
	}
	return err
}

// deploy freezes the API and points the stage at it. Variables of the stage
// that --var does not name stay.
func (d *deployment) deploy(ctx context.Context, c *control.Client) error {
	in := control.DeployInput{Stage: d.stage, Description: d.about}
	if len(d.variables) > 0 {
		in.Variables = map[string]string{}
		stage, err := c.Stage(ctx, d.result.ID, d.stage)
		var answered *control.Error
		switch {
		case err == nil:
			maps.Copy(in.Variables, stage.Variables)
		case !errors.As(err, &answered) || answered.Code != control.CodeNotFound:
			return err
		}
		maps.Copy(in.Variables, d.variables)
	}
	var err error
	d.made, err = c.Deploy(ctx, d.result.ID, in)
	return err
}

// pathToTry returns the path of a GET method that needs no parameter, or "".
func pathToTry(ctx context.Context, c *control.Client, apiID string) (string, error) {
	resources, err := c.Resources(ctx, apiID)
	if err != nil {
		return "", err
	}
	best := ""
	for _, res := range resources {
		if res.ResourceMethods["GET"] == nil || strings.Contains(res.Path, "{") {
			continue
		}
		if best == "" || res.Path < best {
			best = res.Path
		}
	}
	return best, nil
}

func (d *deployment) print(w io.Writer) error {
	state := "overwritten"
	if d.created {
		state = "created"
	}
	fmt.Fprintf(w, "API         %s (%s), %s\n", cell(d.result.Name), d.result.ID, state)
	fmt.Fprintf(w, "deployment  %s\n", label(d.made))
	_, err := fmt.Fprintf(w, "stage       %s\n", d.stage)
	if d.url == "" {
		return err
	}
	_, err = fmt.Fprintf(w, "address     %s\ntry         curl %s\n", d.url, d.url+d.path)
	return err
}

// problems lists what is wrong with a document, one "file:line: ..." a line.
func problems(file string, list []control.Problem, omitted int) string {
	lines := make([]string, 0, len(list)+1)
	for _, p := range list {
		line := file
		if p.Line > 0 {
			line = fmt.Sprintf("%s:%d", file, p.Line)
		}
		if p.Location != "" {
			line += ": " + p.Location
		}
		lines = append(lines, line+": "+p.Message)
	}
	if omitted > 0 {
		lines = append(lines, fmt.Sprintf("%s: and %d more", file, omitted))
	}
	return strings.Join(lines, "\n")
}
