package expression

import (
	"encoding/json"
	"fmt"
	"regexp"
)

// MaxTemplateBytes is API Gateway's limit on one mapping template.
const MaxTemplateBytes = 300 << 10

// velocity finds what the Velocity template language would evaluate: a
// reference ($input, ${x}, $!x), a directive or a comment. A dollar sign
// before a digit and a hash before a colour are plain text to Velocity too. A
// backslash before one of them is an escape that Velocity would take away, so
// it is not constant either.
var velocity = regexp.MustCompile(`\$!?\{?[A-Za-z_]` +
	`|#\{?(?:set|if|elseif|foreach|include|parse|macro|evaluate|define)\}?\s*\(` +
	`|#\{?(?:stop|break|end|else)\}?(?:\W|$)` +
	`|#[#*@]|#\[\[`)

// CheckTemplate checks a mapping template: a constant text.
func CheckTemplate(text string) error {
	if found := velocity.FindString(text); found != "" {
		return fmt.Errorf("mapping templates are not supported yet: %q would have to be evaluated; write a constant text", found)
	}
	if len(text) > MaxTemplateBytes {
		return fmt.Errorf("a template has at most %d bytes", MaxTemplateBytes)
	}
	return nil
}

// lenientStatus finds the statusCode in what is not quite JSON: API Gateway
// takes unquoted names and single quotes, as in {statusCode: 200}.
var lenientStatus = regexp.MustCompile(`(?s)^\s*\{(?:.*,)?\s*['"]?statusCode['"]?\s*:\s*\d+\s*(?:,.*)?\}\s*$`)

// GivesStatus reports a text that a mock takes its status from: JSON with a whole
// number as statusCode, or nearly.
func GivesStatus(text string) bool {
	var object struct {
		StatusCode *int `json:"statusCode"`
	}
	if err := json.Unmarshal([]byte(text), &object); err == nil {
		return object.StatusCode != nil
	}
	return !json.Valid([]byte(text)) && lenientStatus.MatchString(text)
}
