package state

import (
	"errors"
	"fmt"
	"strings"

	"github.com/tidegate/tidegate/dataplane/definition"
)

// keyRecord is an API key as it is stored: its value is sealed.
type keyRecord struct {
	*definition.APIKey
	Sealed []byte `json:"sealedValue"`
}

// readKey decodes a keyRecord and unseals its value.
func (v *vault) readKey(id, value []byte) (keyRecord, error) {
	var r keyRecord
	if err := decode(id, value, &r); err != nil {
		return r, err
	}
	var err error
	if r.Value, err = v.unseal(r.ID, r.Sealed); err != nil {
		return r, fmt.Errorf("value of API key %s: %w", id, err)
	}
	return r, nil
}

// valueRecord is what is found under the hash of a key's value, short because a
// start reads all of them: whether the key is enabled in one byte, and its id.
func valueRecord(id string, enabled bool) []byte {
	if enabled {
		return append([]byte{1}, id...)
	}
	return append([]byte{0}, id...)
}

func readValueRecord(hash, value []byte) (id string, enabled bool, err error) {
	text, err := unframe(hash, value)
	if err != nil {
		return "", false, err
	}
	if len(hash) != 16 || len(text) < 2 {
		return "", false, fmt.Errorf("record %q is no value of an API key", hash)
	}
	return string(text[1:]), text[0] == 1, nil
}

// checkID keeps out what would be taken apart at another place.
func checkID(id string) error {
	if id == "" || strings.Contains(id, "/") {
		return fmt.Errorf("%q is no id", id)
	}
	return nil
}

func (w *writing) putKey(k *definition.APIKey) error {
	if err := w.putKeyRecord(k); err != nil {
		return fmt.Errorf("API key %s: %w", k.ID, err)
	}
	return nil
}

func (w *writing) putKeyRecord(k *definition.APIKey) error {
	if err := checkID(k.ID); err != nil {
		return err
	}
	id := []byte(k.ID)
	r := keyRecord{APIKey: k}
	value := k.Value
	if before := w.keys.Get(id); before != nil {
		old, err := w.vault.readKey(id, before)
		switch {
		case err != nil:
			return err
		case value != "" && value != old.Value:
			return errors.New("its value cannot be changed: make another key")
		}
		value, r.Sealed = old.Value, old.Sealed
	} else {
		if value == "" {
			return errors.New("it has no value")
		}
		r.Sealed = w.vault.seal(k.ID, value)
	}
	hash := w.vault.sum(value)
	if taken := w.keyValues.Get(hash[:]); taken != nil {
		owner, _, err := readValueRecord(hash[:], taken)
		switch {
		case err != nil:
			return err
		case owner != k.ID:
			return fmt.Errorf("its value is that of API key %s", owner)
		}
	}
	if err := replace(w.keyValues, hash[:], valueRecord(k.ID, k.Enabled)); err != nil {
		return err
	}
	return put(w.keys, id, r)
}

// deleteKey takes the key out of all plans and forgets what it used. A missing
// key is fine.
func (w *writing) deleteKey(id string) error {
	value := w.keys.Get([]byte(id))
	if value == nil {
		return nil
	}
	r, err := w.vault.readKey([]byte(id), value)
	if err != nil {
		return err
	}
	hash := w.vault.sum(r.Value)
	if err := w.keyValues.Delete(hash[:]); err != nil {
		return err
	}
	plans, err := pairsUnder(w.keyPlans, id)
	if err != nil {
		return err
	}
	for _, plan := range plans {
		if err := w.deletePlanKey(definition.PlanKey{PlanID: plan, KeyID: id}); err != nil {
			return err
		}
	}
	if err := w.deleteUsageOfKey(id); err != nil {
		return err
	}
	return w.keys.Delete([]byte(id))
}
