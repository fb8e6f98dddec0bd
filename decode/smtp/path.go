package smtp

import (
	"bytes"
	"strconv"
)

// maxPath bounds a mailbox that is kept, in octets. RFC 5321, 4.5.3.1.3 allows
// 256.
const maxPath = 1024

func mailboxText(b []byte) string { return printable(b[:min(len(b), maxPath)]) }

// Path takes the argument of MAIL or RCPT apart (RFC 5321, 4.1.2): the mailbox
// without its brackets, and the parameters behind it. A source route stays: it
// shows where the client wanted the mail to go.
// Addresses without brackets are met and read too.
func Path(arg []byte) (mailbox string, params []byte) {
	_, arg, _ = bytes.Cut(arg, []byte{':'})
	arg = trim(arg)
	if len(arg) == 0 {
		return "", nil
	}
	if arg[0] != '<' {
		addr, rest, _ := bytes.Cut(arg, []byte{' '})
		return mailboxText(addr), trim(rest)
	}
	end := closing(arg)
	if end < 0 {
		return mailboxText(arg[1:]), nil
	}
	return mailboxText(arg[1:end]), trim(arg[end+1:])
}

// closing finds the bracket that closes arg[0]; brackets inside quotes do not
// count.
func closing(arg []byte) int {
	quoted := false
	for i := 1; i < len(arg); i++ {
		switch arg[i] {
		case '\\':
			i++
		case '"':
			quoted = !quoted
		case '>':
			if !quoted {
				return i
			}
		}
	}
	return bytes.LastIndexByte(arg, '>')
}

// MailParams are the parameters of MAIL that records show.
type MailParams struct {
	Size     int64  // RFC 1870; -1 where absent
	Body     string // RFC 6152, RFC 3030
	SMTPUTF8 bool   // RFC 6531
}

// ParseMailParams reads the parameters of MAIL.
func ParseMailParams(b []byte) MailParams {
	p := MailParams{Size: -1}
	for len(b) > 0 {
		var word []byte
		word, b, _ = bytes.Cut(b, []byte{' '})
		key, value, _ := bytes.Cut(word, []byte{'='})
		switch {
		case len(key) == 4 && equalFold(key, "SIZE"):
			if n, err := strconv.ParseInt(string(value), 10, 64); err == nil && n >= 0 {
				p.Size = n
			}
		case len(key) == 4 && equalFold(key, "BODY"):
			p.Body = printable(bytes.ToUpper(value[:min(len(value), 20)]))
		case len(key) == 8 && equalFold(key, "SMTPUTF8"):
			p.SMTPUTF8 = true
		}
	}
	return p
}

// Text copies octets as valid UTF-8 without control characters, at most max.
func Text(b []byte, max int) string {
	return printable(b[:min(len(b), max)])
}

// QueueID finds the name under which a server took a mail, in the reply to the
// end of data. Each known server has its own words.
func QueueID(reply []byte) string {
	for _, mark := range [...]string{
		"queued as ",                        // Postfix, and many after it
		"OK id=",                            // Exim
		"Message accepted for delivery id=", // others
		"queued mail for delivery id=",
	} {
		if i := bytes.Index(reply, []byte(mark)); i >= 0 {
			return idAt(reply[i+len(mark):])
		}
	}
	// Sendmail: "2.0.0 QUEUEID Message accepted for delivery"; OpenSMTPD:
	// "2.0.0 QUEUEID Message accepted for delivery".
	if i := bytes.Index(reply, []byte(" Message accepted for delivery")); i > 0 {
		word := reply[:i]
		if j := bytes.LastIndexByte(word, ' '); j >= 0 {
			word = word[j+1:]
		}
		return idAt(word)
	}
	return ""
}

func idAt(b []byte) string {
	n := 0
	for n < len(b) && n < 64 && b[n] > ' ' && b[n] < 0x7f && b[n] != ')' && b[n] != ',' && b[n] != '>' {
		n++
	}
	for n > 0 && b[n-1] == '.' {
		n--
	}
	return string(b[:n])
}
