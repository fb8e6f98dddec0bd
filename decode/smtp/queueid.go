package smtp

import "bytes"

// maxQueueID bounds a queue id that is kept, in octets; SES' have 60, message
// ids of Exchange up to some 90.
const maxQueueID = 128

// Bounds of what is searched, in lines and octets of a line.
const (
	maxQueueLines = 16
	maxQueueLine  = 1024
)

// queueMark is how a server leads to its queue id.
type queueMark struct {
	text string // lower case
	last bool   // the id is the last word behind it
}

// queueMarks are tried in turn.
var queueMarks = [...]queueMark{
	{text: "queued as "},                        // Postfix, Halon, SendGrid, and many after them
	{text: "queued with id "},                   // Stalwart
	{text: "ok id="},                            // Exim
	{text: "completed: id="},                    // GMX, web.de
	{text: "message accepted for delivery id="}, // others
	{text: "queued mail for delivery id="},
	{text: "[internalid="},                 // Exchange 2007 and later, behind the Message-ID
	{text: "message queued ("},             // Haraka
	{text: "message saved <message-id: <"}, // MDaemon
	{text: "queued on ", last: true},       // Yandex: "queued on HOST as ID", "queued on HOST ID"
	{text: "received ok ["},                // Mimecast
}

// QueueID finds the name under which a server took a mail, in the reply to the
// end of data. Each known server has its own words; of a reply of several lines
// the last is read first. It is "" where the server names none.
func QueueID(reply []byte) string {
	for range maxQueueLines {
		i := bytes.LastIndexByte(reply, '\n')
		line := reply[i+1:]
		if id := queueIDOf(line[:min(len(line), maxQueueLine)]); id != "" {
			return id
		}
		if i < 0 {
			break
		}
		reply = reply[:i]
	}
	return ""
}

func queueIDOf(line []byte) string {
	text := trim(line)
	if code := enhancedCode(text, 200); code != nil {
		text = trim(bytes.TrimPrefix(text[len(code):], []byte{':'}))
	}
	var room [256]byte // a usual line
	low := append(room[:0], text...)
	for i, c := range low {
		low[i] = lower(c)
	}
	for _, m := range queueMarks {
		if i := index(low, m.text); i >= 0 {
			rest := trim(text[i+len(m.text):])
			if m.last {
				return numbered(lastWord(rest))
			}
			if id := idAt(rest); id != "" {
				return id
			}
		}
	}
	switch {
	case bytes.HasSuffix(text, []byte(" - gsmtp")): // Gmail: "OK  TIME ID - gsmtp"
		return idAt(lastWord(bytes.TrimSuffix(text, []byte(" - gsmtp"))))
	case bytes.HasPrefix(text, []byte("id=")): // Exim's PRDR: "id=ID message accepted for some recipients"
		return idAt(text[3:])
	case bytes.HasSuffix(text, []byte("> Saved")): // without an id
	case bytes.HasPrefix(text, []byte("<")) && bytes.HasSuffix(text, []byte(" Saved")): // Dovecot LMTP: "<user> ID Saved"
		return idAt(lastWord(bytes.TrimSuffix(text, []byte(" Saved"))))
	}
	if i := index(low, "message accepted for delivery"); i > 0 {
		return numbered(lastWord(text[:i])) // Sendmail, OpenSMTPD, Proofpoint, CommuniGate
	}
	if i := index(low, "queued mail for delivery"); i > 0 && text[0] == '<' {
		return idAt(text[1:]) // Exchange 2003, IIS: the Message-ID is all it tells
	}
	if id := qmailID(text); id != "" {
		return id
	}
	if id := ironportID(text); id != "" {
		return id
	}
	return okID(text)
}

// qmailID reads "ok TIME qp ID".
func qmailID(text []byte) string {
	ok, rest := nextWord(text)
	time, rest := nextWord(rest)
	qp, rest := nextWord(rest)
	id, _ := nextWord(rest)
	if !isName(ok, "OK") || !isNumber(time) || string(qp) != "qp" || !isNumber(id) {
		return ""
	}
	return idAt(id)
}

// ironportID reads Cisco ESA's "ok:  Message ID accepted".
func ironportID(text []byte) string {
	ok, rest := nextWord(text)
	message, rest := nextWord(rest)
	id, _ := nextWord(rest)
	if !isName(ok, "OK:") || !isName(message, "MESSAGE") || !isNumber(id) {
		return ""
	}
	return idAt(id)
}

// okID reads "Ok ID" and nothing behind it: Amazon SES, Momentum, Courier. A
// word without digits, or a short one, is prose.
func okID(text []byte) string {
	ok, rest := nextWord(text)
	id, rest := nextWord(rest)
	if !isName(ok, "OK") && !isName(ok, "OK.") || len(trim(rest)) > 0 || len(id) < 16 || !bytes.ContainsAny(id, "-.") {
		return ""
	}
	return numbered(id)
}

// index finds a mark.
func index(low []byte, mark string) int {
	for from := 0; ; from++ {
		i := bytes.IndexByte(low[from:], mark[0])
		if from += i; i < 0 || len(low)-from < len(mark) {
			return -1
		}
		if string(low[from:from+len(mark)]) == mark {
			return from
		}
	}
}

func lower(c byte) byte {
	if 'A' <= c && c <= 'Z' {
		return c + 'a' - 'A'
	}
	return c
}

func isNumber(b []byte) bool {
	for _, c := range b {
		if !isDigit(c) {
			return false
		}
	}
	return len(b) > 0
}

func lastWord(b []byte) []byte {
	b = trim(b)
	return b[bytes.LastIndexByte(b, ' ')+1:]
}

// numbered reads an id where prose may stand too: a word without a digit is
// none.
func numbered(word []byte) string {
	if !bytes.ContainsAny(word, "0123456789") {
		return ""
	}
	return idAt(word)
}

// idAt reads the id that b begins with.
func idAt(b []byte) string {
	n := 0
	for n < len(b) && n < maxQueueID && b[n] > ' ' && b[n] < 0x7f && bytes.IndexByte([]byte(`()[],<>;"`), b[n]) < 0 {
		n++
	}
	for n > 0 && (b[n-1] == '.' || b[n-1] == ':') {
		n--
	}
	return string(b[:n])
}
