// Package mail reads the content of a message as it streams by: the header
// section (RFC 5322, 2.2), the fields of it that records show, and the tree of
// MIME parts behind it (RFC 2045 and 2046) for the files that it carries.
//
// sessions feeds a Message with the content of each mail, dots already
// unstuffed, and reads the Fields, Attachments and Report. The package never
// holds a body, never does I/O, and never fails: what is malformed is read as
// mail readers do, or left out, and named among the Oddities. How the octets
// are cut into Writes changes nothing.
package mail

import "bytes"

const (
	maxFieldName = 998      // a field name fills a line at most (RFC 5322, 2.1.1)
	maxIdle      = 16 << 10 // buffer that Reset keeps, in octets
	maxSection   = 1 << 30  // header that is read, whatever the Options say
)

// HeaderReader reads the header section of one message after the other. The
// zero value is ready; set Options before the first Write. It is not safe for
// concurrent use.
type HeaderReader struct {
	Options Options
	shared  *Options // of the Message, instead
	ofPart  bool     // the header of a part: only the fields that describe content count

	progress
	name   []byte        // the line so far, while it may be a field name
	buf    []byte        // the values that are wanted
	single [singles]span // of which told has the bit
	listed []listedSpan  // of the fields that may come often, as they came

	words   decoder
	params  [2]params // of Content-Type and Content-Disposition
	scratch scratch
}

// progress is what a header begins with anew.
type progress struct {
	state   state
	begun   bool  // a field has begun: a blank continues it
	keep    bool  // the value of the current field is wanted
	current known // field being read

	overlong, limited bool
	cut               bool // ended before its end: by a limit or by a loss
	broken            bool // ended by a line that is no field, behind some

	size     int    // octets of header read
	start    uint32 // where the current value begins in buf
	ended    uint32 // where the last line ended in it
	received int

	seen, twice, told uint32 // bits by known

	count [lists]int // of listed, by field
}

// span is where a value stands in the buffer.
type span struct{ from, to uint32 }

type listedSpan struct {
	span
	field known
}

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
	h.progress = progress{}
	h.name, h.listed = h.name[:0], h.listed[:0]
	if h.buf = h.buf[:0]; cap(h.buf) > maxIdle {
		h.buf = nil
	}
}

func (h *HeaderReader) options() *Options {
	if h.shared != nil {
		return h.shared
	}
	return &h.Options
}

func (h *HeaderReader) maxSize() int {
	if h.ofPart {
		return h.options().maxPartHeader()
	}
	return h.options().maxHeader()
}

// Done says whether the header section is over: by an empty line, by a line
// that is no field, or at its limit.
func (h *HeaderReader) Done() bool { return h.state == headerIsOver }

// Stop ends the header where octets of it were lost: what follows may be the
// body. A field that was not complete is left out.
func (h *HeaderReader) Stop() {
	if h.state != headerIsOver {
		h.cut = true
		h.finish(nil)
	}
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
	room := h.maxSize() - h.size
	part := b[:min(len(b), room)]
	for n < len(part) && h.state != headerIsOver {
		n += h.step(part[n:])
	}
	h.size += n
	if n == room && h.state != headerIsOver {
		h.limited, h.cut = true, true
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
		h.broken = h.begun
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
	return h.readName(b)
}

// readName looks for the colon. The usual line comes whole and is not copied.
func (h *HeaderReader) readName(b []byte) int {
	i := nameLength(b)
	switch {
	case len(h.name)+i > maxFieldName:
		h.limited, h.cut = true, true
		h.finish(h.name)
		return 0
	case i == len(b):
		h.name = append(h.name, b...)
	case b[i] == ':' && len(h.name) == 0 && i > 0:
		h.begin(b[:i])
		i++
		return i + h.readValue(b[i:])
	case b[i] == ':' && len(h.name)+i > 0:
		h.begin(append(h.name, b[:i]...))
		return i + 1
	case (b[i] == ' ' || b[i] == '\t') && len(h.name)+i > 0:
		h.name = append(h.name, b[:i]...)
		h.state = behindName
	default:
		h.broken = h.begun
		h.finish(h.name)
		return 0
	}
	return i
}

func (h *HeaderReader) readBlanks(b []byte) int {
	switch c := b[0]; {
	case c == ':':
		h.begin(bytes.TrimRight(h.name, " \t"))
	case (c == ' ' || c == '\t') && len(h.name) <= maxFieldName:
		h.name = append(h.name, c)
	case !h.begun && isEnvelopeLine(h.name):
		h.begin(nil)
		return 0
	default:
		h.broken = h.begun
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
	h.start = uint32(len(h.buf))
	h.keep = h.wanted(h.current)
}

func (h *HeaderReader) wanted(f known) bool {
	before := h.seen&(1<<f) != 0
	h.seen |= 1 << f
	switch {
	case f == unknown || h.ofPart && !f.ofContent():
		return false
	case f == contentType && before:
		h.current, h.twice = contentTypeAgain, h.twice|1<<f
		f, before = contentTypeAgain, h.seen&(1<<contentTypeAgain) != 0
		h.seen |= 1 << f
		return !before
	case f == received:
		h.received++
		return h.count[received-firstListed] < h.options().maxHops()
	case f.isListed():
		return h.room(h.count[f-firstListed])
	case before:
		h.twice |= 1 << f
		return false
	}
	return f < singles
}

func (h *HeaderReader) room(n int) bool {
	if n < h.options().maxResults() {
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
	room := h.options().maxField() - (len(h.buf) - int(h.start))
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
	if n := len(h.buf); n > int(h.start) && h.buf[n-1] == '\r' {
		h.buf = h.buf[:n-1]
	}
	at := span{h.start, uint32(len(h.buf))}
	h.ended = at.to
	if !h.current.isListed() {
		h.single[h.current] = at
		h.told |= 1 << h.current
		return
	}
	h.list(at)
}

// list adds a value to those of its field, or makes the last one longer.
func (h *HeaderReader) list(at span) {
	for i := len(h.listed) - 1; i >= 0 && h.listed[i].from == at.from; i-- {
		if h.listed[i].field == h.current {
			h.listed[i].span = at
			return
		}
	}
	h.listed = append(h.listed, listedSpan{at, h.current})
	h.count[h.current-firstListed]++
}
