package crs

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"

	coreruleset "github.com/corazawaf/coraza-coreruleset/v4"
)

// Version is the release of the rule set.
const Version = "4.25.0"

// Bounds and default of a Config.
const (
	MaxParanoiaLevel = 4
	DefaultThreshold = 5 // one critical rule
	MaxThreshold     = 10_000
)

// Config says how requests are inspected. The same Config makes the same Engine.
type Config struct {
	Groups        Groups
	ParanoiaLevel int   // 1 to MaxParanoiaLevel: how much is taken for an attack
	Threshold     int   // the anomaly score that blocks; a critical rule scores 5
	Excluded      []int // ids of rules that are left out, sorted
	BodyLimit     int   // bytes of a body that are inspected
}

// key tells configurations apart.
func (c *Config) key() string {
	return fmt.Sprint(uint(c.Groups), c.ParanoiaLevel, c.Threshold, c.BodyLimit, c.Excluded)
}

// check says what is wrong with a configuration.
func (c *Config) check() error {
	switch {
	case c.Groups == 0 || c.Groups&^AllGroups != 0:
		return fmt.Errorf("%b is no selection of rule groups", c.Groups)
	case c.ParanoiaLevel < 1 || c.ParanoiaLevel > MaxParanoiaLevel:
		return fmt.Errorf("the paranoia level %d is not 1 to %d", c.ParanoiaLevel, MaxParanoiaLevel)
	case c.Threshold < 1 || c.Threshold > MaxThreshold:
		return fmt.Errorf("the anomaly score threshold %d is not 1 to %d", c.Threshold, MaxThreshold)
	case c.BodyLimit < 1:
		return fmt.Errorf("%d bytes of a body are too few", c.BodyLimit)
	}
	for _, id := range c.Excluded {
		if err := c.Groups.Check(id); err != nil {
			return err
		}
	}
	return nil
}

// Directives returns the configuration in the language of the engine, SecLang, for
// whoever has rules of the same set evaluated by an engine of his own. Its file
// system has to be that of the rule set.
func (c *Config) Directives() string {
	var d strings.Builder
	fmt.Fprintf(&d, "SecRequestBodyLimit %d\nSecRequestBodyInMemoryLimit %d\n", c.BodyLimit, c.BodyLimit)
	d.WriteString(setup) // what does not depend on the configuration
	fmt.Fprintf(&d, `SecAction "id:900000,phase:1,pass,t:none,nolog,`+
		"setvar:tx.blocking_paranoia_level=%d,setvar:tx.inbound_anomaly_score_threshold=%d\"\n", c.ParanoiaLevel, c.Threshold)
	d.WriteString(include("901-INITIALIZATION"))
	for g := range groupFiles {
		if c.Groups&(1<<g) != 0 {
			d.WriteString(include(groupFiles[g].file))
		}
	}
	d.WriteString(include("949-BLOCKING-EVALUATION"))
	for _, id := range c.Excluded {
		fmt.Fprintf(&d, "SecRuleRemoveById %d\n", id)
	}
	return d.String()
}

func include(file string) string { return "Include @owasp_crs/REQUEST-" + file + ".conf\n" }

// Check says what keeps the rule with an id from being left out.
func (g Groups) Check(id int) error {
	of := groupOf(id)
	if of == 0 || !slices.Contains(ruleIDs()[of], id) {
		return fmt.Errorf("the OWASP Core Rule Set %s has no rule %d that looks for attacks", Version, id)
	}
	if g&of == 0 {
		return fmt.Errorf("rule %d is not in this group of rules", id)
	}
	return nil
}

var ruleID = regexp.MustCompile(`"id:(\d+),`)

// ruleIDs are the rules of each group.
var ruleIDs = sync.OnceValue(func() map[Groups][]int {
	ids := map[Groups][]int{}
	for g := range groupFiles {
		file, err := coreruleset.FS.Open("@owasp_crs/REQUEST-" + groupFiles[g].file + ".conf")
		if err != nil {
			panic("crs: the rule set lacks a file: " + err.Error())
		}
		text := new(strings.Builder)
		if _, err := copyAll(text, file); err != nil {
			panic("crs: " + err.Error())
		}
		for _, m := range ruleID.FindAllStringSubmatch(text.String(), -1) {
			id, _ := strconv.Atoi(m[1])
			ids[1<<g] = append(ids[1<<g], id)
		}
	}
	return ids
})
