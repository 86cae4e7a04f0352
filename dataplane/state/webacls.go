package state

import (
	"fmt"

	bolt "go.etcd.io/bbolt"

	"github.com/tidegate/tidegate/dataplane/definition"
)

// The address ranges of an IP set are a record of their own: they are bytes, not
// JSON, and as large as what is next to them is small.

func (w *writing) putWebACL(a *definition.WebACL) error {
	if err := checkID(a.ID); err != nil {
		return fmt.Errorf("web ACL: %w", err)
	}
	return put(w.webACLs, []byte(a.ID), a)
}

// deleteWebACL has the APIs checked whose stages may still name the web ACL. A
// missing one is fine.
func (w *writing) deleteWebACL(id string) error {
	err := w.stages.ForEach(func(key, value []byte) error {
		var st definition.Stage
		if err := decode(key, value, &st); err != nil {
			return err
		}
		if st.WebACLID == id {
			w.touched[st.APIID] = true
		}
		return nil
	})
	if err != nil {
		return err
	}
	return w.webACLs.Delete([]byte(id))
}

func (w *writing) putIPSet(set *definition.IPSet) error {
	if err := checkID(set.ID); err != nil {
		return fmt.Errorf("IP set: %w", err)
	}
	id := []byte(set.ID)
	if err := put(w.ipSets, id, set); err != nil {
		return err
	}
	return replace(w.ipSetAddresses, id, []byte(set.Addresses.Packed()))
}

func (w *writing) deleteIPSet(id string) error {
	if err := w.ipSets.Delete([]byte(id)); err != nil {
		return err
	}
	return w.ipSetAddresses.Delete([]byte(id))
}

func (w *writing) putRegexPatternSet(set *definition.RegexPatternSet) error {
	if err := checkID(set.ID); err != nil {
		return fmt.Errorf("regex pattern set: %w", err)
	}
	return put(w.regexPatternSets, []byte(set.ID), set)
}

func (w *writing) deleteRegexPatternSet(id string) error {
	return w.regexPatternSets.Delete([]byte(id))
}

func (l *loading) webACL(key, value []byte) error {
	a := new(definition.WebACL)
	if err := decode(key, value, a); err != nil {
		return err
	}
	l.catalog.WebACLs[a.ID] = a
	return nil
}

func (l *loading) ipSet(key, value []byte) error {
	set := new(definition.IPSet)
	if err := decode(key, value, set); err != nil {
		return err
	}
	packed := l.tx.Bucket(bucketIPSetAddresses).Get(key)
	if packed == nil {
		return fmt.Errorf("IP set %s has no addresses", key)
	}
	text, err := unframe(key, packed)
	if err != nil {
		return err
	}
	if set.Addresses, err = definition.UnpackPrefixes(text); err != nil {
		return fmt.Errorf("IP set %s: %w", key, err)
	}
	l.catalog.IPSets[set.ID] = set
	return nil
}

func (l *loading) regexPatternSet(key, value []byte) error {
	set := new(definition.RegexPatternSet)
	if err := decode(key, value, set); err != nil {
		return err
	}
	l.catalog.RegexPatternSets[set.ID] = set
	return nil
}

func addWebACLs(tx *bolt.Tx) error {
	return createBuckets(tx, bucketWebACLs, bucketIPSets, bucketIPSetAddresses, bucketRegexPatternSets)
}
