package dataplane

import (
	"context"
	"fmt"
	"log/slog"
	"time"

	"github.com/tidegate/tidegate/bpf/gate"
	"github.com/tidegate/tidegate/configs"
	"github.com/tidegate/tidegate/dataplane/sentence"
	"github.com/tidegate/tidegate/dataplane/telemetry"
)

// sentenceRules are those of the host file.
func sentenceRules(h *configs.Host) sentence.Rules {
	s := h.KernelGate.Sentences
	return sentence.Rules{Window: s.Window, Denials: s.Denials, First: s.First, Longest: s.Longest, Trusted: h.NeverShutOut()}
}

// condemn is the judge's: it has the kernel gate shut a source out.
func (g *Gateway) condemn(v sentence.Verdict) error {
	length := time.Until(time.Unix(0, v.Until))
	if length <= 0 {
		return fmt.Errorf("the sentence of %s was over before it began", v.Source)
	}
	err := g.gate.with(func(k *gate.Gate) error {
		return k.Condemn(v.Source.Addr(), gate.Rule{For: length, Answer: answerTo(v.Offence), Reason: v.Offence.String()})
	})
	if err != nil {
		g.gate.failures.Add(1)
		g.verdicts.line(slog.LevelWarn, "a source cannot be shut out; it is denied in userspace", "source", v.Source.String(), "error", err)
		return err
	}
	g.verdicts.line(slog.LevelInfo, "source shut out", "source", v.Source.String(), "reason", v.Offence.String(), "for", length.Round(time.Second).String(), "strike", v.Strike)
	return nil
}

// answerTo is what a listener that responds tells the source.
func answerTo(o telemetry.Offence) gate.Answer {
	switch o {
	case telemetry.Throttled:
		return gate.TooManyRequests
	case telemetry.QuotaExceeded:
		return gate.LimitExceeded
	}
	return gate.Forbidden
}

// sparingLog writes a few lines a second and counts the rest, so that an attack
// from many sources does not fill the disk. One goroutine may use it.
type sparingLog struct {
	log            *slog.Logger
	second         int64
	lines, omitted int
}

const linesPerSecond = 5

func (s *sparingLog) line(level slog.Level, message string, args ...any) {
	if now := time.Now().Unix(); now != s.second {
		s.second, s.lines = now, 0
	}
	if s.lines++; s.lines > linesPerSecond {
		s.omitted++
		return
	}
	if s.omitted > 0 {
		args = append(args, "lines_omitted", s.omitted)
		s.omitted = 0
	}
	s.log.Log(context.Background(), level, message, args...)
}
