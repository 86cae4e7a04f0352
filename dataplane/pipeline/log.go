package pipeline

import (
	"time"

	"github.com/tidegate/tidegate/dataplane/definition"
	"github.com/tidegate/tidegate/dataplane/deploy"
	"github.com/tidegate/tidegate/dataplane/http1"
	"github.com/tidegate/tidegate/dataplane/integration/proxy"
	"github.com/tidegate/tidegate/dataplane/telemetry"
)

// protocol is AWS's for every request.
const protocol = "HTTP/1.1"

// CallerVariables are the $context variables about who calls, and about how that
// was found out, that every access log has.
//
// Source: https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-variables-for-access-logging.html
var CallerVariables = []string{
	"identity.accountId", "identity.caller", "identity.user", "identity.userArn", "identity.accessKey",
	"authorizer.principalId", "authorizer.status", "authorizer.latency", "authorizer.integrationLatency", "authorizer.error",
}

// variable is a $context variable in the access log.
type variable struct {
	v    proxy.ContextVar
	name string
}

// variablesOf are those of the names that a log was opened with.
func variablesOf(names []string) (all []variable) {
	for _, name := range names {
		v, rest, ok := proxy.FindContext(name)
		if !ok {
			v, rest = proxy.ContextAuthorizer, "" // which has no value
		}
		all = append(all, variable{v, rest})
	}
	return all
}

// callerContext returns the values of the variables, nil for a method that asks
// for nobody. They are valid until the worker's next call.
func (t *transaction) callerContext() [][]byte {
	w := t.worker
	if t.method == nil || t.method.Guard == nil {
		return nil
	}
	text, values := w.contextText[:0], w.contextValues[:0]
	for i := range w.pipeline.variables {
		start := len(text)
		text = t.AppendContext(text, w.pipeline.variables[i].v, w.pipeline.variables[i].name)
		values = append(values, text[start:])
	}
	w.contextText, w.contextValues = text, values
	return values
}

func (t *transaction) log(took int64) {
	w, r := t.worker, &t.x.Request
	rec := &w.record
	*rec = telemetry.Record{}
	if t.replacedID {
		t.requestID = append(t.requestID, replacedMarker...)
	}
	rec.RequestID, rec.ExtendedRequestID, rec.SourceIP = t.requestID, t.extendedID, t.sourceIP
	rec.RequestTime = w.loop.Wall(t.x.Started) / int64(time.Millisecond)
	rec.Protocol = protocol
	rec.Status = t.status
	rec.ResponseLength = t.bodyBytes
	rec.ResponseLatency = took / int64(time.Millisecond)
	rec.IntegrationLatency = -1
	if t.latency >= 0 {
		rec.IntegrationLatency = t.latency / int64(time.Millisecond)
		rec.IntegrationStatus = t.backend
	}
	rec.HTTPMethod, rec.Path, rec.DomainName = r.Method, r.Path, r.Host
	if t.client.known {
		w.keyID = t.client.AppendKeyID(w.keyID[:0])
		rec.APIKeyID = w.keyID
	}
	rec.UserAgent = r.Get(http1.UserAgent)
	if s := t.stage; s != nil {
		rec.APIID, rec.Stage, rec.DeploymentID = s.APIID, s.Name, s.DeploymentID
		if s.WAF != nil {
			t.logInspection(rec)
		}
	}
	if t.method != nil {
		rec.ResourcePath = t.method.ResourcePath
		if t.stage.Sockets != nil && t.method.Role == deploy.Connects {
			rec.EventType, rec.RouteKey, rec.ConnectionID = "CONNECT", definition.RouteConnect, t.connectionID
		}
	}
	if tls := t.x.Stream().TLSVersion(); tls != "" {
		rec.TLSVersion = tls
	}
	if c := t.certificate; c != nil {
		f := c.Facts()
		rec.ClientCert = telemetry.ClientCert{SubjectDN: f.SubjectDN, IssuerDN: f.IssuerDN, SerialNumber: f.SerialNumber}
	}
	if t.rejected {
		rec.ErrorMessage = append(w.message[:0], t.message...)
		w.message = rec.ErrorMessage
		rec.ErrorResponseType = responses[t.reason].responseType
	}
	rec.Context = t.callerContext()
	w.pipeline.log.Append(w.loop.ID, rec)
}
