package keys

import (
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"crypto/des"
	"crypto/hmac"
	"crypto/rc4"
	"encoding/binary"
	"fmt"
	"slices"
	"strings"
	"testing"
)

// sealer makes the records that a Direction opens.
type sealer struct {
	p      protection
	hello  Handshake
	m      material
	number uint64
	chain  []byte // TLS 1.0
	rc4    *rc4.Cipher
}

// way is one in which records are protected.
type way struct {
	name           string
	version, suite uint16
	encryptThenMAC bool
}

// ways has each cipher in each form that the versions gave it.
var ways = []way{
	{"1.3 AES-128-GCM", version13, 0x1301, false},
	{"1.3 AES-256-GCM", version13, 0x1302, false},
	{"1.3 ChaCha20", version13, 0x1303, false},
	{"1.3 AES-128-CCM", version13, 0x1304, false},
	{"1.3 AES-128-CCM-8", version13, 0x1305, false},
	{"1.2 AES-128-GCM", version12, 0xC02F, false},
	{"1.2 AES-256-GCM", version12, 0xC030, false},
	{"1.2 ChaCha20", version12, 0xCCA8, false},
	{"1.2 AES-256-CCM", version12, 0xC09D, false},
	{"1.2 AES-128-CCM-8", version12, 0xC0AE, false},
	{"1.2 AES-128-CBC-SHA", version12, 0x002F, false},
	{"1.2 AES-256-CBC-SHA256", version12, 0x003D, true},
	{"1.2 AES-256-CBC-SHA384", version12, 0xC028, false},
	{"1.1 3DES-CBC-SHA", version11, 0x000A, false},
	{"1.0 AES-256-CBC-SHA", version10, 0x0035, false},
	{"1.0 AES-256-CBC-SHA, encrypt then MAC", version10, 0x0035, true},
	{"1.0 DES-CBC-SHA", version10, 0x0009, false},
	{"1.2 RC4-SHA", version12, 0x0005, false},
	{"1.0 RC4-MD5", version10, 0x0004, false},
}

func wayNamed(name string) way {
	return ways[slices.IndexFunc(ways, func(w way) bool { return w.name == name })]
}

func (w way) hello() *Handshake {
	h := &Handshake{Version: w.version, Suite: w.suite, EncryptThenMAC: w.encryptThenMAC}
	for i := range h.ClientRandom {
		h.ClientRandom[i], h.ServerRandom[i] = byte(i), byte(0x80+i)
	}
	return h
}

// keyLog has lines for the connection of hello, of any version.
func (w way) keyLog() string {
	h := w.hello()
	size := 32
	if p, known := protectionOf(w.suite, w.version); known && w.version == version13 {
		size = p.prf.Size()
	}
	var b strings.Builder
	for i, label := range []string{"CLIENT_RANDOM", "CLIENT_HANDSHAKE_TRAFFIC_SECRET", "SERVER_HANDSHAKE_TRAFFIC_SECRET",
		"CLIENT_TRAFFIC_SECRET_0", "SERVER_TRAFFIC_SECRET_0", "CLIENT_EARLY_TRAFFIC_SECRET"} {
		n := size
		if i == 0 {
			n = masterLength
		}
		fmt.Fprintf(&b, "%s %x %x\n", label, h.ClientRandom, bytes.Repeat([]byte{0xA0 + byte(i)}, n))
	}
	return b.String()
}

func (w way) start(t testing.TB) (*Direction, *sealer) {
	t.Helper()
	log := logOf(t, []byte(w.keyLog()))
	d := new(Direction)
	if err := d.Rekey(log, w.hello(), Server, Application); err != nil {
		t.Fatal(w.name, err)
	}
	return d, newSealer(t, log, w.hello(), Application)
}

func newSealer(t testing.TB, log *Log, hello *Handshake, epoch Epoch) *sealer {
	p, known := protectionOf(hello.Suite, hello.Version)
	if !known {
		t.Fatalf("suite %04x", hello.Suite)
	}
	s := &sealer{p: p, hello: *hello}
	if hello.Version == version13 {
		traffic, _ := log.trafficOf(p, hello, Server, epoch)
		s.m = trafficKeys(p, traffic.octets())
	} else {
		master, _ := log.masterOf(p, hello)
		s.m = keyBlock(p, hello, Server, master.octets())
		s.chain = s.m.vector
	}
	if p.algorithm == rc4Stream {
		s.rc4, _ = rc4.NewCipher(s.m.key)
	}
	return s
}

// seal protects a text; padding is that of TLS 1.3, or blocks of CBC.
func (s *sealer) seal(kind byte, text []byte, padding int) Record {
	r := Record{Type: kind, Version: min(s.hello.Version, version12)}
	switch s.p.algorithm {
	case rc4Stream:
		r.Body = append(bytes.Clone(text), s.sum(r, text)...)
		s.rc4.XORKeyStream(r.Body, r.Body)
	case aesCBC, desCBC, tripleDES:
		r.Body = s.cbc(r, text, padding)
	default:
		r = s.authenticated(r, text, padding)
	}
	s.number++
	return r
}

func (s *sealer) sum(r Record, b []byte) []byte {
	mac := hmac.New(s.p.mac.New, s.m.mac)
	mac.Write(s.header(r, len(b)))
	mac.Write(b)
	return mac.Sum(nil)
}

func (s *sealer) header(r Record, length int) []byte {
	b := binary.BigEndian.AppendUint64(nil, s.number)
	b = append(b, r.Type)
	b = binary.BigEndian.AppendUint16(b, r.Version)
	return binary.BigEndian.AppendUint16(b, uint16(length))
}

func (s *sealer) cbc(r Record, text []byte, padding int) []byte {
	var c cipher.Block
	switch s.p.algorithm {
	case desCBC:
		c, _ = des.NewCipher(s.m.key)
	case tripleDES:
		c, _ = des.NewTripleDESCipher(s.m.key)
	default:
		c, _ = aes.NewCipher(s.m.key)
	}
	size := c.BlockSize()
	b := bytes.Clone(text)
	if !s.hello.EncryptThenMAC {
		b = append(b, s.sum(r, text)...)
	}
	n := size - len(b)%size + padding*size
	b = append(b, bytes.Repeat([]byte{byte(n - 1)}, n)...)
	vector, explicit := s.chain, s.hello.Version >= version11
	if explicit {
		vector = bytes.Repeat([]byte{byte(s.number)}, size)
	}
	cipher.NewCBCEncrypter(c, vector).CryptBlocks(b, b)
	s.chain = bytes.Clone(b[len(b)-size:])
	if explicit {
		b = append(vector, b...)
	}
	if s.hello.EncryptThenMAC {
		b = append(b, s.sum(r, b)...)
	}
	return b
}

func (s *sealer) authenticated(r Record, text []byte, padding int) Record {
	c := newCipher(s.p, s.m.key)
	if weak, ok := c.(*ccm); ok {
		c = ccmSealer{weak}
	}
	nonce := append(bytes.Clone(s.m.vector), make([]byte, nonceLength-len(s.m.vector))...)
	tail := nonce[nonceLength-8:]
	binary.BigEndian.PutUint64(tail, binary.BigEndian.Uint64(tail)^s.number)
	if s.hello.Version == version13 {
		inner := append(append(bytes.Clone(text), r.Type), make([]byte, padding)...)
		r.Type = typeData
		header := s.header(r, len(inner)+c.Overhead())[8:]
		r.Body = c.Seal(nil, nonce, inner, header)
		return r
	}
	if s.p.algorithm != chacha20 {
		r.Body = bytes.Clone(tail)
	}
	r.Body = c.Seal(r.Body, nonce, text, s.header(r, len(text)))
	return r
}

// ccmSealer can what ccm need not.
type ccmSealer struct{ *ccm }

func (c ccmSealer) Seal(dst, nonce, text, authenticated []byte) []byte {
	c.counter = [16]byte{2}
	copy(c.counter[1:], nonce)
	c.block.Encrypt(c.stream[:], c.counter[:])
	hidden := c.stream
	c.begin(nonce, authenticated, len(text))
	c.add(text)
	out := make([]byte, len(text))
	c.crypt(out, text)
	dst = append(dst, out...)
	for i := range c.tag {
		dst = append(dst, c.sum[i]^hidden[i])
	}
	return dst
}
