package mail

import (
	"math/rand/v2"
	"strings"
	"testing"
)

// fragments are what messages with traps are made of.
var fragments = strings.Split("\r\n|\r\n\r\n|\n|\r| |-|--|--b|--b--|--b\r\n|\r\n--b\r\n|\r\n--b--\r\n|\r\n--bb\r\n|--bb--\r\n|\r\n--b \t\r\n|"+
	"Content-Type: multipart/mixed; boundary=b\r\n|Content-Type: multipart/report; boundary=bb; report-type=delivery-status\r\n|"+
	"Content-Type: multipart/mixed; boundary=b--; boundary=c\r\n\r\n|Content-Type: message/rfc822\r\n\r\n|Content-Type: message/rfc822\r\nContent-Transfer-Encoding: base64\r\n\r\n|"+
	"Content-Disposition: attachment; filename=x.zip\r\n|Content-Disposition: attachment;\r\n filename*0=a;\r\n\tfilename*1*=''%41\r\n|"+
	"Content-Transfer-Encoding: base64\r\n\r\n|Content-Transfer-Encoding: quoted-printable\r\n\r\n|Content-Transfer-Encoding: x-uuencode\r\n\r\nbegin 644 a\r\n|"+
	"Content-Type: message/delivery-status\r\n\r\n|Final-Recipient: rfc822;a@b\r\n|SGVsbG8=|Q29udGVudC1UeXBlOiBpbWFnZS9wbmcNCg0KYQ==|=3D=|=\r\n|a \r\n|PK\x03\x04|PK\x01\x02|%2&5L\r\n|text|ü|"+
	"-----BEGIN PGP |MESSAGE-----|SIGNED MESSAGE-----|no header\r\n|:", "|")

func randomFragments(r *rand.Rand) string {
	var b strings.Builder
	if r.IntN(4) > 0 {
		b.WriteString("Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n")
	}
	for range r.IntN(40) {
		b.WriteString(fragments[r.IntN(len(fragments))])
	}
	return b.String()
}

// TestFragments reads random messages whole, in pieces, and octet by octet.
func TestFragments(t *testing.T) {
	files := 0
	for seed := range uint64(20000) {
		r := rand.New(rand.NewPCG(seed, 2))
		content := randomFragments(r)
		var whole, cut, single Message
		want := readIn(&whole, content, len(content)+1)
		if got := readIn(&single, content, 1); got != want {
			t.Fatalf("seed %d %q, octet by octet\n%swant\n%s", seed, content, got, want)
		}
		for at := 0; at < len(content); {
			n := min(1+r.IntN(30), len(content)-at)
			cut.Write([]byte(content[at : at+n]))
			at += n
		}
		if cut.End(); tell(&cut) != want {
			t.Fatalf("seed %d %q, in pieces\n%swant\n%s", seed, content, tell(&cut), want)
		}
		checkBounds(t, &whole)
		readWithGaps(r, content, &cut)
		checkBounds(t, &cut)
		files += len(whole.Attachments())
	}
	if files < 3000 {
		t.Errorf("only %d files", files)
	}
}

// readWithGaps loses octets at random places, here and there none.
func readWithGaps(r *rand.Rand, content string, m *Message) {
	m.Reset()
	for len(content) > 0 {
		n := min(r.IntN(60), len(content))
		m.Write([]byte(content[:n]))
		content = content[n:]
		n = min(r.IntN(20), len(content))
		m.Lost(int64(n))
		content = content[n:]
	}
	m.End()
}
