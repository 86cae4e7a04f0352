package control

import (
	"net/url"
	"strconv"
	"time"

	"github.com/tidegate/tidegate/dataplane/definition"
)

// maxUsageDays is how long usage is kept, and how many days one answer has.
const maxUsageDays = 90

// getUsage tells the usage of one key, which need not be in the plan any more,
// or of the keys that are in it.
func (s *Server) getUsage(r *request) (int, any, error) {
	from, to, err := usageDays(r.query)
	if err != nil {
		return 0, nil, err
	}
	after, limit, err := pageBounds(r.query)
	if err != nil {
		return 0, nil, err
	}
	p, err := s.plan(s.gateway.Catalog(), r.params["plan"])
	if err != nil {
		return 0, nil, err
	}
	answer := wireUsage(p, from, to)
	if id := r.query.Get("keyId"); id != "" {
		if _, err := s.key(id); err != nil {
			return 0, nil, err
		}
		return 200, answer, s.addUsage(&answer, p, id, from, to)
	}
	keys, more, err := s.gateway.Keys().PlanKeys(p.ID, after, limit, nil)
	if err != nil {
		return 0, nil, err
	}
	for _, k := range keys {
		if err := s.addUsage(&answer, p, k.ID, from, to); err != nil {
			return 0, nil, err
		}
		after = k.ID
	}
	if more {
		answer.Position = position(after)
	}
	return 200, answer, nil
}

// updateUsage sets what remains of a key's quota in the current period.
func (s *Server) updateUsage(r *request) (int, any, error) {
	ops, err := decodePatch(r.body, "updateUsageInput")
	if err != nil {
		return 0, nil, err
	}
	p, err := s.plan(s.gateway.Catalog(), r.params["plan"])
	if err != nil {
		return 0, nil, err
	}
	k, err := s.planKey(s.gateway.Catalog(), p.ID, r.params["key"])
	if err != nil {
		return 0, nil, err
	}
	remaining := int64(-1) // as it is
	for _, op := range ops {
		if op.Path != "/remaining" {
			return 0, nil, unknownPath(op, "/remaining")
		}
		if err := only(op, "replace"); err != nil {
			return 0, nil, err
		}
		if remaining, err = strconv.ParseInt(op.Value, 10, 32); err != nil || remaining < 0 {
			return 0, nil, badRequest("Invalid value for /remaining: it must be a whole number of requests from 0 to %d", maxQuota)
		}
	}
	if remaining >= 0 {
		if err := s.gateway.Grant(p.ID, k.ID, remaining); err != nil {
			return 0, nil, err
		}
	}
	today := dayOf(s.now())
	answer := wireUsage(p, today, today)
	return 200, answer, s.addUsage(&answer, p, k.ID, today, today)
}

func wireUsage(p *definition.UsagePlan, from, to int64) Usage {
	return Usage{UsagePlanID: p.ID, StartDate: dateOf(from), EndDate: dateOf(to), Values: map[string][][2]int64{}}
}

func (s *Server) addUsage(answer *Usage, p *definition.UsagePlan, keyID string, from, to int64) error {
	records, err := s.gateway.Usage(p.ID, keyID, from, to)
	if err == nil {
		answer.Values[keyID] = dailyUsage(records, p.Quota, from, to)
	}
	return err
}

// usageDays reads the dates of a query, as days since the Unix epoch.
func usageDays(query url.Values) (from, to int64, err error) {
	var missing []string
	for _, name := range []string{"startDate", "endDate"} {
		if query.Get(name) == "" {
			missing = append(missing, mustNotBeNull("getUsageInput."+name))
		}
	}
	if err := validation(missing); err != nil {
		return 0, 0, err
	}
	if from, err = parseDate(query, "startDate"); err != nil {
		return 0, 0, err
	}
	if to, err = parseDate(query, "endDate"); err != nil {
		return 0, 0, err
	}
	switch days := to - from + 1; {
	case days < 1:
		return 0, 0, badRequest("Invalid endDate: %s. It must not be before startDate", query.Get("endDate"))
	case days > maxUsageDays:
		return 0, 0, badRequest("Invalid endDate: %s. It must be at most %d days after startDate", query.Get("endDate"), maxUsageDays-1)
	}
	return from, to, nil
}

func parseDate(query url.Values, name string) (int64, error) {
	t, err := time.Parse(time.DateOnly, query.Get(name))
	if err != nil {
		return 0, badRequest("Invalid %s: %s. It must be a date such as 2026-01-31", name, query.Get(name))
	}
	return dayOf(t), nil
}
