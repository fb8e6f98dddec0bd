package tls

import (
	"github.com/mailtap/mailtap/decode/tls/keys"
)

// inside is what opened records tell for certain.
type inside struct {
	over     [2]bool // a side's Finished was read
	missed   bool    // records of the handshake may have been among those that were not opened
	answered bool    // the server went on when it had the client's Finished
	guessed  bool    // that an alert ended the handshake is known by its size alone

	matched      [2]int8 // octets of the newest line that are those of lastLines
	quit         bool    // the client's newest line is QUIT
	quitAnswered bool    // and the server answered it with 221
}

func (i *inside) done() bool { return i.over[keys.Client] && i.over[keys.Server] }

func (w *Watch) finished(from keys.Sender) { w.inside.over[from] = true }

// answered says that the server went on behind the client's Finished.
func (w *Watch) answered(from keys.Sender) {
	if from == keys.Server && w.inside.done() {
		w.inside.answered = true
	}
}

// dialog reads the end of the dialog off the text of a record. It keeps how far
// a line was matched, and nothing of the text: records end within lines (TLS
// 1.0 sends the first octet alone).
func (w *Watch) dialog(from keys.Sender, text []byte) {
	w.answered(from)
	i := &w.inside
	const longest = 512 // RFC 5321, 4.5.3.1.5
	if len(text) > longest {
		text = text[len(text)-longest:]
		i.matched[from] = mismatch
	}
	for _, c := range text {
		i.octet(from, c)
	}
}

var lastLines = [2]string{keys.Client: "QUIT", keys.Server: "221"}

const mismatch = -1

func (i *inside) octet(from keys.Sender, c byte) {
	n, line := &i.matched[from], lastLines[from]
	if from == keys.Client {
		i.quit, i.quitAnswered = false, false
	}
	switch {
	case c == '\n':
		i.quit = i.quit || from == keys.Client && int(*n) == len(line)
		*n = 0
	case c == '\r' || *n == mismatch || from == keys.Server && int(*n) == len(line):
	case int(*n) < len(line) && (c == line[*n] || c == line[*n]|0x20):
		*n++
		i.quitAnswered = i.quitAnswered || i.quit && from == keys.Server && int(*n) == len(line)
	default:
		*n = mismatch
	}
}

// alertInside takes an alert that was encrypted. Behind the handshake it is
// no fact; but a server may answer the client's Finished with one, which
// refuses what the client has shown of itself.
func (w *Watch) alertInside(s *side, b []byte) {
	if len(b) != alertLength {
		return
	}
	i := &w.inside
	end := endsAll(w.version, b)
	if i.guessed && w.told().AlertFrom == w.name(s) {
		i.guessed = false
		w.fatal = end
		if !end {
			w.told().AlertFrom = ""
		}
	}
	refusal := s == &w.server && !i.answered && !w.server.lost && b[1] != closeNotify
	switch {
	case !end:
		return
	case w.fatal:
	case !i.done() && !i.missed && !w.lost(), i.done() && w.version >= version13 && refusal:
		w.fatal = true
		w.told().AlertFrom = w.name(s)
	case s == &w.server:
		i.answered = true
	}
	if w.fatal && w.told().AlertFrom == w.name(s) && w.told().AlertName == "" {
		w.told().AlertName = alertName(b[1])
	}
}

// endsAll: TLS 1.3 has no levels, all but user_canceled end (RFC 8446, 6).
func endsAll(version uint16, alert []byte) bool {
	const userCanceled = 90
	if version >= version13 {
		return alert[1] != userCanceled
	}
	return endsHandshake([alertLength]byte(alert))
}
