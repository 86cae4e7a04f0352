package websocketapi

import (
	"errors"
	"fmt"
	"math"
	"regexp"
	"strconv"
	"strings"

	"github.com/tidegate/tidegate/dataplane/definition"
	"github.com/tidegate/tidegate/dataplane/document"
	"github.com/tidegate/tidegate/dataplane/expression"
)

// Values of apiKeySelectionExpression.
const (
	keyFromHeader     = "$request.header.x-api-key"
	keyFromAuthorizer = "$context.authorizer.usageIdentifierKey"
)

const (
	quickCreate = "it makes an HTTP API with one call; a WebSocket API gets its routes one by one"
	noModels    = "messages are not validated; do that in the backend"
	ofHTTPAPIs  = "it belongs to HTTP APIs; remove it"
)

var apiFields = object[API]{
	"protocolType": func(r *reader, at document.Node, _ *API) {
		if !strings.EqualFold(r.Text(at), definition.ProtocolWebSocket) {
			r.Add(at, "protocol %q is not supported; WEBSOCKET is, and REST APIs have OpenAPI documents", document.Clip(at.Value))
		}
	},
	"name":                      text(128, func(a *API) *string { return &a.Name }),
	"description":               text(1024, func(a *API) *string { return &a.Description }),
	"version":                   text(64, func(a *API) *string { return &a.Version }),
	"routeSelectionExpression":  routeSelection,
	"apiKeySelectionExpression": keySelection,
	"disableExecuteApiEndpoint": flag(func(a *API) *bool { return &a.DisableExecuteAPIEndpoint }),
	"tags":                      pairs(func(a *API) *map[string]string { return &a.Tags }, nil),

	"x-tidegate-allowed-origins": notEmpty(texts(func(a *API) *[]string { return &a.AllowedOrigins }, checkOrigin), `lists no origin; write ["*"] to let pages of all origins connect`),
	"x-tidegate-subprotocols":    texts(func(a *API) *[]string { return &a.Subprotocols }, checkSubprotocol),
	"x-tidegate-guaranteed-rate": guaranteedRate,
	"x-tidegate-priority":        priority,

	"disableSchemaValidation": refused[API]("there are no models to validate by; remove it"),
	"ipAddressType":           refused[API]("the listeners of the host file decide which addresses serve; remove it", "ipv4"),
	"corsConfiguration":       refused[API]("it belongs to HTTP APIs; see x-tidegate-allowed-origins"),
	"credentialsArn":          refused[API](quickCreate),
	"routeKey":                refused[API](quickCreate),
	"target":                  refused[API](quickCreate),
}

// updatedFields are those that UpdateApi has.
var updatedFields = apiFields.without("protocolType", "tags")

// ReadAPI reads the body of UpdateApi into to, or of CreateApi if create is set.
// What the body does not mention stays. An error is a *document.Errors.
func ReadAPI(body []byte, create bool, to *API) error {
	return readBody(body, 0, func(r *reader, root document.Node) {
		if create {
			r.needsProtocol(root)
			read(r, root, apiFields, to)
		} else {
			read(r, root, updatedFields, to)
		}
		r.finishAPI(root, to)
	})
}

func (r *reader) needsProtocol(root document.Node) {
	if root.Get("protocolType").Absent() {
		r.Add(root.Get("protocolType"), "missing; write WEBSOCKET")
	}
}

func (r *reader) finishAPI(at document.Node, a *API) {
	if a.Name == "" {
		r.Add(at.Get("name"), "missing; give the API a name")
	}
	if a.RouteSelectionExpression == "" && at.Get("routeSelectionExpression").Absent() {
		r.Add(at.Get("routeSelectionExpression"), "missing; say what chooses the route of a message, such as $request.body.action")
	}
}

func routeSelection(r *reader, at document.Node, a *API) {
	s := r.Text(at)
	if _, err := expression.ParseSelection(s, expression.FromBody); err != nil {
		r.Add(at, "%s", err)
	}
	a.RouteSelectionExpression = s
}

func keySelection(r *reader, at document.Node, a *API) {
	switch s := strings.NewReplacer("{", "", "}", "").Replace(r.Text(at)); {
	case s == "", strings.EqualFold(s, keyFromHeader):
		a.APIKeySource = definition.KeySourceHeader
	case s == keyFromAuthorizer:
		a.APIKeySource = definition.KeySourceAuthorizer
	default:
		r.Add(at, "%q is not where API keys can be; use %s or %s", document.Clip(at.Value), keyFromHeader, keyFromAuthorizer)
	}
}

// KeySelection returns the apiKeySelectionExpression of an API.KeySource.
func KeySelection(source string) string {
	if source == definition.KeySourceAuthorizer {
		return keyFromAuthorizer
	}
	return keyFromHeader
}

func notEmpty[T any](f field[T], otherwise string) field[T] {
	return func(r *reader, at document.Node, to *T) {
		if at.IsList() && at.IsEmpty() {
			r.Add(at, "%s", otherwise)
			return
		}
		f(r, at, to)
	}
}

// origin is a web origin (RFC 6454, section 6.2) whose host may begin with "*.".
var origin = regexp.MustCompile(`^https?://(\*\.)?(?:[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?(?:\.[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?)*|\[[0-9A-Fa-f:.]+\])(?::[0-9]{1,5})?$`)

func checkOrigin(s string) error {
	if s == "*" || s == "null" || origin.MatchString(s) {
		return nil
	}
	return fmt.Errorf(`%.200q is not an origin; write https://example.com, https://*.example.com, null or "*", without a path`, s)
}

// checkSubprotocol takes a token of HTTP (RFC 6455, section 4.1).
func checkSubprotocol(s string) error {
	if !expression.ConsistsOf(s, "!#$%&'*+-.^_`|~") {
		return fmt.Errorf("%.200q is not a subprotocol; its name has letters, digits and !#$%%&'*+-.^_`|~ only", s)
	}
	return nil
}

func guaranteedRate(r *reader, at document.Node, a *API) {
	rate, err := strconv.ParseFloat(at.Value, 64)
	if at.Tag != "!!int" && at.Tag != "!!float" || err != nil || !(rate >= 0) || math.IsInf(rate, 0) {
		r.Add(at, "must be a number of requests per second, 0 or more")
		return
	}
	a.GuaranteedRate = rate
}

func priority(r *reader, at document.Node, a *API) {
	a.Priority = r.Text(at)
	if err := definition.CheckPriority(a.Priority); err != nil {
		r.Add(at, "%s", err)
	}
}

// readBody reads the body of a control operation, a JSON object; an empty one is
// an object without members.
func readBody(body []byte, maxTimeoutMillis int, f func(r *reader, root document.Node)) error {
	p := &document.Problems{}
	if len(strings.TrimSpace(string(body))) == 0 {
		body = []byte("{}")
	}
	tree, err := document.JSON(body)
	if err == nil && !(document.Node{Node: tree.Content[0]}).IsMapping() {
		err = errors.New("it must be an object")
	}
	if err != nil {
		p.Add(document.Node{}, "not valid JSON: %s", document.Clip(err.Error()))
		return p.Err()
	}
	f(newReader(p, maxTimeoutMillis), document.Node{Node: tree.Content[0]})
	return p.Err()
}
