package keys

import (
	"bytes"
	"crypto"
	"crypto/aes"
	"encoding/hex"
	"testing"
)

func unhex(t *testing.T, s string) []byte {
	t.Helper()
	b, err := hex.DecodeString(s)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// TestTrafficKeys is the server's handshake of RFC 8448, 3.
func TestTrafficKeys(t *testing.T) {
	p, _ := protectionOf(0x1301, version13)
	m := trafficKeys(p, unhex(t, "b67b7d690cc16c4e75e54213cb2d37b4e9c912bcded9105d42befd59d391ad38"))
	if !bytes.Equal(m.key, unhex(t, "3fce516009c21727d0f2e4e86ee403bc")) || !bytes.Equal(m.vector, unhex(t, "5d313eb2671276ee13000b30")) {
		t.Errorf("%x %x", m.key, m.vector)
	}
	m.wipe()
	if !bytes.Equal(m.all, make([]byte, 28)) {
		t.Error("not wiped")
	}
}

// TestCCM is example 3 of NIST SP 800-38C.
func TestCCM(t *testing.T) {
	block, _ := aes.NewCipher(unhex(t, "404142434445464748494a4b4c4d4e4f"))
	c := &ccm{block: block, tag: 8}
	sealed := unhex(t, "e3b201a9f5b71a7a9b1ceaeccd97e70b6176aad9a4428aa5484392fbc1b09951")
	plain, err := c.Open(nil, unhex(t, "101112131415161718191a1b"), sealed, unhex(t, "000102030405060708090a0b0c0d0e0f10111213"))
	if want := unhex(t, "202122232425262728292a2b2c2d2e2f3031323334353637"); err != nil || !bytes.Equal(plain, want) {
		t.Errorf("%x, %v", plain, err)
	}
}

// TestPseudorandom of TLS 1.2 is a vector of the IETF's TLS list that
// implementations share; the one of TLS 1.0 is held by the live tests.
func TestPseudorandom(t *testing.T) {
	out := make([]byte, 100)
	pseudorandom(crypto.SHA256, version12, out, unhex(t, "9bbe436ba940f017b17652849a71db35"), "test label", unhex(t, "a0ba9f936cda311827a6f796ffd5198c"))
	want := unhex(t, "e3f229ba727be17b8d122620557cd453c2aab21d07c3d495329b52d4e61edb5a6b301791e90d35c9c9a46b4e14baf9af0fa022f7077def17abfd3797c0564bab4fbc91666e9def9b97fce34f796789baa48082d122ee42c5a72e5a5110fff70187347b66")
	if !bytes.Equal(out, want) {
		t.Errorf("%x", out)
	}
}
