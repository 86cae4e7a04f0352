package main

import (
	"cmp"
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
	summary: "import a document and deploy it to a stage",
	help: `
Imports an OpenAPI 3.0 or 3.1 document, or the document of a WebSocket API ("-"
is standard input), makes a deployment of it and points the stage at that. The
document's title, or name, names the API; an API of that name and protocol is
overwritten, and created if there is none. Nothing changes when the document is
not valid.

Examples:
  tidegate deploy petstore.yaml --stage prod
  tidegate deploy chat.yaml --stage prod
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

	protocol string // of the document's API
	created  bool   // the API is new
	result   api
	made     *control.Deployment
	url      string // of the stage
	try      string // a command line to try it with
}

func deploy(e *env, args []string) error {
	r := newRemote(e, deployCommand)
	d := &deployment{variables: variables{}}
	r.StringVar(&d.stage, "stage", "", "`STAGE` to deploy to; made if there is none")
	r.StringVar(&d.api, "api", "", "`API` to overwrite, by name or id, whatever the document calls it")
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
			"apiId": d.result.id, "apiName": d.result.name, "protocolType": d.protocol, "created": d.created, "stageName": d.stage,
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
	d.protocol = cmp.Or(check.Protocol, protocolREST)
	if err := d.importAPI(ctx, c, check.Name); err != nil {
		return err
	}
	if err := d.deploy(ctx, c); err != nil {
		if d.created { // leave nothing behind that was not there
			return errors.Join(err, d.result.delete(ctx, c))
		}
		return fmt.Errorf("imported into %s but not deployed, so its stages serve what they did: %w", d.result.id, err)
	}
	d.url = d.result.invokeURL(status, d.stage)
	d.try, err = d.toTry(ctx, c)
	return err
}

// deploy freezes the API and points the stage at it. Variables of the stage
// that --var does not name stay.
func (d *deployment) deploy(ctx context.Context, c *control.Client) error {
	var all map[string]string
	if len(d.variables) > 0 {
		all = map[string]string{}
		stage, err := d.result.stage(ctx, c, d.stage)
		var answered *control.Error
		switch {
		case err == nil:
			maps.Copy(all, stage.variables)
		case !errors.As(err, &answered) || answered.Code != control.CodeNotFound:
			return err
		}
		maps.Copy(all, d.variables)
	}
	var err error
	if d.result.webSocket() {
		var made *control.WebSocketDeployment
		if made, err = c.DeployWebSocket(ctx, d.result.id, control.WebSocketDeployInput{Stage: d.stage, Description: d.about, Variables: all}); err == nil {
			d.made = restDeployment(made)
		}
		return err
	}
	d.made, err = c.Deploy(ctx, d.result.id, control.DeployInput{Stage: d.stage, Description: d.about, Variables: all})
	return err
}

// toTry returns a command line that calls the API.
func (d *deployment) toTry(ctx context.Context, c *control.Client) (string, error) {
	if d.result.webSocket() {
		return "npx wscat -c " + d.url, nil
	}
	path, err := pathToTry(ctx, c, d.result.id)
	return "curl " + d.url + path, err
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
	fmt.Fprintf(w, "API         %s (%s), %s\n", cell(d.result.name), d.result.id, state)
	fmt.Fprintf(w, "deployment  %s\n", label(d.made))
	_, err := fmt.Fprintf(w, "stage       %s\n", d.stage)
	if d.url == "" {
		return err
	}
	_, err = fmt.Fprintf(w, "address     %s\ntry         %s\n", d.url, d.try)
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
