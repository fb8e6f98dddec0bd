package tls

import "github.com/mailtap/mailtap/decode/tls/keys"

// Plain is a run of what one direction carried inside TLS, where a key log
// opens it; or a loss alone, which is told as soon as it is known: the other
// side may answer what was lost.
type Plain struct {
	FromClient bool
	Data       []byte // borrowed until the next call of the Watch; empty only where Lost is not 0
	Lost       int64  // octets on the wire that were lost before Data or could not be opened, at least 1 where some were
	Mark       int64  // Watch.Mark as the last octet of its record was fed
	End        int64  // octets of the direction, lost ones included, up to the end of its record
}

// Next pulls what the octets fed so far carried, in the order in which the
// records were completed; false where there is nothing more. Pull after each
// feed: the next one gives up what is left, and it counts as lost. Where
// secrets came late Next brings what waited for them, without a feed too.
// Nothing comes of a connection whose secrets are not known.
func (w *Watch) Next(p *Plain) bool {
	o := w.opening
	if o == nil {
		return false
	}
	if !o.out.more() {
		o.giveUpUnread()
		w.reopen()
	}
	return o.out.pull(p)
}

// Buffers of long records are let go of when short ones follow: a dialog that
// idles holds little.
const (
	shortText  = 4 << 10
	mostUnused = 64 << 10
)

// output is the text that was opened and not pulled yet.
type output struct {
	buf   []byte
	spans []span
	next  int // of spans to be pulled
}

// span is the text of one record, a piece of the buffer.
type span struct {
	from            keys.Sender
	start, stop     int
	lost, mark, end int64
	wire            int64 // octets of its record, 0 of a loss
}

// room makes the buffer take n octets more without growing. The text in a
// buffer that is left is cleared.
func (t *output) room(n int) []byte {
	if cap(t.buf)-len(t.buf) < n {
		larger := make([]byte, len(t.buf), max(2*cap(t.buf), len(t.buf)+n))
		copy(larger, t.buf)
		clear(t.buf)
		t.buf = larger
	}
	return t.buf
}

// add takes over what was appended to the buffer.
func (t *output) add(plain []byte, s span) {
	s.start, s.stop = len(t.buf), len(plain)
	t.buf = plain
	t.spans = append(t.spans, s)
}

// loss is told alone; a run of them is told as one.
func (t *output) loss(s span) {
	s.start, s.stop = len(t.buf), len(t.buf)
	if n := len(t.spans); t.more() && t.spans[n-1].from == s.from && t.spans[n-1].wire == 0 {
		s.lost += t.spans[n-1].lost
		t.spans = t.spans[:n-1]
	}
	t.spans = append(t.spans, s)
}

func (t *output) more() bool { return t.next < len(t.spans) }

func (t *output) pull(p *Plain) bool {
	if !t.more() {
		return false
	}
	s := &t.spans[t.next]
	t.next++
	*p = Plain{FromClient: s.from == keys.Client, Data: t.buf[s.start:s.stop:s.stop], Lost: s.lost, Mark: s.mark, End: s.end}
	return true
}

// reset clears the text.
func (t *output) reset() {
	used := len(t.buf)
	clear(t.buf)
	t.buf, t.spans, t.next = t.buf[:0], t.spans[:0], 0
	if cap(t.buf) > mostUnused || cap(t.buf) > shortText && used > 0 && used <= shortText {
		t.wipe()
	}
}

// wipe clears what failed to open, too: it stands behind the text.
func (t *output) wipe() {
	clear(t.buf[:cap(t.buf)])
	*t = output{}
}

// giveUpUnread counts what was not pulled as lost.
func (o *opening) giveUpUnread() {
	for _, s := range o.out.spans[o.out.next:] {
		o.sides[s.from].lost += s.lost + s.wire
	}
	o.out.reset()
}
