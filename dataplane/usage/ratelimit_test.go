package usage

import (
	"math"
	"strings"
	"testing"

	"github.com/tidegate/tidegate/dataplane/definition"
)

func TestRateLimitFields(t *testing.T) {
	month := &definition.Quota{Limit: 5000, Period: definition.PeriodMonth}
	for _, tt := range []struct {
		says     string
		plan     definition.UsagePlan
		requests int
		want     string
	}{
		{"no limits", definition.UsagePlan{}, 3, ""},
		{"throttle", definition.UsagePlan{Throttle: throttleOf(3, 10)}, 4,
			`RateLimit-Policy: "throttle";q=10;w=4|RateLimit: "throttle";r=6;t=2|`},
		{"quota", definition.UsagePlan{Quota: month}, 7,
			`RateLimit-Policy: "quota";q=5000;w=2419200|RateLimit: "quota";r=4993;t=7200|`},
		{"both", definition.UsagePlan{Throttle: throttleOf(1, 10), Quota: month}, 11,
			`RateLimit-Policy: "throttle";q=10;w=10, "quota";q=5000;w=2419200|RateLimit: "throttle";r=0;t=10, "quota";r=4990;t=7200|`},
		{"a blocked throttle", definition.UsagePlan{Throttle: throttleOf(0, 10)}, 1,
			`RateLimit-Policy: "throttle";q=0|RateLimit: "throttle";r=0;t=0|`},
		{"integers of a structured field", definition.UsagePlan{Throttle: throttleOf(1e9, math.MaxInt)}, 0,
			`RateLimit-Policy: "throttle";q=999999999999999;w=1152921505|RateLimit: "throttle";r=999999999999999;t=0|`},
	} {
		f := newFixture(t)
		f.now = 1e9
		stage := f.deploy(onProd("gold01", tt.plan))
		f.key(keyID(1), "gold01")
		wall := utc(2, 28, 22)
		f.requests(keyID(1), stage, Overrides{}, wall, tt.requests)
		c, _ := f.Find(valueOf(keyID(1)), stage)
		c.AppendCharges(nil, Overrides{}, f.now, wall)
		got := string(c.AppendRateLimit(nil, f.now, wall))
		if got != strings.ReplaceAll(tt.want, "|", "\r\n") {
			t.Errorf("%s:\n%s", tt.says, got)
		}
	}
}

func TestRateLimitOfAMethodAndAGrant(t *testing.T) {
	f := newFixture(t)
	plan := withMethods("gold01")
	plan.Quota = &definition.Quota{Limit: 10, Period: definition.PeriodDay}
	stage := f.deploy(plan)
	f.key(keyID(1), "gold01")
	wall := utc(1, 1, 12)
	if err := f.Grant("gold01", keyID(1), 70, wall); err != nil {
		t.Fatal(err)
	}
	pets := stage.Overrides("/pets", "GET")
	f.requests(keyID(1), stage, pets, wall, 1)
	c, _ := f.Find(valueOf(keyID(1)), stage)
	c.AppendCharges(nil, pets, f.now, wall)
	want := "RateLimit-Policy: \"throttle\";q=2;w=2, \"quota\";q=70;w=86400\r\nRateLimit: \"throttle\";r=1;t=1, \"quota\";r=69;t=43200\r\n"
	if got := string(c.AppendRateLimit(nil, f.now, wall)); got != want {
		t.Errorf("got\n%swant\n%s", got, want)
	}
}
