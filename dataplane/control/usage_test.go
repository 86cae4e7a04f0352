package control

import (
	"fmt"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/tidegate/tidegate/dataplane/definition"
)

func day(date string) int64 {
	t, err := time.Parse(time.DateOnly, date)
	if err != nil {
		panic(err)
	}
	return dayOf(t)
}

func TestPeriods(t *testing.T) {
	for _, tt := range []struct {
		period, first, last string // of one period
	}{
		{definition.PeriodDay, "2026-11-22", "2026-11-22"},
		{definition.PeriodWeek, "2026-11-16", "2026-11-22"}, // Monday to Sunday
		{definition.PeriodWeek, "1969-12-29", "1970-01-04"},
		{definition.PeriodWeek, "1969-12-22", "1969-12-28"},
		{definition.PeriodWeek, "2026-12-28", "2027-01-03"}, // over a year's end
		{definition.PeriodMonth, "2026-11-01", "2026-11-30"},
		{definition.PeriodMonth, "2024-02-01", "2024-02-29"},
		{definition.PeriodMonth, "1969-12-01", "1969-12-31"},
	} {
		number := periodOf(tt.period, day(tt.first))
		for d := day(tt.first); d <= day(tt.last); d++ {
			if periodOf(tt.period, d) != number {
				t.Errorf("%s: %s is in period %d, %s in %d", tt.period, tt.first, number, dateOf(d), periodOf(tt.period, d))
			}
		}
		if before, after := periodOf(tt.period, day(tt.first)-1), periodOf(tt.period, day(tt.last)+1); before != number-1 || after != number+1 {
			t.Errorf("%s from %s: periods %d, %d, %d", tt.period, tt.first, before, number, after)
		}
	}
	if d := dayOf(time.Date(2026, 11, 23, 0, 30, 0, 0, time.FixedZone("", 3600))); dateOf(d) != "2026-11-22" {
		t.Errorf("a day is %s, not one in UTC", dateOf(d))
	}
}

func TestDailyUsage(t *testing.T) {
	record := func(date string, used, remaining int64, period string) definition.Usage {
		return definition.Usage{Day: day(date), Used: used, Remaining: remaining, Period: period}
	}
	quota := func(limit, offset int64, period, since string) *definition.Quota {
		return &definition.Quota{Limit: limit, Offset: offset, Period: period, Since: startOf(day(since)).Add(time.Hour)}
	}
	const month, week, daily = definition.PeriodMonth, definition.PeriodWeek, definition.PeriodDay
	for name, tt := range map[string]struct {
		records  []definition.Usage
		quota    *definition.Quota
		from, to string
		want     [][2]int64
	}{
		"nothing used":       {nil, quota(10, 0, daily, "2026-01-01"), "2026-11-01", "2026-11-03", [][2]int64{{0, 10}, {0, 10}, {0, 10}}},
		"no quota":           {[]definition.Usage{record("2026-11-02", 7, -1, "")}, nil, "2026-11-01", "2026-11-03", [][2]int64{{0, -1}, {7, -1}, {0, -1}}},
		"carried in a month": {[]definition.Usage{record("2026-11-01", 120, 4880, month), record("2026-11-03", 30, 4850, month)}, quota(5000, 0, month, "2026-01-01"), "2026-11-01", "2026-11-04", [][2]int64{{120, 4880}, {0, 4880}, {30, 4850}, {0, 4850}}},
		"a month begins":     {[]definition.Usage{record("2026-10-30", 9, 1, month)}, quota(10, 0, month, "2026-01-01"), "2026-10-30", "2026-11-01", [][2]int64{{9, 1}, {0, 1}, {0, 10}}},
		"a week begins":      {[]definition.Usage{record("2026-11-21", 4, 6, week)}, quota(10, 0, week, "2026-01-01"), "2026-11-21", "2026-11-23", [][2]int64{{4, 6}, {0, 6}, {0, 10}}},
		"a day begins":       {[]definition.Usage{record("2026-11-21", 4, 6, daily)}, quota(10, 0, daily, "2026-01-01"), "2026-11-21", "2026-11-22", [][2]int64{{4, 6}, {0, 10}}},
		"carried into the first day": {[]definition.Usage{record("2026-11-03", 4, 6, month)}, quota(10, 0, month, "2026-01-01"),
			"2026-11-10", "2026-11-11", [][2]int64{{0, 6}, {0, 6}}},
		"carried from another period": {[]definition.Usage{record("2026-10-03", 4, 6, month)}, quota(10, 0, month, "2026-01-01"), "2026-11-10", "2026-11-10", [][2]int64{{0, 10}}},
		"the quota was another":       {[]definition.Usage{record("2026-11-09", 4, 6, daily)}, quota(10, 0, month, "2026-11-10"), "2026-11-09", "2026-11-10", [][2]int64{{4, 6}, {0, 10}}},
		"the quota is new":            {[]definition.Usage{record("2026-11-09", 4, -1, "")}, quota(10, 0, month, "2026-11-10"), "2026-11-09", "2026-11-10", [][2]int64{{4, -1}, {0, 10}}},
		"the first period has the offset": {nil, quota(10, 3, month, "2026-10-15"),
			"2026-09-30", "2026-10-01", [][2]int64{{0, 10}, {0, 7}}},
		"and the next has not": {nil, quota(10, 3, daily, "2026-11-20"), "2026-11-20", "2026-11-21", [][2]int64{{0, 7}, {0, 10}}},
	} {
		if got := dailyUsage(tt.records, tt.quota, day(tt.from), day(tt.to)); !reflect.DeepEqual(got, tt.want) {
			t.Errorf("%s: %v, want %v", name, got, tt.want)
		}
	}
}

func TestGetAndUpdateUsage(t *testing.T) {
	b := newBench(t)
	plan, free := b.plan(`"quota":{"limit":100,"period":"MONTH"}`), b.plan(`"name":"free"`)
	var ids []string
	for i := range 3 {
		id := b.key("k", fmt.Sprintf("the-value-of-key-number-%d", i))
		ids = append(ids, id)
		for _, p := range []string{plan, free} {
			b.want(201, "POST", "/usageplans/"+p+"/keys", `{"keyId":"`+id+`","keyType":"API_KEY"}`)
		}
	}
	b.gateway.keys.use(definition.Usage{PlanID: plan, KeyID: ids[0], Day: day("2026-11-18"), Used: 5, Remaining: 95, Period: definition.PeriodMonth})
	b.gateway.keys.use(definition.Usage{PlanID: plan, KeyID: ids[0], Day: day("2026-11-21"), Used: 7, Remaining: 88, Period: definition.PeriodMonth})
	usage := "/usageplans/" + plan + "/usage?"
	const days = "startDate=2026-11-20&endDate=2026-11-22"

	a := b.call("GET", usage+days+"&keyId="+ids[0], "")
	if want := `{"usagePlanId":"` + plan + `","startDate":"2026-11-20","endDate":"2026-11-22","values":{"` + ids[0] + `":[[0,95],[7,88],[0,88]]}}`; a.body != want {
		t.Errorf("one key:\n got %s\nwant %s", a.body, want)
	}
	whole := b.want(200, "GET", usage+days, "")
	if values := whole["values"].(map[string]any); len(values) != 3 || whole["position"] != nil || fmt.Sprint(values[ids[1]]) != "[[0 100] [0 100] [0 100]]" {
		t.Errorf("all keys: %v", whole)
	}
	seen, after := 0, ""
	for range 2 {
		page := b.want(200, "GET", usage+days+"&limit=2&position="+after, "")
		seen += len(page["values"].(map[string]any))
		after, _ = page["position"].(string)
	}
	if seen != 3 || after != "" {
		t.Errorf("pages have %d keys, and then %q", seen, after)
	}
	if got := b.want(200, "GET", "/usageplans/"+free+"/usage?"+days+"&keyId="+ids[0], ""); fmt.Sprint(got["values"].(map[string]any)[ids[0]]) != "[[0 -1] [0 -1] [0 -1]]" {
		t.Errorf("without a quota: %v", got)
	}
	b.want(200, "GET", usage+"startDate=2026-01-01&endDate=2026-03-31", "") // 90 days

	update := "/usageplans/" + plan + "/keys/" + ids[0] + "/usage"
	wantJSON(t, "grant", b.want(200, "PATCH", update, patchOf("replace", "/remaining", "500")),
		`{"usagePlanId":"`+plan+`","startDate":"2026-11-22","endDate":"2026-11-22","values":{"`+ids[0]+`":[[0,500]]}}`)
	wantJSON(t, "no operation", b.want(200, "PATCH", update, `{}`),
		`{"usagePlanId":"`+plan+`","startDate":"2026-11-22","endDate":"2026-11-22","values":{"`+ids[0]+`":[[0,500]]}}`)

	names := strings.NewReplacer("PLAN", plan, "FREE", free, "KEY", ids[0])
	const null = "failed to satisfy constraint: Member must not be null"
	for _, tt := range []struct {
		method, target, body string
		status               int
		code, message        string
	}{
		{"GET", "/usageplans/nope/usage?" + days, "", 404, CodeNotFound, "Invalid Usage Plan ID specified"},
		{"GET", "/usageplans/PLAN/usage?" + days + "&keyId=nope", "", 404, CodeNotFound, "Invalid API Key identifier specified"},
		{"GET", "/usageplans/PLAN/usage?" + days + "&limit=0", "", 400, CodeBadRequest, "Invalid limit: 0. It must be a number from 1 to 500"},
		{"GET", "/usageplans/PLAN/usage", "", 400, CodeValidation, "2 validation errors detected: Value null at 'getUsageInput.startDate' " + null + "; Value null at 'getUsageInput.endDate' " + null},
		{"GET", "/usageplans/PLAN/usage?startDate=2026-11-01", "", 400, CodeValidation, "1 validation error detected: Value null at 'getUsageInput.endDate' " + null},
		{"GET", "/usageplans/PLAN/usage?startDate=yesterday&endDate=2026-11-01", "", 400, CodeBadRequest, "Invalid startDate: yesterday. It must be a date such as 2026-01-31"},
		{"GET", "/usageplans/PLAN/usage?startDate=2026-11-01&endDate=2026-11-31", "", 400, CodeBadRequest, "Invalid endDate: 2026-11-31. It must be a date such as 2026-01-31"},
		{"GET", "/usageplans/PLAN/usage?startDate=2026-11-02&endDate=2026-11-01", "", 400, CodeBadRequest, "Invalid endDate: 2026-11-01. It must not be before startDate"},
		{"GET", "/usageplans/PLAN/usage?startDate=2026-01-01&endDate=2026-04-01", "", 400, CodeBadRequest, "Invalid endDate: 2026-04-01. It must be at most 89 days after startDate"},
		{"PATCH", "/usageplans/nope/keys/KEY/usage", "{}", 404, CodeNotFound, "Invalid Usage Plan ID specified"},
		{"PATCH", "/usageplans/PLAN/keys/nope/usage", "{}", 404, CodeNotFound, "Invalid API Key identifier specified"},
		{"PATCH", "/usageplans/PLAN/keys/KEY/usage", patchOf("add", "/remaining", "1"), 400, CodeBadRequest, "Invalid patch operation specified. Must be one of: [replace]"},
		{"PATCH", "/usageplans/PLAN/keys/KEY/usage", patchOf("replace", "/used", "1"), 400, CodeBadRequest, "Invalid patch path  '/used' specified for op 'replace'. Must be one of: [/remaining]"},
		{"PATCH", "/usageplans/PLAN/keys/KEY/usage", patchOf("replace", "/remaining", "-1"), 400, CodeBadRequest, "Invalid value for /remaining: it must be a whole number of requests from 0 to 2147483647"},
		{"PATCH", "/usageplans/PLAN/keys/KEY/usage", patchOf("replace", "/remaining", "many"), 400, CodeBadRequest, "Invalid value for /remaining: it must be a whole number of requests from 0 to 2147483647"},
		{"PATCH", "/usageplans/FREE/keys/KEY/usage", patchOf("replace", "/remaining", "5"), 400, CodeBadRequest, "usage plan FREE has no quota to grant requests of"},
	} {
		b.wantError(tt.method, names.Replace(tt.target), tt.body, tt.status, tt.code, names.Replace(tt.message))
	}

	// A key that left the plan still has its usage.
	b.want(202, "DELETE", "/usageplans/"+plan+"/keys/"+ids[0], "")
	if values := b.want(200, "GET", usage+days, "")["values"].(map[string]any); len(values) != 2 {
		t.Errorf("keys of the plan: %v", values)
	}
	if values := b.want(200, "GET", usage+days+"&keyId="+ids[0], "")["values"].(map[string]any); fmt.Sprint(values[ids[0]]) != "[[0 95] [7 88] [0 500]]" {
		t.Errorf("the key that left: %v", values)
	}
	b.wantError("PATCH", update, patchOf("replace", "/remaining", "5"), 404, CodeNotFound, "API Key "+ids[0]+" is not in Usage Plan "+plan)
}
