package privacy

import (
	"bytes"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base32"
	"encoding/hex"
	"errors"
	"hash"
	"net/netip"
)

// Key makes pseudonyms. Who has it can find out whose they are, by trying.
type Key []byte

const (
	leastKey = 32 // octets: what HMAC-SHA256 can use
	mostKey  = 64
)

// NewKey makes a key at random.
func NewKey() Key {
	k := make(Key, leastKey)
	rand.Read(k) // never fails
	return k
}

// Text is the key as a file holds it.
func (k Key) Text() string { return hex.EncodeToString(k) + "\n" }

// ParseKey reads what Text wrote. Its error quotes nothing: the text may be a secret.
func ParseKey(text []byte) (Key, error) {
	text = bytes.TrimSpace(text)
	k := make(Key, hex.DecodedLen(len(text)))
	if _, err := hex.Decode(k, text); err != nil || len(k) < leastKey || len(k) > mostKey {
		return nil, errors.New("holds no key, it must be 64 to 128 hexadecimal digits")
	}
	return k, nil
}

// kind keeps pseudonyms of different kinds apart: a subject that reads like an
// address is none.
type kind byte

// Kinds of pseudonyms.
const (
	aMailbox kind = 'm' // local part or login name
	aDomain  kind = 'd'
	aSubject kind = 's'
	aFile    kind = 'f'
	aClient  kind = 'c'
	aSession kind = 'i'
	aPrint   kind = 'p'
	aThing   kind = 't' // of a certificate
)

// words are letters and digits that nobody confuses.
var words = base32.NewEncoding("abcdefghijklmnopqrstuvwxyz234567").WithPadding(base32.NoPadding)

// Of a digest, wordLetters are in a pseudonym: 60 bits, so that among a million
// values hardly two are alike.
const (
	wordOctets  = 8
	wordLetters = 12
)

// signer makes digests of values.
type signer struct{ mac hash.Hash }

func newSigner(k Key) signer { return signer{hmac.New(sha256.New, k)} }

func (s signer) sum(k kind, value string) (out [sha256.Size]byte) {
	s.mac.Reset()
	s.mac.Write([]byte{byte(k)})
	s.mac.Write([]byte(value))
	s.mac.Sum(out[:0])
	return out
}

// word is a value's pseudonym.
func (s signer) word(k kind, value string) string {
	sum := s.sum(k, value)
	return words.EncodeToString(sum[:wordOctets])[:wordLetters]
}

// Of is the pseudonym of a mail address, a login name or a client's address: for
// who has the key and wants to find a value.
func Of(text string, k Key) string {
	m := New(Settings{Addresses: Pseudonym, Clients: Pseudonym}, k)
	if a, err := netip.ParseAddr(text); err == nil {
		return m.client(a).String()
	}
	return m.address(text)
}
