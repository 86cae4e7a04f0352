package control

import (
	"cmp"
	"context"
	"errors"
	"slices"

	"github.com/tidegate/tidegate/dataplane/definition"
	"github.com/tidegate/tidegate/dataplane/document"
	"github.com/tidegate/tidegate/dataplane/openapi"
	"github.com/tidegate/tidegate/dataplane/websocketapi"
)

func (s *Server) status(*request) (int, any, error) {
	answer := s.gateway.Status()
	answer.Caches = s.gateway.Caches()
	answer.Unwell = unwell(s.gateway.Upstream())
	slices.SortFunc(answer.Caches, func(a, b CacheStatus) int {
		return cmp.Or(cmp.Compare(a.APIName, b.APIName), cmp.Compare(a.APIID, b.APIID), cmp.Compare(a.Stage, b.Stage))
	})
	return 200, answer, nil
}

func (s *Server) version(*request) (int, any, error) {
	return 200, struct {
		Version string `json:"version"`
	}{s.options.Version}, nil
}

// validate reads a definition as an import would and keeps nothing of it.
func (s *Server) validate(r *request) (int, any, error) {
	if websocketapi.Recognizes(r.body) {
		return s.validateWebSocket(r)
	}
	q, err := parseImportQuery(r.query)
	if err != nil {
		return 0, nil, err
	}
	result, err := openapi.Parse(r.body, openapi.Options{
		BasePath: q.basePath, MaxTimeoutMillis: s.options.MaxTimeoutMillis,
		AccountID: s.options.AccountID, Partition: s.options.Partition, Region: s.options.Region,
	})
	if err != nil {
		return invalidDefinition(err)
	}
	answer := Validation{
		Valid:    !q.failOnWarnings || len(result.Warnings) == 0,
		Warnings: result.Warnings, Name: result.Name, Resources: len(result.Body.Resources),
	}
	for _, res := range result.Body.Resources {
		answer.Methods += len(res.Methods)
	}
	return s.checked(answer, result.Body)
}

func (s *Server) validateWebSocket(r *request) (int, any, error) {
	failOnWarnings, err := webSocketImportQuery(r.query)
	if err != nil {
		return 0, nil, err
	}
	result, err := websocketapi.Parse(r.body, s.webSocketOptions(""))
	if err != nil {
		return invalidDefinition(err)
	}
	return s.checked(Validation{
		Valid:    !failOnWarnings || len(result.Warnings) == 0,
		Warnings: result.Warnings, Name: result.Name, Protocol: definition.ProtocolWebSocket, Routes: len(result.Body.WebSocket.Routes),
	}, result.Body)
}

func invalidDefinition(err error) (int, any, error) {
	var found *document.Errors
	if !errors.As(err, &found) {
		return 0, nil, err
	}
	answer := Validation{Omitted: found.Omitted}
	for _, p := range found.Problems {
		answer.Problems = append(answer.Problems, Problem(p))
	}
	return 200, answer, nil
}

// checked adds what a deployment would find.
func (s *Server) checked(answer Validation, body *definition.Body) (int, any, error) {
	if s.options.Check != nil {
		if err := s.options.Check(body); err != nil {
			answer.Valid = false
			answer.Problems = append(answer.Problems, Problem{Message: err.Error()})
		}
	}
	return 200, answer, nil
}

// upgrade has another process take over. The answer comes from this one, which
// serves no new calls by then.
func (s *Server) upgrade(*request) (int, any, error) {
	ctx, cancel := context.WithTimeout(context.Background(), updateTimeout)
	defer cancel()
	successor, err := s.gateway.Upgrade(ctx)
	if err != nil {
		return 0, nil, &Error{Status: 500, Code: CodeInternalError, Message: err.Error()}
	}
	return 200, successor, nil
}

// drain starts to drain and answers at once: the status tells the rest. The
// gateway may shut this server down as part of it.
func (s *Server) drain(*request) (int, any, error) {
	if s.draining.CompareAndSwap(false, true) {
		go func() {
			defer s.draining.Store(false)
			ctx, cancel := context.WithTimeout(context.Background(), s.options.DrainTimeout)
			defer cancel()
			if err := s.gateway.Drain(ctx); err != nil {
				s.log.Error("drain", "error", err)
			}
		}()
	}
	return 202, struct {
		State string `json:"state"`
	}{StateDraining}, nil
}
