package cachestore

import (
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/rand"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
)

// ErrDamaged is returned for a saved file that ends early, was changed, or was
// sealed with another secret.
var ErrDamaged = errors.New("cachestore: the saved file is damaged or of another secret")

// A saved file is a head followed by frames: a length (4 bytes) and that many
// bytes sealed with AES-256-GCM. The key belongs to this file alone: it is
// derived from the secret and all of the head, in which there is a random salt.
// So the number of a frame can be its nonce, which makes frames that are
// missing, repeated or in another order fail to open. The last record says that
// it is, which gives away a file that was cut off between frames.
//
// Without a secret the key can be derived by anyone: the seal then is a
// checksum, and hides nothing.
const (
	magic        = "tidegate cache 1"
	saltBytes    = 32
	headBytes    = len(magic) + 8 + saltBytes // magic, time of saving, salt
	sealBytes    = 16
	frameBytes   = 256 << 10               // a frame is sealed when it has that many
	maxFrame     = MaxValue + 2*frameBytes // and has one entry more at most
	lengthBytes  = 4
	secretsBytes = 32
)

func newHead(wall int64) []byte {
	head := make([]byte, headBytes)
	copy(head, magic)
	binary.LittleEndian.PutUint64(head[len(magic):], uint64(wall))
	rand.Read(head[headBytes-saltBytes:]) // never fails
	return head
}

// readHead reads the head of a file and when it was saved.
func readHead(r io.Reader) (head []byte, wall int64, err error) {
	head = make([]byte, headBytes)
	if _, err := io.ReadFull(r, head); err != nil || string(head[:len(magic)]) != magic {
		return nil, 0, ErrDamaged
	}
	return head, int64(binary.LittleEndian.Uint64(head[len(magic):])), nil
}

// frames seals or opens the frames of one file, one after the other.
type frames struct {
	aead   cipher.AEAD
	number uint64
	sealed []byte
}

func newFrames(secret, head []byte) (*frames, error) {
	if len(secret) != 0 && len(secret) != secretsBytes {
		return nil, fmt.Errorf("cachestore: the secret has %d bytes, want %d", len(secret), secretsBytes)
	}
	key, err := hkdf.Key(sha256.New, secret, head[headBytes-saltBytes:], string(head), 32)
	if err != nil {
		return nil, err
	}
	block, err := aes.NewCipher(key)
	if err != nil {
		return nil, err
	}
	aead, err := cipher.NewGCM(block)
	return &frames{aead: aead}, err
}

func (f *frames) nonce() []byte {
	var nonce [12]byte
	binary.BigEndian.PutUint64(nonce[4:], f.number)
	f.number++
	return nonce[:]
}

func (f *frames) write(w io.Writer, plain []byte) error {
	f.sealed = binary.LittleEndian.AppendUint32(f.sealed[:0], uint32(len(plain)+sealBytes))
	f.sealed = f.aead.Seal(f.sealed, f.nonce(), plain, nil)
	_, err := w.Write(f.sealed)
	return err
}

// read returns the next frame, valid until the next read. The error is
// [ErrDamaged] or that of r.
func (f *frames) read(r io.Reader) ([]byte, error) {
	var length [lengthBytes]byte
	if _, err := io.ReadFull(r, length[:]); err != nil {
		return nil, damaged(err)
	}
	n := int64(binary.LittleEndian.Uint32(length[:]))
	if n < sealBytes || n > maxFrame+sealBytes {
		return nil, ErrDamaged
	}
	// A forged length takes no more memory than there is file.
	sealed := bytes.NewBuffer(f.sealed[:0])
	if _, err := io.CopyN(sealed, r, n); err != nil {
		return nil, damaged(err)
	}
	f.sealed = sealed.Bytes()
	plain, err := f.aead.Open(f.sealed[:0], f.nonce(), f.sealed, nil)
	if err != nil {
		return nil, ErrDamaged
	}
	return plain, nil
}

func damaged(err error) error {
	if err == io.EOF || err == io.ErrUnexpectedEOF {
		return ErrDamaged
	}
	return err
}
