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
	for _, p := range pieces {
		p = bytes.Clone(p)
		c.Feed(p, offset)
		offset += int64(len(p))
		for {
			for c.Next(&t) {
				if t.Kind == smtp.Body || t.Kind == smtp.Raw {
					out.Write(t.Data)
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
	case smtp.AUTH, smtp.XEXPS:
		return smtp.InAuth
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
	"starttls now\r\nX-AnonymousTLS\r\nQUIT\r\n",
	"AUTH PLAIN\r\nAGEAYg==\r\n",
	"X-EXPS NTLM\r\n\r\n*\r\n",
	"BURL imap://a;URLAUTH=x LAST\r\nBURL\r\nXEXCH50 2 1\r\nXEXCH50 -1 1\r\nX-LINK2STATE LAST CHUNK={a}\r\nDEBUG\r\nWIZ\r\n",
	"ATRN a,b\r\nETRN @c\r\nTURN\r\n\tSaml FROM:<a> \t\r\n",
	"DATA " + strings.Repeat("x", 100) + "\r\n.\r\nQUIT\r\n",
}

// TestClientAnyCut cuts each stream at every place, and into single octets.
func TestClientAnyCut(t *testing.T) {
	for _, s := range clientStreams {
		b := []byte(s)
		want := read(new(smtp.Client), [][]byte{b}, accept)
		for at := 1; at < len(b); at++ {
			if got := read(new(smtp.Client), [][]byte{b[:at], b[at:]}, accept); got != want {
				t.Fatalf("%q cut at %d\ngot  %s\nwant %s", s, at, got, want)
			}
		}
		var single [][]byte
		for i := range b {
			single = append(single, b[i:i+1])
		}
		if got := read(new(smtp.Client), single, accept); got != want {
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
	c := smtp.Client{Options: &smtp.ClientOptions{Line: 20}}
	got := read(&c, [][]byte{[]byte("NOOP " + strings.Repeat("x", 5000) + "\r\nQUIT\r\n")}, nil)
	if strings.Count(got, "NOOP") != 1 || !strings.Contains(got, "QUIT") || strings.Contains(got, strings.Repeat("x", 21)) {
		t.Errorf("got %s", got)
	}
}

// TestLongLineThenContent cuts an overlong line that changes the grammar: its
// rest is neither content nor a command.
func TestLongLineThenContent(t *testing.T) {
	long := strings.Repeat("x", 100)
	for _, tt := range []struct{ in, want string }{
		{"DATA " + long + "\r\nbody\r\n.\r\nQUIT\r\n", "body\r\n"},
		{"BDAT 4 LAST" + strings.Repeat(" ", 100) + "\r\nbodyQUIT\r\n", "body"},
		{"AUTH LOGIN\r\n" + long + "\r\nQUIT\r\n", ""},
		{"STARTTLS " + long + "\r\nraw QUIT", "raw QUIT"},
	} {
		for at := range len(tt.in) {
			c := &smtp.Client{Options: &smtp.ClientOptions{Line: 32}}
			verb := smtp.Unknown
			var body strings.Builder
			var last smtp.Verb
			var tok smtp.Token
			commands := 0
			for i, p := range []string{tt.in[:at], tt.in[at:]} {
				c.Feed([]byte(p), int64(i*at))
				for again := true; again; {
					for c.Next(&tok) {
						switch tok.Kind {
						case smtp.Command:
							verb, last = tok.Verb, tok.Verb
							commands++
						case smtp.Body, smtp.Raw:
							body.Write(tok.Data)
						case smtp.Response:
							verb = smtp.Unknown
						}
					}
					// The server answers when it has the whole line.
					if again = c.Mode() == smtp.Wait && (i > 0 || at > 120); again {
						c.Set(accept(verb))
					}
				}
				c.Keep()
			}
			wantCommands, wantLast := 2, smtp.QUIT
			if strings.HasPrefix(tt.in, "STARTTLS") {
				wantCommands, wantLast = 1, smtp.STARTTLS
			}
			if body.String() != tt.want || commands != wantCommands || last != wantLast {
				t.Fatalf("%.12q cut at %d: %d commands, the last %v, content %q", tt.in, at, commands, last, body.String())
			}
		}
	}
}

// TestBlob leaves out what follows the 354 to XEXCH50 (Exchange), wherever it
// is cut, and counts what is lost of it.
func TestBlob(t *testing.T) {
	blob := "a\nQUIT\r\n.\r\n\x00\xff"
	in := "XEXCH50 " + fmt.Sprint(len(blob)) + " 2\r\n"
	rest := blob + "RSET\r\n"
	for at := range len(rest) + 1 {
		c := new(smtp.Client)
		got := read(c, [][]byte{[]byte(in)}, nil)
		c.Blob(int64(len(blob)))
		var tok smtp.Token
		var verbs []smtp.Verb
		offset := int64(len(in))
		for _, p := range []string{rest[:at], rest[at:]} {
			c.Feed([]byte(p), offset)
			offset += int64(len(p))
			for c.Next(&tok) {
				verbs = append(verbs, tok.Verb)
			}
			c.Keep()
		}
		if len(verbs) != 1 || verbs[0] != smtp.RSET || tok.End != 0 && c.Offset() != offset || !strings.Contains(got, fmt.Sprintf("s%d", len(blob))) {
			t.Fatalf("cut at %d: %v behind %s", at, verbs, got)
		}
	}
	c := new(smtp.Client)
	var tok smtp.Token
	c.Blob(10)
	c.Feed([]byte("abc"), 0)
	c.Next(&tok)
	c.Gap(7)
	c.Next(&tok)
	c.Feed([]byte("QUIT\r\n"), 10)
	if !c.Next(&tok) || tok.Verb != smtp.QUIT || tok.Begin != 10 {
		t.Errorf("behind a loss: %+v", tok)
	}
}

// TestWaiting holds what a client sends ahead until the limit.
func TestWaiting(t *testing.T) {
	c := smtp.Client{Options: &smtp.ClientOptions{Waiting: 100}}
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

// TestLineLongerThanWaiting: the begin of a line is cut at what may wait.
func TestLineLongerThanWaiting(t *testing.T) {
	c := smtp.Client{Options: &smtp.ClientOptions{Line: 1000, Waiting: 100}}
	got := read(&c, [][]byte{bytes.Repeat([]byte("x"), 150), bytes.Repeat([]byte("y"), 150), []byte("\r\nQUIT\r\n")}, nil)
	if !c.Overflowed() || !strings.Contains(got, "QUIT") || strings.Contains(got, "x") {
		t.Errorf("got %s", got)
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

// FuzzClient reads any octets from any mode, cut in two: nothing panics,
// nothing spins, the tokens are the same as of the whole, and no octet is left
// out unseen.
func FuzzClient(f *testing.F) {
	for _, s := range clientStreams {
		for mode := smtp.Commands; mode <= smtp.InBlob; mode++ {
			f.Add([]byte(s), uint8(mode), uint16(7))
		}
	}
	f.Fuzz(func(t *testing.T, b []byte, mode uint8, at uint16) {
		run := func(pieces [][]byte) (string, int64) {
			c := &smtp.Client{Options: &smtp.ClientOptions{Line: 64, Waiting: 1 << 20}}
			switch m := smtp.Mode(mode) % (smtp.InBlob + 1); m {
			case smtp.InChunk:
				c.Chunk(int64(mode / 7))
			case smtp.InBlob:
				c.Blob(int64(mode / 7))
			default:
				c.Set(m)
			}
			return read(c, pieces, accept), c.Offset() + int64(len(c.Unread()))
		}
		cut := int(at) % (len(b) + 1)
		whole, n := run([][]byte{b})
		parts, m := run([][]byte{b[:cut], b[cut:]})
		if n != int64(len(b)) || m != n {
			t.Fatalf("%d octets are %d whole and %d in parts", len(b), n, m)
		}
		if whole != parts {
			t.Fatalf("cut at %d of %q\nwhole %s\nparts %s", cut, b, whole, parts)
		}
	})
}

// FuzzClientGaps mixes octets, gaps, decisions and rewinds.
func FuzzClientGaps(f *testing.F) {
	f.Add([]byte("\x05DATA\r\n\x00\x09a\n.\nMAIL FROM:<x>\r\n\x01\x07"))
	f.Fuzz(func(t *testing.T, b []byte) {
		c := &smtp.Client{Options: &smtp.ClientOptions{Line: 64, Waiting: 256, Fork: 64}}
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
				if m := smtp.Mode(op / 8 % 9); m <= smtp.InBlob {
					c.Set(m)
				} else {
					c.Blob(int64(n))
				}
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

func BenchmarkCommands(b *testing.B) {
	data := []byte("EHLO mail.example.org\r\nMAIL FROM:<alice@example.org> SIZE=12345\r\nRCPT TO:<bob@example.net>\r\nRSET\r\nX-ODD thing\r\n")
	var c smtp.Client
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

func BenchmarkMail(b *testing.B) {
	arg := []byte("FROM:<alice@example.org> SIZE=12345")
	b.ReportAllocs()
	for b.Loop() {
		_, params := smtp.Path(arg)
		smtp.ParseMailParams(params)
	}
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
