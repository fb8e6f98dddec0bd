package evidence

import (
	"bytes"
	"math/rand/v2"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/mailtap/mailtap/capture/packet"
	"github.com/mailtap/mailtap/sessions/dialog"
)

// Secrets that the conversations below have. Of none of them six octets in a row
// may be left.
var hidden = []string{
	"AGFsaWNlAE9ha3RyZWUtN3g=", "YWxpY2VAZXhhbXBsZQ==", "T2FrdHJlZS03eC1sb25nZXI=", "YW5vdGhlcldvcmQ5OQ==", "Oaktree-7x-longer",
	"dXNlcj1hAWF1dGg9QmVhcmVyIHRvazEyMzQ=", "raw pass phrase 42", "internal:0123456789abcdef",
}

// conversation has what a client sends, and what is left of it.
type conversation struct{ name, text, left string }

func conversations() []conversation {
	const greeting = "S: 220 mx ESMTP\nC: EHLO client.example\nS: 250-mx\nS: 250 AUTH PLAIN LOGIN\n"
	const mail = "C: MAIL FROM:<a@example>\nS: 250 ok\nC: RCPT TO:<b@example>\nS: 250 ok\nC: DATA\nS: 354 go\nC: Subject: x\nC: \nC: AUTHors plain talk about AUTH and secrets\nC: Zm9yIHRoZSBib2R5\nC: .\nS: 250 taken\n"
	const mailLeft = "MAIL FROM:<a@example>\r\nRCPT TO:<b@example>\r\nDATA\r\nSubject: x\r\n\r\nAUTHors plain talk about AUTH and secrets\r\nZm9yIHRoZSBib2R5\r\n.\r\n"
	const hello = "EHLO client.example\r\n"
	stars := func(n int) string { return strings.Repeat("*", n) }
	return []conversation{
		{"plain", greeting + "C: AUTH PLAIN AGFsaWNlAE9ha3RyZWUtN3g=\nS: 235 ok\n" + mail + "C: QUIT\nS: 221 bye",
			hello + "AUTH PLAIN " + stars(24) + "\r\n" + mailLeft + "QUIT\r\n"},
		{"plain by continuation", greeting + "C: auth\tplain \nS: 334 \nC: AGFsaWNlAE9ha3RyZWUtN3g=\nS: 235 ok\n" + mail + "C: QUIT",
			hello + "auth\tplain \r\n" + stars(24) + "\r\n" + mailLeft + "QUIT\r\n"},
		{"login", greeting + "C: AUTH LOGIN\nS: 334 VXNlcm5hbWU6\nC: YWxpY2VAZXhhbXBsZQ==\nS: 334 UGFzc3dvcmQ6\nC: T2FrdHJlZS03eC1sb25nZXI=\nS: 535 5.7.8 no\nC: AUTH LOGIN YWxpY2VAZXhhbXBsZQ==\nS: 334 UGFzc3dvcmQ6\nC: T2FrdHJlZS03eC1sb25nZXI=\nS: 235 ok\n" + mail,
			hello + "AUTH LOGIN\r\n" + stars(20) + "\r\n" + stars(24) + "\r\nAUTH LOGIN " + stars(20) + "\r\n" + stars(24) + "\r\n" + mailLeft},
		{"all at once", greeting + "C: AUTH LOGIN\nC: YWxpY2VAZXhhbXBsZQ==\nC: T2FrdHJlZS03eC1sb25nZXI=\nC: MAIL FROM:<a@example>\nC: RCPT TO:<b@example>\nS: 334 VXNlcm5hbWU6\nS: 334 UGFzc3dvcmQ6\nS: 235 ok\nS: 250 ok\nS: 250 ok\nC: QUIT",
			hello + "AUTH LOGIN\r\n" + stars(20) + "\r\n" + stars(24) + "\r\nMAIL FROM:<a@example>\r\nRCPT TO:<b@example>\r\nQUIT\r\n"},
		{"cancelled", greeting + "C: AUTH PLAIN =\nS: 334 \nC: *\nS: 501 cancelled\nC: AUTH PLAIN\nS: 334 \nC: raw pass phrase 42\nS: 501 no base64\nC: QUIT\nS: 221 bye",
			hello + "AUTH PLAIN =\r\n*\r\nAUTH PLAIN\r\n" + stars(18) + "\r\nQUIT\r\n"},
		{"token", greeting + "C: AUTH XOAUTH2 dXNlcj1hAWF1dGg9QmVhcmVyIHRvazEyMzQ=\nS: 334 e30=\nC: \nS: 535 no\nC: QUIT\nS: 221 bye",
			hello + "AUTH XOAUTH2 " + stars(36) + "\r\n\r\nQUIT\r\n"},
		{"quoted by the server", greeting + "C: AUTH LOGIN\nS: 334 VXNlcm5hbWU6\nC: YWxpY2VAZXhhbXBsZQ==\nS: 334 UGFzc3dvcmQ6\nC: T2FrdHJlZS03eC1sb25nZXI=\nS: 535 no such word: Oaktree-7x-longer (T2FrdHJlZS03eC1sb25nZXI=)\nC: T2FrdHJlZS03eC1sb25nZXI=\nS: 500 unknown T2FRDHJLZS03EC1SB25NZXI=\nC: QUIT\nS: 221 bye",
			hello + "AUTH LOGIN\r\n" + stars(20) + "\r\n" + stars(24) + "\r\n" + stars(24) + "\r\nQUIT\r\n"},
		{"Exchange", greeting + "C: X-EXPS PLAIN AGFsaWNlAE9ha3RyZWUtN3g=\nS: 235 ok\nC: x-exps LOGIN\nS: 334 VXNlcm5hbWU6\nC: YWxpY2VAZXhhbXBsZQ==\nS: 334 UGFzc3dvcmQ6\nC: T2FrdHJlZS03eC1sb25nZXI=\nS: 235 ok\n" + mail,
			hello + "X-EXPS PLAIN " + stars(24) + "\r\nx-exps LOGIN\r\n" + stars(20) + "\r\n" + stars(24) + "\r\n" + mailLeft},
		{"other protocols", greeting + "C: USER alice\nS: 500 what\nC: PASS Oaktree-7x\nS: 500 what\nC: a1 LOGIN alice Oaktree-7x\nS: 500 what\nC: a2 AUTHENTICATE PLAIN AGFsaWNlAE9ha3RyZWUtN3g=\nS: 500 what\n",
			hello + "USER alice\r\nPASS " + stars(10) + "\r\na1 LOGIN " + stars(16) + "\r\na2 AUTHENTICATE " + stars(30) + "\r\n"},
		{"smuggled", greeting + "C: MAIL FROM:<a@example>\nS: 250 ok\nC: RCPT TO:<b@example>\nS: 250 ok\nC: DATA\nS: 354 go\nC\" \"one\\n.\\nAUTH LOGIN YWxpY2VAZXhhbXBsZQ==\\nT2FrdHJlZS03eC1sb25nZXI=\\n\"\nC: .\nS: 250 ok\nS: 334 UGFzc3dvcmQ6\nC: QUIT",
			hello + "MAIL FROM:<a@example>\r\nRCPT TO:<b@example>\r\nDATA\r\none\n.\nAUTH LOGIN " + stars(20) + "\n" + stars(24) + "\n.\r\n****\r\n"},
		{"chunks", greeting + "C: MAIL FROM:<a@example>\nS: 250 ok\nC: RCPT TO:<b@example>\nS: 250 ok\nC\" \"BDAT 21\\r\\nauthor: x\\r\\n.\\r\\nno lineAUTH PLAIN AGFsaWNlAE9ha3RyZWUtN3g=\\r\\n\"\nS: 250 ok\nS: 235 ok\nC: QUIT",
			hello + "MAIL FROM:<a@example>\r\nRCPT TO:<b@example>\r\nBDAT 21\r\nauthor: x\r\n.\r\nno lineAUTH PLAIN " + stars(24) + "\r\nQUIT\r\n"},
		{"burl", greeting + "C: BURL imap://a@imap.example/x;urlauth=submit+a:internal:0123456789abcdef LAST\nS: 250 ok\nC: QUIT",
			hello + "BURL " + stars(71) + "\r\nQUIT\r\n"},
		{"socks", "C\" \"\\x05\\x01\\x02\"\nS\" \"\\x05\\x02\"\nC\" \"\\x01\\x05alice\\x11Oaktree-7x-longer\"\nS\" \"\\x01\\x00\"\nC\" \"\\x05\\x01\\x00\\x01\\x7f\\x00\\x00\\x01\\x00\\x19\"\nS: 220 mx\nC: QUIT",
			"\x05\x01\x02\x01\x05*****\x11" + stars(17) + "\x05\x01\x00\x01\x7f\x00\x00\x01\x00\x19QUIT\r\n"},
		{"http", "C: CONNECT mx:25 HTTP/1.1\nC: Proxy-Authorization: Basic YWxpY2VAZXhhbXBsZQ==\nC: \nS: HTTP/1.1 200 ok\nS: \nS: 220 mx\nC: QUIT",
			"CONNECT mx:25 HTTP/1.1\r\nProxy-Authorization:" + stars(27) + "\r\n\r\nQUIT\r\n"},
		{"TLS", greeting + "C: STARTTLS\nS: 220 go\nC\" \"\\x16\\x03\\x01\\x00\\x05auth \\r\\nAUTH PLAIN x y\\r\\n\"\nS\" \"\\x16\\x03\\x03\"",
			hello + "STARTTLS\r\n\x16\x03\x01\x00\x05auth \r\nAUTH PLAIN x y\r\n"},
	}
}

var ends = func() Flow {
	s, _ := dialog.Segments("", dialog.Options{})
	return Flow{Client: s[0].From(), Server: s[0].To()}
}

func segmentsOf(t testing.TB, text string) []packet.Segment {
	t.Helper()
	list, err := dialog.Segments(text, dialog.Options{})
	if err != nil {
		t.Fatal(err)
	}
	return list
}

// copied gives segments octets of their own, as those of a file have.
func copied(list []packet.Segment) []packet.Segment {
	list = slices.Clone(list)
	for i := range list {
		list[i].Payload = bytes.Clone(list[i].Payload)
	}
	return list
}

// stream puts one side's octets in place: the first copy of each, or the last;
// holes are zeros.
func stream(list []packet.Segment, f *Flow, client, last bool) string {
	var out []byte
	var set []bool
	var base uint32
	for i := range list {
		g := &list[i]
		if (g.From() == f.Client) != client || len(g.Payload) == 0 {
			continue
		}
		if base == 0 {
			base = g.Seq - 1<<16
		}
		at := int(g.Seq - base)
		for len(out) < at+len(g.Payload) {
			out, set = append(out, 0), append(set, false)
		}
		for j, c := range g.Payload {
			if last || !set[at+j] {
				out[at+j], set[at+j] = c, true
			}
		}
	}
	return strings.TrimLeft(string(out), "\x00")
}

func TestBlank(t *testing.T) {
	for _, c := range conversations() {
		f := ends()
		list := copied(segmentsOf(t, c.text))
		blank(list, &f)
		if got := stream(list, &f, true, false); got != c.left {
			t.Errorf("%s: the client's side is\n%q\nwant\n%q", c.name, got, c.left)
		}
		noSecret(t, c.name, list, &f)
		again := copied(list)
		blank(again, &f)
		if got := stream(again, &f, true, false); got != c.left {
			t.Errorf("%s: a second time changes it:\n%q", c.name, got)
		}
	}
}

// noSecret searches both sides, in each way to put them together.
func noSecret(t testing.TB, name string, list []packet.Segment, f *Flow) {
	t.Helper()
	for _, client := range []bool{true, false} {
		for _, last := range []bool{false, true} {
			text := strings.ToLower(stream(list, f, client, last))
			for i := 0; i+gram <= len(text); i++ {
				if grams[text[i:i+gram]] {
					t.Fatalf("%s: %q is left: %q", name, text[i:i+gram], text)
				}
			}
		}
	}
}

// grams are all parts of the secrets.
var grams = func() map[string]bool {
	out := map[string]bool{}
	for _, s := range hidden {
		for i := 0; i+gram <= len(s); i++ {
			out[strings.ToLower(s[i:i+gram])] = true
		}
	}
	return out
}()

// What the server says of other things stays.
func TestBlankLeavesReplies(t *testing.T) {
	f := ends()
	list := copied(segmentsOf(t, conversations()[2].text))
	want := stream(list, &f, false, false)
	blank(list, &f)
	if got := stream(list, &f, false, false); got != want {
		t.Errorf("the server's side is\n%q\nwant\n%q", got, want)
	}
}

// However segments are cut, sent again, swapped and lost, nothing of a secret is
// left; and where nothing is lost, nothing else is missing.
func TestBlankOfAnyPackets(t *testing.T) {
	rounds := 80
	if os.Getenv("MAILTAP_TEST_EVERYTHING") != "" {
		rounds = 2000
	}
	rnd := rand.New(rand.NewPCG(1, 3))
	for _, c := range conversations() {
		whole := segmentsOf(t, c.text)
		f := ends()
		for n := range rounds {
			list := copied(recut(whole, rnd, 1+n%40))
			if n%2 == 0 {
				list = again(list, rnd)
			}
			if n%3 == 0 {
				swap(list, rnd)
			}
			lossless := n%5 < 2
			if !lossless {
				list = lossy(list, rnd, n)
			}
			blank(list, &f)
			noSecret(t, c.name, list, &f)
			if got := stream(list, &f, true, false); lossless && got != c.left {
				t.Fatalf("%s, %d:\n%q\nwant\n%q", c.name, n, got, c.left)
			}
		}
	}
}

// recut cuts segments at random places.
func recut(whole []packet.Segment, rnd *rand.Rand, most int) []packet.Segment {
	var out []packet.Segment
	for _, s := range whole {
		for rest := s; ; {
			n := min(1+rnd.IntN(most), len(rest.Payload))
			part := rest
			part.Payload, part.Length = rest.Payload[:n], n
			out = append(out, part)
			rest.Payload = rest.Payload[n:]
			rest.Seq += uint32(n)
			if len(rest.Payload) == 0 {
				break
			}
		}
	}
	return out
}

// again sends some octets again, cut at other places.
func again(list []packet.Segment, rnd *rand.Rand) []packet.Segment {
	var out []packet.Segment
	for i := range list {
		out = append(out, list[i])
		if i > 0 && rnd.IntN(4) == 0 && list[i].From() == list[i-1].From() && list[i-1].Seq+uint32(len(list[i-1].Payload)) == list[i].Seq && list[i-1].Flags&packet.SYN == 0 {
			two := list[i]
			two.Payload = append(bytes.Clone(list[i-1].Payload), list[i].Payload...)
			two.Seq, two.Length = list[i-1].Seq, len(two.Payload)
			out = append(out, two)
		}
	}
	return out
}

func swap(list []packet.Segment, rnd *rand.Rand) {
	for i := 1; i < len(list); i++ {
		if rnd.IntN(3) == 0 && list[i].Flags&packet.SYN == 0 && list[i-1].Flags&packet.SYN == 0 {
			list[i-1], list[i] = list[i], list[i-1]
		}
	}
}

// lossy leaves out a part: some packets, a side, what came first, what came last.
func lossy(list []packet.Segment, rnd *rand.Rand, n int) []packet.Segment {
	from := 0
	if n%7 == 3 {
		from = rnd.IntN(len(list))
	}
	side := n % 4
	client := ends().Client
	return slices.DeleteFunc(list[from:], func(s packet.Segment) bool {
		return side == 3 && s.From() != client || rnd.IntN(6) == 0
	})
}

// Packets that say different things of the same octets: what is not sure to be
// harmless goes.
func TestBlankOfConflicts(t *testing.T) {
	whole := segmentsOf(t, conversations()[0].text)
	at := slices.IndexFunc(whole, func(s packet.Segment) bool { return bytes.HasPrefix(s.Payload, []byte("AUTH")) })
	for name, forged := range map[string]string{"other verb": "NOOP", "prefix": "XAUTH PL", "whole": strings.Repeat("x", len(whole[at].Payload))} {
		for _, first := range []bool{true, false} {
			f := ends()
			fake := whole[at]
			fake.Payload, fake.Length = []byte(forged), len(forged)
			place := at
			if !first {
				place++
			}
			list := copied(slices.Insert(slices.Clone(whole), place, fake))
			blank(list, &f)
			noSecret(t, name, list, &f)
		}
	}
}

// A keep-alive's octet of nothing is not held against the one before it.
func TestBlankKeepAlive(t *testing.T) {
	whole := segmentsOf(t, conversations()[0].text)
	at := slices.IndexFunc(whole, func(s packet.Segment) bool { return bytes.HasPrefix(s.Payload, []byte("AUTH")) })
	alive := whole[at]
	alive.Seq += uint32(len(alive.Payload)) - 1
	alive.Payload, alive.Length = []byte{0}, 1
	f := ends()
	list := copied(slices.Insert(slices.Clone(whole), at+1, alive))
	blank(list, &f)
	if got := stream(list, &f, true, false); got != conversations()[0].left {
		t.Errorf("%q", got)
	}
}

// Sides that were taken for each other change nothing.
func TestBlankOfTurnedSides(t *testing.T) {
	for _, c := range conversations()[:4] {
		f := ends()
		turned := Flow{Client: f.Server, Server: f.Client}
		list := copied(segmentsOf(t, c.text))
		blank(list, &turned)
		noSecret(t, c.name, list, &f)
	}
}
