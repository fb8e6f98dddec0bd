package tls

import (
	"crypto"
	"hash"
	"strings"
)

// transcript is the hash of a handshake's messages up to the client's key
// exchange. A pre-master secret of RSA key exchange is of use only with it,
// where the extended master secret was agreed on (RFC 7627, 4).
type transcript struct {
	hello []byte      // the client's, until the suite tells the hash
	sums  []hash.Hash // none where it is not needed or was missed
	begun bool

	header [messageHeader]byte // the newest: hashes take it from here, so that messages stay where they are
}

// transcribeHeader takes the header of a message.
func (o *opening) transcribeHeader(header *[messageHeader]byte) {
	if o == nil {
		return
	}
	if header[0] == messageClientHello {
		o.transcript = transcript{begun: true}
	}
	o.transcript.header = *header
	o.transcribe(o.transcript.header[:])
}

// transcribe takes the next octets of messages, of both sides in their order.
func (o *opening) transcribe(b []byte) {
	if o == nil || !o.transcript.begun {
		return
	}
	t := &o.transcript
	const longest = 16 << 10 // RSA key exchange needs no large key shares
	switch {
	case len(t.sums) > 0:
		for _, sum := range t.sums {
			sum.Write(b)
		}
	case len(t.hello)+len(b) > longest:
		*t = transcript{}
	default:
		t.hello = append(t.hello, b...)
	}
}

// choose has the suite of the server's hello, the newest message.
func (t *transcript) choose(c *choice) {
	name := cipherName(c.suite)
	ephemeral := strings.Contains(name, "DH") || strings.Contains(name, "PSK") || strings.Contains(name, "SRP")
	if !t.begun || c.version >= version13 || !c.extendedMaster || ephemeral {
		*t = transcript{}
		return
	}
	switch {
	case c.version < version12:
		t.sums = []hash.Hash{crypto.MD5.New(), crypto.SHA1.New()}
	case strings.HasSuffix(name, "SHA384"):
		t.sums = []hash.Hash{crypto.SHA384.New()}
	default:
		t.sums = []hash.Hash{crypto.SHA256.New()}
	}
	for _, sum := range t.sums {
		sum.Write(t.hello)
	}
	t.hello = nil
}

// sum ends the transcript; nil where it has none.
func (t *transcript) sum() (all []byte) {
	for _, sum := range t.sums {
		all = sum.Sum(all)
	}
	*t = transcript{}
	return all
}
