package state

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"math"
	"slices"

	bolt "go.etcd.io/bbolt"

	"github.com/tidegate/tidegate/dataplane/definition"
)

const (
	// historyDays is how many days of usage are kept: days on which something
	// was used, and not of the calendar, so that a clock that once stepped far
	// ahead does not wipe out the history.
	historyDays = 90

	// pruneStep bounds the old records that one write removes. The next write
	// goes on.
	pruneStep = 10_000

	daySize = 8
)

// historyKey begins with the day, so that what is old is next to each other.
func historyKey(day int64, pair []byte) []byte {
	return append(binary.BigEndian.AppendUint64(nil, uint64(day)), pair...)
}

func dayOf(key []byte) (int64, error) {
	if len(key) < daySize {
		return 0, fmt.Errorf("usage of %q has no day", key)
	}
	return int64(binary.BigEndian.Uint64(key)), nil
}

// daysOf lists the days of the history, ascending: one seek for each.
func daysOf(history *bolt.Bucket) (days []int64, err error) {
	c := history.Cursor()
	for k, _ := c.First(); k != nil; {
		day, err := dayOf(k)
		if err != nil {
			return nil, err
		}
		days = append(days, day)
		if day == math.MaxInt64 {
			break
		}
		k, _ = c.Seek(historyKey(day+1, nil))
	}
	return days, nil
}

// prune removes records of the days before the newest historyDays.
func prune(history *bolt.Bucket) error {
	days, err := daysOf(history)
	if err != nil || len(days) <= historyDays {
		return err
	}
	oldest := historyKey(days[len(days)-historyDays], nil)
	var old [][]byte
	c := history.Cursor()
	for k, _ := c.First(); k != nil && bytes.Compare(k, oldest) < 0 && len(old) < pruneStep; k, _ = c.Next() {
		old = append(old, bytes.Clone(k))
	}
	return forEach(nil, old, history.Delete)
}

func readHistory(key, value []byte) (definition.Usage, error) {
	text, err := unframe(key, value)
	if err != nil {
		return definition.Usage{}, err
	}
	u, _, err := readUsage(key, text)
	return u, err
}

// Usage returns what the API key used of the usage plan on the days from and to,
// since the Unix epoch, and between them: one Usage for each day, ascending, none
// for a day without requests. Before these comes the newest one of a day before
// from, if the history has any: it tells what remained when from began, unless a
// new window of the quota has begun since.
func (s *Store) Usage(planID, keyID string, from, to int64) (us []definition.Usage, err error) {
	err = s.read(func(tx *bolt.Tx) error {
		us, err = usageBetween(tx.Bucket(bucketUsageHistory), pairKey(planID, keyID), max(from, 0), to)
		return err
	})
	for i := range us {
		us[i].PlanID, us[i].KeyID = planID, keyID
	}
	return us, err
}

// usageBetween looks the pair up on each day that has a record of anyone.
func usageBetween(history *bolt.Bucket, pair []byte, from, to int64) (us []definition.Usage, err error) {
	days, err := daysOf(history)
	if err != nil {
		return nil, err
	}
	for i := len(days) - 1; i >= 0; i-- { // backwards, to stop at the first before from
		if days[i] > to {
			continue
		}
		key := historyKey(days[i], pair)
		value := history.Get(key)
		if value == nil {
			continue
		}
		u, err := readHistory(key, value)
		if err != nil {
			return nil, err
		}
		us = append(us, u)
		if days[i] < from {
			break
		}
	}
	slices.Reverse(us)
	return us, nil
}
