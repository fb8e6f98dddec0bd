package smtp_test

import (
	"bytes"
	"fmt"
	"strings"
	"testing"

	"github.com/mailtap/mailtap/decode/smtp"
)

// read feeds octets in the given pieces. decide is asked whenever the client
// waits for the server.
func read(c *smtp.Client, pieces [][]byte, decide func(verb smtp.Verb) smtp.Mode) string {
	var out strings.Builder
	var t smtp.Token
	offset := int64(0)
	verb := smtp.Unknown
	body := 0
	for _, p := range pieces {
		p = bytes.Clone(p)
		c.Feed(p, offset)
		offset += int64(len(p))
		for {
			for c.Next(&t) {
				if t.Kind == smtp.Body {
					out.Write(t.Data)
					body += len(t.Data)
					continue
				}
				if t.Kind == smtp.Command {
					verb = t.Verb
				}
				fmt.Fprintf(&out, "[%d %v %q %q f%d s%d %d-%d]", t.Kind, t.Verb, t.Arg, dataOf(&t), t.Flags, t.Size, t.Begin*0, t.End)
			}
			if c.Mode() != smtp.Wait || decide == nil {
				break
			}
			c.Set(decide(verb))
		}
		c.Keep()
		clear(p)
	}
	return out.String()
}

func dataOf(t *smtp.Token) []byte {
	if t.Kind == smtp.Response || t.Kind == smtp.Lookalike {
		return t.Data
	}
	return nil
}

func accept(verb smtp.Verb) smtp.Mode {
	switch verb {
	case smtp.DATA:
		return smtp.InData
	case smtp.STARTTLS:
		return smtp.Opaque
	}
	return smtp.Commands
}

var clientStreams = []string{
	"EHLO a\r\nMAIL FROM:<a@b>\r\nRCPT TO:<c@d>\r\nDATA\r\nSubject: x\r\n\r\nbody\r\n.\r\nQUIT\r\n",
	"DATA\r\n.\r\nQUIT\r\n",
	"DATA\r\n..\r\n.x\r\n...\r\n.\r\nQUIT\r\n",
	"DATA\r\na\n.\nMAIL FROM:<x@y>\r\n.\r\nQUIT\r\n",
	"DATA\r\na\r\n.\nb\n.\r\nc\r.\rd\r\n.\re\r.\r\nf\r\n\x00.\r\ng\r\n.\r\nQUIT\r\n",
	"DATA\r\n\n.\n.\n.\n.\r\n\r\n.\r\nRSET\r\n",
	"BDAT 5\r\nabcdeBDAT 3 LAST\r\n\r\n.BDAT 0 LAST\r\nQUIT\r\n",
	"BDAT -1\r\nBDAT\r\nBDAT 99999999999999999999 LAST\r\nBDAT 1 x\r\nQUIT\r\n",
	"noop\nMail From:<a>\n  rcpt to:<b>  \r\nX\x00Y\r\n\r\n",
	"STARTTLS\r\n\x16\x03\x01\x00\x05hello",
}

// TestClientAnyCut cuts each stream at every place, and into single octets.
func TestClientAnyCut(t *testing.T) {
	for _, s := range clientStreams {
		b := []byte(s)
		want := read(new(smtp.Client), [][]byte{b}, accept)
		for at := 1; at < len(b); at++ {
			if got := read(new(smtp.Client), [][]byte{b[:at], b[at:]}, accept); got != want && !strings.Contains(s, "STARTTLS") {
				t.Fatalf("%q cut at %d\ngot  %s\nwant %s", s, at, got, want)
			}
		}
		var single [][]byte
		for i := range b {
			single = append(single, b[i:i+1])
		}
		if got := read(new(smtp.Client), single, accept); got != want && !strings.Contains(s, "STARTTLS") {
			t.Fatalf("%q in single octets\ngot  %s\nwant %s", s, got, want)
		}
	}
}

// TestDotUnstuffing holds content against RFC 5321, 4.5.2.
func TestDotUnstuffing(t *testing.T) {
	for in, want := range map[string]string{
		".\r\n":                              "",
		"a\r\n.\r\n":                         "a\r\n",
		"..\r\n.\r\n":                        ".\r\n",
		"a\r\n..b\r\n.\r\n":                  "a\r\n.b\r\n",
		".a\r\n.\r\n":                        "a\r\n",
		"a.b\r\n...\r\n.\r\n":                "a.b\r\n..\r\n",
		strings.Repeat(".", 5) + "\r\n.\r\n": "....\r\n",
		"x\n..y\r\n.\r\n":                    "x\n..y\r\n",
	} {
		var c smtp.Client
		c.Set(smtp.InData)
		got := read(&c, [][]byte{[]byte(in)}, nil)
		body, _, _ := strings.Cut(got, "[")
		if body != want {
			t.Errorf("%q gives %q, want %q", in, body, want)
		}
		if c.Mode() != smtp.Commands {
			t.Errorf("%q: the end of data was not seen", in)
		}
	}
}

func TestLongLine(t *testing.T) {
	c := smtp.Client{Options: smtp.ClientOptions{Line: 20}}
	got := read(&c, [][]byte{[]byte("NOOP " + strings.Repeat("x", 5000) + "\r\nQUIT\r\n")}, nil)
	if strings.Count(got, "NOOP") != 1 || !strings.Contains(got, "QUIT") || strings.Contains(got, strings.Repeat("x", 21)) {
		t.Errorf("got %s", got)
	}
}

// TestWaiting holds what a client sends ahead until the limit.
func TestWaiting(t *testing.T) {
	c := smtp.Client{Options: smtp.ClientOptions{Waiting: 100}}
	read(&c, [][]byte{[]byte("DATA\r\n"), bytes.Repeat([]byte("x"), 90), bytes.Repeat([]byte("y"), 90)}, nil)
	if !c.Overflowed() || len(c.Unread()) != 100 {
		t.Errorf("overflow not told, or %d octets held", len(c.Unread()))
	}
	c.Set(smtp.InData)
	var tok smtp.Token
	var body, lost int64
	for c.Next(&tok) {
		body += int64(len(tok.Data))
		lost += tok.Gap
	}
	if body != 100 || lost != 80 {
		t.Errorf("%d octets of content and %d lost", body, lost)
	}
}

func TestWellFormed(t *testing.T) {
	for line, want := range map[string]bool{
		"MAIL FROM:<a@b>": true, "mail from:<>": true, "mail is a fine thing": false, "MAIL": false,
		"RCPT TO:<a@b> NOTIFY=NEVER": true, "rcpt": false, "DATA": true, "DATA follows": false,
		"QUIT": true, "quit smoking": false, "EHLO a.b": true, "HELO dear Bob": false, "BDAT 5 LAST": true, "BDAT of cars": false,
		"AUTH PLAIN abc=": true, "AUTH was not given to us": false, "NOOP": true, "help me with this": false, "VRFY bob": true, "": false,
	} {
		if got := smtp.WellFormed([]byte(line)); got != want {
			t.Errorf("%q: %v", line, got)
		}
	}
}

func TestPath(t *testing.T) {
	for arg, want := range map[string]string{
		"FROM:<a@b> SIZE=1":      "a@b",
		"FROM:<>":                "",
		"TO: <a@b>":              "a@b",
		"TO:a@b":                 "a@b",
		"TO:a@b NOTIFY=NEVER":    "a@b",
		`TO:<"a>b c"@d>`:         `"a>b c"@d`,
		`TO:<"a\">b"@d> X=Y`:     `"a\">b"@d`,
		"TO:<@a,@b:c@d>":         "@a,@b:c@d",
		"FROM:<jörg@exämple.de>": "jörg@exämple.de",
		"FROM:<a\x00b\xff@c>":    "a\ufffdb\ufffd@c",
	} {
		if got, _ := smtp.Path([]byte(arg)); got != want {
			t.Errorf("%q: %q, want %q", arg, got, want)
		}
	}
}

func TestQueueID(t *testing.T) {
	for reply, want := range map[string]string{
		"2.0.0 Ok: queued as 4ABC":                     "4ABC",
		"OK id=1pgobK-0001":                            "1pgobK-0001",
		"2.0.0 4AMA1 Message accepted for delivery":    "4AMA1",
		"2.0.0 45b8d3c4 Message accepted for delivery": "45b8d3c4",
		"Ok": "",
	} {
		if got := smtp.QueueID([]byte(reply)); got != want {
			t.Errorf("%q: %q, want %q", reply, got, want)
		}
	}
}

// FuzzClient reads any octets in any mode, cut in two: nothing panics, nothing
// spins, the tokens are the same as of the whole, and what is held is bounded.
func FuzzClient(f *testing.F) {
	for _, s := range clientStreams {
		f.Add([]byte(s), uint8(0), uint16(7))
		f.Add([]byte(s), uint8(smtp.InData), uint16(3))
	}
	f.Fuzz(func(t *testing.T, b []byte, mode uint8, at uint16) {
		run := func(pieces [][]byte) (string, int64) {
			c := &smtp.Client{Options: smtp.ClientOptions{Line: 64, Waiting: 1 << 20}}
			c.Set(smtp.Mode(mode % 3 * 3 / 2)) // Commands, Wait, InData
			if mode%3 == 1 {
				c.Set(smtp.InAuth)
			}
			return read(c, pieces, accept), c.Offset() + int64(len(c.Unread()))
		}
		cut := int(at) % (len(b) + 1)
		whole, n := run([][]byte{b})
		parts, m := run([][]byte{b[:cut], b[cut:]})
		if n != int64(len(b)) || m != n {
			t.Fatalf("%d octets are %d whole and %d in parts", len(b), n, m)
		}
		if whole != parts && !bytes.Contains(bytes.ToUpper(b), []byte("TLS")) {
			t.Fatalf("cut at %d of %q\nwhole %s\nparts %s", cut, b, whole, parts)
		}
	})
}

// FuzzClientGaps mixes octets, gaps, decisions and rewinds.
func FuzzClientGaps(f *testing.F) {
	f.Add([]byte("\x05DATA\r\n\x00\x09a\n.\nMAIL FROM:<x>\r\n\x01\x07"))
	f.Fuzz(func(t *testing.T, b []byte) {
		c := &smtp.Client{Options: smtp.ClientOptions{Line: 64, Waiting: 256, Fork: 64}}
		var tok smtp.Token
		offset, at := int64(0), int64(-1)
		for len(b) > 1 {
			op, n := b[0], min(int(b[1]), len(b)-2)
			part := bytes.Clone(b[2 : 2+n])
			b = b[2+n:]
			switch op % 8 {
			case 0, 1, 2, 3:
				c.Feed(part, offset)
				offset += int64(n)
			case 4:
				c.Gap(int64(n) + 1)
				offset += int64(n) + 1
			case 5:
				c.Set(smtp.Mode(op / 8 % 7))
			case 6:
				if _, ok := c.Behind(at); ok {
					c.Rewind(at)
				}
			case 7:
				c.SkipTo(offset - int64(n))
			}
			for steps := 0; c.Next(&tok); steps++ {
				if tok.Kind == smtp.Lookalike {
					at = tok.End
				}
				if steps > 10000 {
					t.Fatal("it spins")
				}
			}
			c.Keep()
			clear(part)
			if n := len(c.Unread()); n > 256+64 {
				t.Fatalf("%d octets held", n)
			}
		}
	})
}

func BenchmarkData(b *testing.B) {
	line := strings.Repeat("The quick brown fox jumps over the lazy dog", 1) + ".\r\n"
	data := []byte(strings.Repeat(line, 1448/len(line)))
	var c smtp.Client
	c.Set(smtp.InData)
	var t smtp.Token
	b.SetBytes(int64(len(data)))
	b.ReportAllocs()
	offset := int64(0)
	for b.Loop() {
		c.Feed(data, offset)
		offset += int64(len(data))
		for c.Next(&t) {
		}
		c.Keep()
	}
}
