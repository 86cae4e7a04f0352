package state

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/sha256"
	"encoding/binary"

	"github.com/dchest/siphash"
)

// vault holds what is derived from the secret of the host (HKDF, RFC 5869): each
// use has a key of its own.
type vault struct {
	hashing    [16]byte    // of SipHash, under which an API key is found by its value
	sealing    cipher.AEAD // AES-256-GCM, for values of API keys at rest
	accessKeys cipher.AEAD // the same for secrets of access keys
	caches     []byte      // of saved response caches
	sockets    [32]byte    // of connection ids
	rates      [16]byte    // of SipHash, under which rate-based rules count
	check      []byte      // tells a wrong secret, and nothing about the right one
}

func newVault(secret []byte) (*vault, error) {
	derive := func(use string, size int) []byte {
		key, err := hkdf.Key(sha256.New, secret, nil, "tidegate "+use, size)
		if err != nil {
			panic("state: derive key: " + err.Error()) // only for sizes beyond 8,160 bytes
		}
		return key
	}
	sealing, err := newAEAD(derive("api key values: sealing", 32))
	if err != nil {
		return nil, err
	}
	accessKeys, err := newAEAD(derive("access key secrets: sealing", 32))
	if err != nil {
		return nil, err
	}
	return &vault{
		hashing:    [16]byte(derive("api key values: hashing", 16)),
		sealing:    sealing,
		accessKeys: accessKeys,
		caches:     derive("response caches: sealing", 32),
		sockets:    [32]byte(derive("connection ids: encryption", 32)),
		rates:      [16]byte(derive("rates of web ACLs: hashing", 16)),
		check:      derive("secret: check", 32),
	}, nil
}

func newAEAD(key []byte) (cipher.AEAD, error) {
	block, err := aes.NewCipher(key)
	if err != nil {
		return nil, err
	}
	return cipher.NewGCMWithRandomNonce(block)
}

// sum returns the keyed hash of a value: SipHash-2-4-128, its two words big
// endian.
func (v *vault) sum(value string) (hash [16]byte) {
	k0, k1 := binary.LittleEndian.Uint64(v.hashing[:8]), binary.LittleEndian.Uint64(v.hashing[8:])
	hi, lo := siphash.Hash128(k0, k1, []byte(value))
	binary.BigEndian.PutUint64(hash[:8], hi)
	binary.BigEndian.PutUint64(hash[8:], lo)
	return hash
}

// seal encrypts the value of the key with the id, which opens it for no other.
func (v *vault) seal(id, value string) []byte {
	return v.sealing.Seal(nil, nil, []byte(value), []byte(id))
}

func (v *vault) unseal(id string, sealed []byte) (string, error) {
	value, err := v.sealing.Open(nil, nil, sealed, []byte(id))
	return string(value), err
}

// sealSecret encrypts the secret of an access key, which opens for no other key
// and no other user.
func (v *vault) sealSecret(id, user, secret string) []byte {
	return v.accessKeys.Seal(nil, nil, []byte(secret), pairKey(id, user))
}

func (v *vault) unsealSecret(id, user string, sealed []byte) (string, error) {
	secret, err := v.accessKeys.Open(nil, nil, sealed, pairKey(id, user))
	return string(secret), err
}

// Secret returns the key of the SipHash-2-4-128 under which values of API keys
// are hashed, k0 and k1 little endian. It is the same as long as the secret file
// of the host is. Any goroutine may call it.
func (s *Store) Secret() [16]byte { return s.vault.hashing }

// CacheSecret returns the 32-byte key under which response caches are saved. It
// is the same as long as the secret file of the host is.
func (s *Store) CacheSecret() []byte { return s.vault.caches }

// ConnectionSecret returns the key that makes ids of WebSocket connections
// unforgeable. It is the same as long as the secret file of the host is.
func (s *Store) ConnectionSecret() [32]byte { return s.vault.sockets }

// RateSecret returns the key under which what rate-based rules count by is hashed. It
// is the same as long as the secret file of the host is.
func (s *Store) RateSecret() [16]byte { return s.vault.rates }
