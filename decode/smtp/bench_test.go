package smtp_test

import (
	"bytes"
	"strings"
	"testing"

	"github.com/mailtap/mailtap/decode/smtp"
)

// segment is what one side sends in one packet of a dialog.
type segment struct {
	server bool
	b      []byte
}

func talk(lines ...string) []segment {
	var all []segment
	for _, l := range lines {
		all = append(all, segment{strings.HasPrefix(l, "S"), []byte(l[1:])})
	}
	return all
}

const ehloReply = "S250-mail.example.org\r\n250-PIPELINING\r\n250-SIZE 10240000\r\n250-VRFY\r\n250-ETRN\r\n250-AUTH PLAIN LOGIN\r\n250-ENHANCEDSTATUSCODES\r\n250 8BITMIME\r\n"

var dialogs = map[string][]segment{
	"small": talk("S220 mail.example.org ESMTP Postfix\r\n", "CEHLO client.example.net\r\n", ehloReply,
		"CAUTH PLAIN AGFsaWNlAHNlY3JldA==\r\n", "S235 2.7.0 Authentication successful\r\n",
		"CMAIL FROM:<alice@example.org> SIZE=2048\r\n", "S250 2.1.0 Ok\r\n", "CRCPT TO:<bob@example.net>\r\n", "S250 2.1.5 Ok\r\n",
		"CDATA\r\n", "S354 End data with <CR><LF>.<CR><LF>\r\n", "C"+textOf(1400), "C"+textOf(600)+".\r\n",
		"S250 2.0.0 Ok: queued as 4XbQ1z2Yk3z9\r\n", "CQUIT\r\n", "S221 2.0.0 Bye\r\n"),
	"pipelined": talk("S220 mail.example.org ESMTP Postfix\r\n", "CEHLO client.example.net\r\n", ehloReply,
		"CMAIL FROM:<alice@example.org> SIZE=2048\r\nRCPT TO:<bob@example.net>\r\nRCPT TO:<carol@example.net>\r\nDATA\r\n",
		"S250 2.1.0 Ok\r\n250 2.1.5 Ok\r\n250 2.1.5 Ok\r\n354 End data with <CR><LF>.<CR><LF>\r\n",
		"C"+textOf(1400), "C"+textOf(600)+".\r\nQUIT\r\n", "S250 2.0.0 Ok: queued as 4XbQ1z2Yk3z9\r\n221 2.0.0 Bye\r\n"),
}

// textOf is a mail's text of about n octets.
func textOf(n int) string {
	const line = "The quick brown fox jumps over the lazy dog and goes on its way.\r\n"
	return strings.Repeat(line, n/len(line))
}

// connection is what a monitor holds for each connection.
type connection struct {
	c        smtp.Client
	s        smtp.Server
	at       [2]int64
	commands int
	replies  int
}

func (k *connection) take(g *segment, t *smtp.Token, r *smtp.Reply) {
	if g.server {
		k.s.Feed(g.b, k.at[1], 1)
		k.at[1] += int64(len(g.b))
		for k.s.Next(r) {
			k.replies++
			if r.Code == 354 {
				k.c.Set(smtp.InData)
				k.client(t)
			} else if k.c.Mode() == smtp.Wait {
				k.c.Set(smtp.Commands)
				k.client(t)
			}
		}
		return
	}
	k.c.Feed(g.b, k.at[0])
	k.at[0] += int64(len(g.b))
	k.client(t)
}

func (k *connection) client(t *smtp.Token) {
	for k.c.Next(t) {
		if t.Kind == smtp.Command {
			k.commands++
		}
	}
	k.c.Keep()
}

// BenchmarkDialog reads dialogs of one mail, whose state is hot.
func BenchmarkDialog(b *testing.B) {
	for name, all := range dialogs {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			var t smtp.Token
			var r smtp.Reply
			for b.Loop() {
				var k connection
				for i := range all {
					k.take(&all[i], &t, &r)
				}
				if k.commands < 5 || k.replies < 5 || k.c.Mode() != smtp.Commands {
					b.Fatalf("%d commands, %d replies", k.commands, k.replies)
				}
			}
		})
	}
}

// BenchmarkCold reads a hundred thousand dialogs a packet each in turn: the
// state of each is in no cache. The time is that of a packet.
func BenchmarkCold(b *testing.B) {
	const many = 100_000
	for name, all := range dialogs {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			var t smtp.Token
			var r smtp.Reply
			k := make([]connection, many)
			step, i := 0, 0
			for b.Loop() {
				k[i].take(&all[step], &t, &r)
				if i++; i == many {
					i = 0
					if step++; step == len(all) {
						step = 0
						clear(k)
					}
				}
			}
		})
	}
}

// BenchmarkContent reads a megabyte of content in segments.
func BenchmarkContent(b *testing.B) {
	base64 := strings.Repeat(strings.Repeat("QUJD", 19)+"\r\n", 1<<20/78)
	for _, c := range []struct{ name, text string }{
		{"text", textOf(1 << 20)}, {"base64", base64}, {"stuffed", strings.Repeat("..a line that begins with a dot, which is stuffed\r\n", 20000)},
		{"dots", strings.Repeat(strings.Repeat(".", 76)+"\r\n", 1<<20/78)},
		{"html", strings.Repeat(`<a href="https://www.example.org/a.b/c.html">1.2.3</a> <img src="x.png">`+"\r\n", 1<<20/74)},
	} {
		for _, width := range []int{1448, 64 << 10} {
			name := c.name + "/segments"
			if width > 1448 {
				name = c.name + "/runs"
			}
			b.Run(name, func(b *testing.B) {
				text := []byte(c.text)
				b.SetBytes(int64(len(text)))
				b.ReportAllocs()
				var k smtp.Client
				var t smtp.Token
				k.Set(smtp.InData)
				at := int64(0)
				for b.Loop() {
					for rest := text; len(rest) > 0; rest = rest[min(width, len(rest)):] {
						part := rest[:min(width, len(rest))]
						k.Feed(part, at)
						at += int64(len(part))
						for k.Next(&t) {
						}
						k.Keep()
					}
				}
			})
		}
	}
}

func BenchmarkRecognise(b *testing.B) {
	for name, line := range map[string]string{"banner": "220 mail.example.org ESMTP\r\n", "ehlo": "EHLO a\r\n", "helo": "HELO a\r\n"} {
		b.Run(name, func(b *testing.B) {
			line := []byte(line)
			for b.Loop() {
				if name, _ := smtp.Recognise(line); name != "" {
					b.Fatal(name)
				}
			}
		})
	}
}

func BenchmarkReplyText(b *testing.B) {
	b.ReportAllocs()
	r := smtp.Reply{Code: 250, Lines: []byte("2.0.0 Ok: queued as 4XbQ1z2Yk3z9\nand a second line of it")}
	for b.Loop() {
		if r.Text(512) == "" {
			b.Fatal("no text")
		}
	}
}

func BenchmarkQueueID(b *testing.B) {
	b.ReportAllocs()
	for name, line := range map[string]string{"postfix": "2.0.0 Ok: queued as 4XbQ1z2Yk3z9", "none": "2.0.0 Ok: the mail was taken and will be delivered in a while"} {
		b.Run(name, func(b *testing.B) {
			line := []byte(line)
			for b.Loop() {
				smtp.QueueID(line)
			}
		})
	}
}

// BenchmarkParse reads a command line of each of the common verbs.
func BenchmarkParse(b *testing.B) {
	lines := bytes.SplitAfter([]byte("EHLO a\r\nMAIL FROM:<a@b>\r\nRCPT TO:<c@d>\r\nDATA\r\nQUIT\r\nSTARTTLS\r\n"), []byte{'\n'})
	for b.Loop() {
		for _, l := range lines {
			smtp.Parse(l)
		}
	}
}
