package keys

import (
	"crypto"
	"crypto/hkdf"
	"crypto/hmac"
	"crypto/subtle"
)

const masterLength = 48

// expand fills out with the data expansion of RFC 5246, 5: P_hash.
func expand(h crypto.Hash, out, secret []byte, label string, seed ...[]byte) {
	mac := hmac.New(h.New, secret)
	write := func() {
		mac.Write([]byte(label))
		for _, s := range seed {
			mac.Write(s)
		}
	}
	write()
	a := mac.Sum(nil)
	defer clear(a)
	block := make([]byte, 0, mac.Size())
	for len(out) > 0 {
		mac.Reset()
		mac.Write(a)
		write()
		block = mac.Sum(block[:0])
		out = out[copy(out, block):]
		mac.Reset()
		mac.Write(a)
		a = mac.Sum(a[:0])
	}
	clear(block)
}

// pseudorandom is the PRF of a version up to TLS 1.2. Before 1.2 two hashes
// share the secret (RFC 2246, 5).
func pseudorandom(h crypto.Hash, version uint16, out, secret []byte, label string, seed ...[]byte) {
	if version >= version12 {
		expand(h, out, secret, label, seed...)
		return
	}
	half := (len(secret) + 1) / 2
	expand(crypto.MD5, out, secret[:half], label, seed...)
	other := make([]byte, len(out))
	expand(crypto.SHA1, other, secret[len(secret)-half:], label, seed...)
	subtle.XORBytes(out, out, other)
	clear(other)
}

// fromPreMaster computes the master secret (RFC 5246, 8.1; RFC 7627, 4).
func fromPreMaster(h crypto.Hash, hello *Handshake, preMaster []byte) (master secret) {
	master.n = masterLength
	if hello.ExtendedMaster {
		pseudorandom(h, hello.Version, master.b[:], preMaster, "extended master secret", hello.SessionHash)
	} else {
		pseudorandom(h, hello.Version, master.b[:], preMaster, "master secret", hello.ClientRandom[:], hello.ServerRandom[:])
	}
	return master
}

// material is what protects the records of one direction. It is wiped when
// the ciphers have it.
type material struct {
	mac, key, vector []byte
	all              []byte // what backs them
}

func (m *material) wipe() { clear(m.all) }

// keyBlock cuts the keys of one direction out of the key block (RFC 5246, 6.3).
func keyBlock(p protection, hello *Handshake, from Sender, master []byte) material {
	nmac, nkey, nvector := p.macKey(), p.key, p.fixedVector()
	all := make([]byte, 2*(nmac+nkey+nvector))
	pseudorandom(p.prf, hello.Version, all, master, "key expansion", hello.ServerRandom[:], hello.ClientRandom[:])
	m := material{all: all}
	take := func(n int) []byte { // the client's comes before the server's
		pair := all[:2*n]
		all = all[2*n:]
		if from == Server {
			return pair[n:]
		}
		return pair[:n]
	}
	m.mac, m.key, m.vector = take(nmac), take(nkey), take(nvector)
	return m
}

// trafficKeys are those of a traffic secret (RFC 8446, 7.3).
func trafficKeys(p protection, traffic []byte) material {
	const vector = 12
	all := make([]byte, p.key+vector)
	expandLabel(p.prf, all[:p.key], traffic, "key")
	expandLabel(p.prf, all[p.key:], traffic, "iv")
	return material{all: all, key: all[:p.key], vector: all[p.key:]}
}

// nextTraffic is the secret after a KeyUpdate (RFC 8446, 7.2).
func nextTraffic(h crypto.Hash, traffic *secret) (next secret) {
	next.n = traffic.n
	expandLabel(h, next.octets(), traffic.octets(), "traffic upd")
	return next
}

// expandLabel is HKDF-Expand-Label without a context (RFC 8446, 7.1).
func expandLabel(h crypto.Hash, out, secret []byte, label string) {
	label = "tls13 " + label
	info := string([]byte{byte(len(out) >> 8), byte(len(out)), byte(len(label))}) + label + "\x00"
	// The one error is that of a length beyond 255 hashes.
	okm, _ := hkdf.Expand(h.New, secret, info, len(out))
	copy(out, okm)
	clear(okm)
}
