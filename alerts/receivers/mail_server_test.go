package receivers

import (
	"bufio"
	"crypto/tls"
	"encoding/base64"
	"fmt"
	"net"
	"slices"
	"strings"
	"sync"
	"testing"
)

// post office: a mail server that does what a test wants of it.
type office struct {
	offer    []string          // EHLO keywords in clear
	inside   []string          // inside TLS
	answers  map[string]string // by the beginning of a command; else it is taken
	implicit bool
	tls      *tls.Config

	mu       sync.Mutex
	commands []string // clear: …, tls: …
	mails    []string
}

func (o *office) start(t *testing.T) (address string) {
	return serve(t, o.talk)
}

func (o *office) talk(c net.Conn) {
	secure := o.implicit
	if secure {
		c = tls.Server(c, o.tls)
	}
	defer func() { c.Close() }()
	in := bufio.NewReader(c)
	say := func(text string) { fmt.Fprintf(c, "%s\r\n", text) }
	say(o.answer("greeting", "220 mx.test ESMTP"))
	for {
		line, err := in.ReadString('\n')
		if err != nil {
			return
		}
		line = strings.TrimRight(line, "\r\n")
		o.note(secure, line)
		verb, _, _ := strings.Cut(line, " ")
		switch strings.ToUpper(verb) {
		case "EHLO":
			say(o.ehlo(secure))
		case "STARTTLS":
			say(o.answer(line, "220 go ahead"))
			c = tls.Server(c, o.tls)
			in, secure = bufio.NewReader(c), true
		case "AUTH":
			if !strings.Contains(line, "LOGIN") {
				say(o.answer(line, "235 welcome"))
				continue
			}
			for _, ask := range []string{"Username:", "Password:"} {
				say("334 " + base64.StdEncoding.EncodeToString([]byte(ask)))
				got, _ := in.ReadString('\n')
				o.note(secure, strings.TrimRight(got, "\r\n"))
			}
			say(o.answer(line, "235 welcome"))
		case "DATA":
			say("354 go on")
			o.mail(in)
			say(o.answer(line, "250 queued"))
		case "QUIT":
			say("221 bye")
			return
		default:
			say(o.answer(line, "250 ok"))
		}
	}
}

func (o *office) ehlo(secure bool) string {
	words := o.offer
	if secure {
		words = o.inside
	}
	out := "250 mx.test"
	for _, w := range slices.Backward(words) {
		out = "250 " + w + "\r\n" + out
	}
	lines := strings.Split(out, "\r\n")
	slices.Reverse(lines)
	for i := range len(lines) - 1 {
		lines[i] = "250-" + lines[i][4:]
	}
	return strings.Join(lines, "\r\n")
}

func (o *office) answer(command, usual string) string {
	for begin, text := range o.answers {
		if strings.HasPrefix(command, begin) {
			return text
		}
	}
	return usual
}

func (o *office) note(secure bool, line string) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.commands = append(o.commands, map[bool]string{false: "clear: ", true: "tls: "}[secure]+line)
}

func (o *office) mail(in *bufio.Reader) {
	var b strings.Builder
	for {
		line, err := in.ReadString('\n')
		if err != nil || line == ".\r\n" {
			break
		}
		b.WriteString(line)
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	o.mails = append(o.mails, b.String())
}

func (o *office) heard() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return strings.Join(o.commands, "\n")
}
