// Package mail reads the content of a message as it streams by: the header
// section (RFC 5322, 2.2), of which it owns the framing, the few fields that
// records show, and the decoding of their text (RFC 2047).
//
// sessions feeds a HeaderReader with the content of each mail, dots already
// unstuffed, and reads the Fields. The package never holds a body, never
// does I/O, and never fails: what is malformed is read as mail readers do,
// or left out. How the octets are cut into Writes changes nothing.
package mail

import "bytes"

// Options bounds what a HeaderReader reads and holds. The zero value means
// the defaults.
type Options struct {
	// MaxHeader is how much of a header section is read, in octets. Default 256 KiB.
	MaxHeader int
	// MaxField is how much of one field's value is kept, in octets. Default 8 KiB.
	MaxField int
	// MaxResults is how many Authentication-Results and how many
	// DKIM-Signature fields are kept. Default 16 of each.
	MaxResults int
}

func (o *Options) maxHeader() int  { return orDefault(o.MaxHeader, 256<<10) }
func (o *Options) maxField() int   { return orDefault(o.MaxField, 8<<10) }
func (o *Options) maxResults() int { return orDefault(o.MaxResults, 16) }

func orDefault(n, standard int) int {
	if n > 0 {
		return n
	}
	return standard
}

const (
	maxName = 998      // a field name fills a line at most (RFC 5322, 2.1.1)
	maxIdle = 16 << 10 // buffer that Reset keeps, in octets
)

// HeaderReader reads the header section of one message after the other. The
// zero value is ready; set Options before the first Write. It is not safe for
// concurrent use.
type HeaderReader struct {
	Options Options

	state state
	size  int    // octets of header read
	begun bool   // a field has begun: a blank continues it
	name  []byte // the line so far, while it may be a field name

	current known // field being read
	keep    bool  // its value is wanted
	start   int   // where its value begins in buf
	buf     []byte

	seen, twice uint32 // bits by known
	single      [singles]span
	results     []span // Authentication-Results
	signatures  []span // DKIM-Signature
	received    int

	overlong, limited bool

	words decoder
}

// span is where a value stands in the buffer.
type span struct{ from, to int }

type state uint8

const (
	lineStart  state = iota // the next octet tells: continuation, end or a new field
	carriage                // a CR began the line
	fieldName               // before the colon
	behindName              // in blanks before the colon (RFC 5322, 4.5.8)
	value                   // behind it
	headerIsOver
)

// Reset makes the reader ready for the next message. Its memory is kept.
func (h *HeaderReader) Reset() {
	buf := h.buf[:0]
	if cap(buf) > maxIdle {
		buf = nil
	}
	*h = HeaderReader{
		Options: h.Options,
		name:    h.name[:0], buf: buf, results: h.results[:0], signatures: h.signatures[:0], words: h.words,
	}
}

// Done says whether the header section is over: by an empty line, by a line
// that is no field, or at its limit.
func (h *HeaderReader) Done() bool { return h.state == headerIsOver }

// Stop ends the header where octets of it were lost: what follows may be the
// body. A field that was not complete is left out.
func (h *HeaderReader) Stop() {
	h.state = headerIsOver
}

// Leftover is what was taken as the start of a field and turned out to be the
// body's: the body is Leftover and then what Write did not consume. It is
// borrowed until the next Write or Reset, and empty for nearly every mail.
func (h *HeaderReader) Leftover() []byte {
	if h.state != headerIsOver {
		return nil
	}
	return h.name
}

// Write takes the next octets of a message's content and returns how many of
// them belong to the header section, the empty line included. Nothing of b is
// kept but the values wanted. Once Done it takes nothing.
func (h *HeaderReader) Write(b []byte) (n int) {
	if h.state == headerIsOver {
		return 0
	}
	room := h.Options.maxHeader() - h.size
	part := b[:min(len(b), room)]
	for n < len(part) && h.state != headerIsOver {
		n += h.step(part[n:])
	}
	h.size += n
	if n == room && h.state != headerIsOver {
		h.limited = true
		h.finish(nil)
	}
	return n
}

// step reads up to the next change of state and returns the octets taken. It
// may take none where the octet is for the new state.
func (h *HeaderReader) step(b []byte) int {
	switch h.state {
	case lineStart:
		return h.startLine(b)
	case fieldName:
		return h.readName(b)
	case behindName:
		return h.readBlanks(b)
	case value:
		return h.readValue(b)
	}
	if b[0] != '\n' { // carriage
		h.finish(append(h.name[:0], '\r'))
		return 0
	}
	h.finish(nil)
	return 1
}

// finish ends the header section; line is the start of the body already taken.
func (h *HeaderReader) finish(line []byte) {
	h.state = headerIsOver
	h.name = append(h.name[:0], line...)
}

func (h *HeaderReader) startLine(b []byte) int {
	switch b[0] {
	case '\n':
		h.finish(nil)
		return 1
	case '\r':
		h.state = carriage
		return 1
	case ' ', '\t':
		if !h.begun {
			h.finish(nil)
			return 0
		}
		h.state = value
		return 0
	}
	h.state = fieldName
	h.name = h.name[:0]
	return 0
}

// readName looks for the colon. The usual line comes whole and is not copied.
func (h *HeaderReader) readName(b []byte) int {
	i := 0
	for i < len(b) && isName(b[i]) {
		i++
	}
	switch {
	case len(h.name)+i > maxName:
		h.limited = true
		h.finish(h.name)
		return 0
	case i == len(b):
		h.name = append(h.name, b...)
	case b[i] == ':' && len(h.name) == 0 && i > 0:
		h.begin(b[:i])
		return i + 1
	case b[i] == ':' && len(h.name)+i > 0:
		h.begin(append(h.name, b[:i]...))
		return i + 1
	case (b[i] == ' ' || b[i] == '\t') && len(h.name)+i > 0:
		h.name = append(h.name, b[:i]...)
		h.state = behindName
	default:
		h.finish(h.name)
		return 0
	}
	return i
}

// isName knows the octets of a field name (RFC 5322, 2.2).
func isName(c byte) bool { return c > ' ' && c < 0x7f && c != ':' }

func (h *HeaderReader) readBlanks(b []byte) int {
	switch c := b[0]; {
	case c == ':':
		h.begin(bytes.TrimRight(h.name, " \t"))
	case (c == ' ' || c == '\t') && len(h.name) <= maxName:
		h.name = append(h.name, c)
	case !h.begun && isEnvelopeLine(h.name):
		h.begin(nil)
		return 0
	default:
		h.finish(h.name)
		return 0
	}
	return 1
}

// isEnvelopeLine knows the line of mailbox files that some clients send ahead
// of the header, as servers do: "From " or ">From ".
func isEnvelopeLine(line []byte) bool {
	return bytes.HasPrefix(line, []byte("From ")) || bytes.HasPrefix(line, []byte(">From "))
}

// begin starts a field behind its name. The first of its name is kept.
func (h *HeaderReader) begin(name []byte) {
	h.state = value
	h.begun = true
	h.current = lookup(name)
	h.name = h.name[:0]
	h.start = len(h.buf)
	h.keep = h.wanted(h.current)
}

func (h *HeaderReader) wanted(f known) bool {
	before := h.seen&(1<<f) != 0
	h.seen |= 1 << f
	switch {
	case f == unknown:
		return false
	case f == received:
		h.received++
		return !before
	case f == authenticationResults:
		return h.room(len(h.results))
	case f == dkimSignature:
		return h.room(len(h.signatures))
	case before:
		h.twice |= 1 << f
		return false
	}
	return f < singles
}

func (h *HeaderReader) room(n int) bool {
	if n < h.Options.maxResults() {
		return true
	}
	h.limited = true
	return false
}

func (h *HeaderReader) readValue(b []byte) int {
	i := bytes.IndexByte(b, '\n')
	if i < 0 {
		h.add(b)
		return len(b)
	}
	h.add(b[:i])
	h.state = lineStart
	if h.keep {
		h.endLine()
	}
	return i + 1
}

// add keeps octets of a wanted value within its limit.
func (h *HeaderReader) add(b []byte) {
	if !h.keep {
		return
	}
	room := h.Options.maxField() - (len(h.buf) - h.start)
	if len(b) > room {
		b = b[:room]
		h.overlong = true
	}
	h.buf = append(h.buf, b...)
}

// endLine takes the CR off and says how far the field's value goes by now: a
// continuation may follow, and unfolding leaves its white space as it is (RFC
// 5322, 2.2.3).
func (h *HeaderReader) endLine() {
	if n := len(h.buf); n > h.start && h.buf[n-1] == '\r' {
		h.buf = h.buf[:n-1]
	}
	at := span{h.start, len(h.buf)}
	switch h.current {
	case authenticationResults:
		h.results = extend(h.results, at)
	case dkimSignature:
		h.signatures = extend(h.signatures, at)
	default:
		h.single[h.current] = at
	}
}

// extend adds a value to a list, or makes the last one longer.
func extend(list []span, at span) []span {
	if n := len(list); n > 0 && list[n-1].from == at.from {
		list[n-1] = at
		return list
	}
	return append(list, at)
}
