package log

import (
	"net/netip"
	"slices"
	"strconv"
	"sync"
	"time"
	"unicode/utf8"

	"github.com/mailtap/mailtap/sessions"
)

// zeek writes the lines of smtp.log: one a mail, and one for a session without
// mail that began TLS or tried to log in. Zeek itself has a line for the former
// only.
type zeek struct{}

// zeekColumns are the fields of smtp.log and their types, as Zeek 6 and 7
// write them with the policy that adds is_webmail.
var zeekColumns = [...]struct{ name, kind string }{
	{"ts", "time"}, {"uid", "string"}, {"id.orig_h", "addr"}, {"id.orig_p", "port"}, {"id.resp_h", "addr"}, {"id.resp_p", "port"},
	{"trans_depth", "count"}, {"helo", "string"}, {"mailfrom", "string"}, {"rcptto", "set[string]"}, {"date", "string"},
	{"from", "string"}, {"to", "set[string]"}, {"cc", "set[string]"}, {"reply_to", "string"}, {"msg_id", "string"},
	{"in_reply_to", "string"}, {"subject", "string"}, {"x_originating_ip", "addr"}, {"first_received", "string"},
	{"second_received", "string"}, {"last_reply", "string"}, {"path", "vector[addr]"}, {"user_agent", "string"}, {"tls", "bool"},
	{"fuids", "vector[string]"}, {"is_webmail", "bool"},
}

// zeekHead is the block above the lines of a file.
func zeekHead(first time.Time) []byte {
	b := []byte("#separator \\x09\n#set_separator\t,\n#empty_field\t(empty)\n#unset_field\t-\n#path\tsmtp\n")
	b = append(zeekClock(append(b, "#open\t"...), first), "\n#fields"...)
	for i := range zeekColumns {
		b = append(append(b, '\t'), zeekColumns[i].name...)
	}
	b = append(b, "\n#types"...)
	for i := range zeekColumns {
		b = append(append(b, '\t'), zeekColumns[i].kind...)
	}
	return b
}

func zeekClock(b []byte, t time.Time) []byte { return t.UTC().AppendFormat(b, "2006-01-02-15-04-05") }

// ZeekFile puts the block that Zeek's readers want around the lines that go to
// another sink. Its times are packet times, as all others.
type ZeekFile struct {
	mu   sync.Mutex
	to   Sink
	last time.Time
	open bool
}

// NewZeekFile makes one in front of a sink.
func NewZeekFile(to Sink) *ZeekFile { return &ZeekFile{to: to} }

// Write implements Sink.
func (z *ZeekFile) Write(rec Record) {
	z.mu.Lock()
	defer z.mu.Unlock()
	if !z.open {
		z.open = true
		z.to.Write(Record{Line: zeekHead(rec.Time), Time: rec.Time})
	}
	if rec.Time.After(z.last) {
		z.last = rec.Time
	}
	z.to.Write(rec)
}

// Close writes the last line; where no record came, there is no file.
func (z *ZeekFile) Close() error {
	z.mu.Lock()
	defer z.mu.Unlock()
	if z.open {
		z.open = false
		z.to.Write(Record{Line: zeekClock([]byte("#close\t"), z.last), Time: z.last})
	}
	return nil
}

func (zeek) alert(b []byte, _ *AlertRecord) []byte { return b }

func (z zeek) event(b []byte, e sessions.Event) []byte {
	switch ev := e.(type) {
	case *sessions.MailDone:
		return z.mail(b, ev)
	case *sessions.Closed:
		if s := ev.Session; len(s.Mails) == 0 && (s.TLS.Accepted || len(s.Auth) > 0) {
			return z.session(b, ev)
		}
	}
	return b
}

func (zeek) mail(b []byte, ev *sessions.MailDone) []byte {
	c, m, h := ev.Conn, ev.Mail, headerOf(ev.Mail)
	b = zeekConn(b, c, m.Time)
	b = zeekCount(b, ev.Number)
	b = zeekText(b, ev.Helo.Name)
	if m.FromKnown && m.From == "" {
		b = append(b, "\t(empty)"...)
	} else {
		b = zeekText(b, m.From)
	}
	b = zeekSet(b, recipients(m))
	b = zeekText(b, h.Date)
	b = zeekText(b, h.From)
	b = zeekSet(b, addresses(h.To))
	b = zeekSet(b, addresses(h.Cc))
	b = zeekText(b, h.ReplyTo)
	b = zeekText(b, h.MessageID)
	b = zeekText(b, h.InReplyTo)
	b = zeekText(b, h.Subject)
	b = zeekAddr(b, h.OriginatingIP)
	b = zeekHops(b, h.Hops)
	b = zeekText(b, replyLine(m.Code, m.Enhanced, m.Reply))
	b = zeekPath(b, c, h.Hops)
	b = zeekText(b, h.UserAgent)
	b = zeekBool(b, m.Encrypted || ev.TLSMode != sessions.TLSNone && ev.TLSMode != "")
	return append(b, "\t-\t-"...)
}

// session tells of a connection what Zeek tells when STARTTLS hides the rest;
// of one that only tried to log in, how the last try ended.
func (zeek) session(b []byte, ev *sessions.Closed) []byte {
	c, s := ev.Conn, ev.Session
	b = zeekConn(b, c, c.Start)
	b = zeekCount(b, 1)
	b = zeekText(b, s.Helo.Name)
	b = append(b, "\t-\t-\t-\t-\t-\t-\t-\t-\t-\t-\t-\t-\t-"...)
	if n := len(s.Auth); n > 0 {
		b = zeekText(b, replyLine(s.Auth[n-1].Code, s.Auth[n-1].Enhanced, ""))
	} else {
		b = append(b, "\t-"...)
	}
	b = zeekPath(b, c, nil)
	b = append(b, "\t-"...)
	b = zeekBool(b, s.TLS.Accepted)
	return append(b, "\t-\t-"...)
}

func zeekConn(b []byte, c *sessions.Conn, at time.Time) []byte {
	b = strconv.AppendInt(b, at.Unix(), 10)
	b = append(b, '.')
	micro := at.Nanosecond() / 1000
	for d := 100_000; d > 0; d /= 10 {
		b = append(b, byte('0'+micro/d%10))
	}
	b = zeekText(b, c.ID)
	for _, end := range [2]netip.AddrPort{c.Client, c.Server} {
		if !end.IsValid() {
			b = append(b, "\t-\t-"...)
			continue
		}
		b = end.Addr().WithZone("").AppendTo(append(b, '\t'))
		b = appendUint(append(b, '\t'), uint64(end.Port()))
	}
	return b
}

func zeekCount(b []byte, n int) []byte { return appendInt(append(b, '\t'), int64(n)) }

func zeekBool(b []byte, v bool) []byte {
	if v {
		return append(b, "\tT"...)
	}
	return append(b, "\tF"...)
}

func zeekAddr(b []byte, s string) []byte {
	if a, err := netip.ParseAddr(s); err == nil {
		return a.WithZone("").AppendTo(append(b, '\t'))
	}
	return append(b, "\t-"...)
}

// zeekHops writes the last Received field of the header and the one above it:
// Zeek calls them first and second, in the order of the mail's way.
func zeekHops(b []byte, hops []sessions.Hop) []byte {
	for i := range 2 {
		if n := len(hops) - 1 - i; n >= 0 {
			b = zeekText(b, received(&hops[n]))
		} else {
			b = append(b, "\t-"...)
		}
	}
	return b
}

// zeekPath begins with the ends of the connection; the way back follows.
func zeekPath(b []byte, c *sessions.Conn, hops []sessions.Hop) []byte {
	if !c.Client.IsValid() || !c.Server.IsValid() {
		return append(b, "\t-"...)
	}
	last := c.Client.Addr().WithZone("")
	b = c.Server.Addr().WithZone("").AppendTo(append(b, '\t'))
	b = last.AppendTo(append(b, ','))
	for i := range hops {
		if a, err := netip.ParseAddr(hops[i].IP); err == nil && a.WithZone("") != last {
			last = a.WithZone("")
			b = last.AppendTo(append(b, ','))
		}
	}
	return b
}

// zeekText writes a string: - stands for none.
func zeekText(b []byte, s string) []byte {
	b = append(b, '\t')
	switch s {
	case "":
		return append(b, '-')
	case "-":
		return append(b, `\x2d`...)
	case "(empty)":
		return append(b, `\x28empty)`...)
	}
	return zeekEscape(b, s, false)
}

// fewElements of a set are looked through one by one.
const fewElements = 16

// zeekSet writes each element once, as a set has it.
func zeekSet(b []byte, all []string) []byte {
	b = append(b, '\t')
	n := len(b)
	var seen map[string]bool // of the long ones
	if len(all) > fewElements {
		seen = make(map[string]bool, len(all))
	}
	for i, s := range all {
		if seen == nil && slices.Contains(all[:i], s) || seen[s] {
			continue
		}
		if seen != nil {
			seen[s] = true
		}
		if len(b) > n {
			b = append(b, ',')
		}
		switch s {
		case "":
			b = append(b, "(empty)"...)
		case "-":
			b = append(b, `\x2d`...)
		default:
			b = zeekEscape(b, s, true)
		}
	}
	if len(b) == n {
		return append(b, '-')
	}
	return b
}

// zeekEscape writes as \xHH what would end a field, an element or a line, what a
// terminal obeys, what is no UTF-8, and the backslash itself: so that whoever
// reads \xHH back has the text.
func zeekEscape(b []byte, s string, inSet bool) []byte {
	hex := func(c byte) { b = append(b, '\\', 'x', hexDigits[c>>4], hexDigits[c&15]) }
	for i := 0; i < len(s); {
		c := s[i]
		switch {
		case c < 0x20 || c == 0x7f || c == '\\' || inSet && c == ',':
			hex(c)
		case c < 0x80:
			b = append(b, c)
		default:
			r, size := utf8.DecodeRuneInString(s[i:])
			if r == utf8.RuneError && size == 1 || r < 0xa0 {
				for j := range size {
					hex(s[i+j])
				}
			} else {
				b = append(b, s[i:i+size]...)
			}
			i += size
			continue
		}
		i++
	}
	return b
}
