package smtp

import (
	"bytes"
	"math"
)

// Mode is the client's grammar at a place of the stream.
type Mode uint8

// Modes of a client.
const (
	Commands Mode = iota // command lines
	Wait                 // a command changes the grammar: only the reply tells how
	InAuth               // one line of an AUTH exchange
	InData               // content up to the line with the dot
	InChunk              // a counted run of octets (RFC 3030)
	Opaque               // TLS or another protocol
	Tail                 // lost: only the last octets are kept until a reply tells the place
	InBlob               // a counted run of octets that is no content (XEXCH50): left out
)

// ClientOptions bounds what a client can make the tokenizer hold.
type ClientOptions struct {
	Line    int // octets of a command line; default 16 KiB
	Waiting int // octets held while the server has not decided; default 1 MiB
	Fork    int // octets kept behind an end-of-data look-alike; default 64 KiB
}

const (
	defaultLine    = 16 << 10
	defaultWaiting = 1 << 20
	defaultFork    = 64 << 10
	tailKept       = 4 << 10
)

func (o *ClientOptions) line() int {
	if o != nil && o.Line > 0 {
		return o.Line
	}
	return defaultLine
}

func (o *ClientOptions) waiting() int {
	if o != nil && o.Waiting > 0 {
		return o.Waiting
	}
	return defaultWaiting
}

func (o *ClientOptions) fork() int {
	if o != nil && o.Fork > 0 {
		return o.Fork
	}
	return defaultFork
}

// Client cuts the client's direction into tokens. The zero value works. Feed
// gives it octets, Next pulls tokens until it needs more. After a command that
// changes the grammar it stops in Wait until Set says how to go on.
//
// One that waits for octets and holds none is 72 octets; what the few need to
// whom something odd happens stands behind trouble.
type Client struct {
	in      []byte // octets not read yet: borrowed, or a copy of what a Feed left
	offset  int64  // stream offset of in[0]
	scanned uint32 // octets of in that hold no line end
	mode    Mode
	owned   bool    // in is a copy
	skip    bool    // inside a line that was cut at the limit
	prev    [2]byte // content: the octets before in[0]
	room    uint32  // of the copy, with what was read of it
	trouble *trouble

	Options *ClientOptions // nil: the defaults; clients share it
	chunk   int64          // octets left of the BDAT chunk or the blob
}

// Held is the memory that octets take which were not read yet, or may have to be
// read again.
func (c *Client) Held() int {
	n := 0
	if c.owned {
		n = int(c.room)
	}
	if c.trouble != nil {
		n += cap(c.trouble.fork)
	}
	return n
}

// Mode tells the present grammar.
func (c *Client) Mode() Mode { return c.mode }

// Offset is the stream offset of the first octet that was not read yet.
func (c *Client) Offset() int64 { return c.offset }

// Unread is what waits to be read; borrowed until the next call.
func (c *Client) Unread() []byte { return c.in }

// Overflowed says whether octets were given up because Waiting was reached,
// and forgets it.
func (c *Client) Overflowed() bool {
	if c.trouble == nil {
		return false
	}
	was := c.trouble.overflow
	c.trouble.overflow = false
	return was
}

// Set changes the grammar for the octets that are not read yet.
func (c *Client) Set(m Mode) {
	if m == InData {
		c.prev = [2]byte{'\r', '\n'} // the content begins at a line start
	}
	c.mode, c.scanned = m, 0
	c.skip = c.skip && m != Tail // the rest of a long line is no begin of what follows it
}

// Feed adds octets. They are borrowed: all tokens must be pulled before the
// next Feed, and Keep called before the octets change.
func (c *Client) Feed(b []byte, offset int64) {
	if c.trouble != nil {
		c.remember(b)
	}
	if len(c.in) == 0 {
		c.in, c.owned = b, false
		if c.pending() == 0 {
			c.offset = offset
		}
		return
	}
	c.Keep()
	room := c.Options.waiting() - len(c.in)
	if c.pending() > 0 {
		room = 0
	}
	if room = max(room, 0); len(b) > room {
		c.gaveUp(len(b) - room)
		b = b[:room]
	}
	was := cap(c.in)
	if c.in = append(c.in, b...); cap(c.in) != was {
		c.room = uint32(cap(c.in)) // else what was read is still in it
	}
}

// leastKept is the room for the begin of a line, in octets: it is likely to
// get longer.
const leastKept = 64

// Keep copies what was not read, so that the octets of the last Feed may
// change. Where all was read nothing is held.
func (c *Client) Keep() {
	switch {
	case len(c.in) == 0:
		c.in, c.owned = nil, false
	case c.owned: // what was read is left behind; append moves the rest now and then
	default:
		if n := c.Options.waiting(); len(c.in) > n {
			c.gaveUp(len(c.in) - n)
			c.in = c.in[:n]
			c.scanned = min(c.scanned, uint32(n)) // a line may be longer than what waits
		}
		c.own(append(make([]byte, 0, max(len(c.in), leastKept)), c.in...))
	}
}

// own has the client read on in a copy.
func (c *Client) own(b []byte) { c.in, c.owned, c.room = b, true, uint32(min(cap(b), math.MaxUint32)) }

// drop gives up what is not read.
func (c *Client) drop() {
	if n := len(c.in); n > 0 {
		c.troubled().pending += int64(n)
	}
	c.in, c.owned, c.scanned, c.skip = nil, false, 0, false
}

// Next pulls the next token; false where more octets or a decision are needed:
// then t means nothing.
func (c *Client) Next(t *Token) bool {
	if c.skip {
		c.skipLine()
	}
	if c.mode == InBlob {
		c.skipBlob()
	}
	if len(c.in) == 0 && c.trouble == nil && c.mode != InChunk {
		return false
	}
	*t = Token{Begin: c.offset}
	if c.trouble == nil {
		return c.read(t)
	}
	if c.pending() > 0 && len(c.in) == 0 && !c.chunkOver() {
		return c.lost(t)
	}
	if ok := c.read(t); ok || c.pending() == 0 || c.mode == Wait || c.mode == Tail {
		return ok
	}
	if len(c.in) > 0 && c.mode == InData {
		return c.body(t, len(c.in))
	}
	c.drop()
	return c.lost(t)
}

func (c *Client) read(t *Token) bool {
	switch c.mode {
	case Commands, InAuth:
		return c.nextLine(t)
	case InData:
		return c.nextData(t)
	case InChunk:
		return c.nextChunk(t)
	case Opaque:
		return c.nextRaw(t)
	case Tail:
		if over := len(c.in) - tailKept; over > 0 {
			c.take(over)
		}
	}
	return false
}

func (c *Client) take(n int) {
	c.in = c.in[n:]
	c.offset += int64(n)
	c.scanned = 0
}

// skipLine leaves out the rest of a line that was cut at the limit.
func (c *Client) skipLine() {
	i := bytes.IndexByte(c.in, '\n')
	if i < 0 {
		c.take(len(c.in))
		return
	}
	c.take(i + 1)
	c.skip = false
}

// nextLine reads one line (RFC 5321, 2.3.8); a bare LF ends one too, as
// servers have it.
func (c *Client) nextLine(t *Token) bool {
	i := bytes.IndexByte(c.in[c.scanned:], '\n')
	limit := c.Options.line()
	if i < 0 {
		c.scanned = uint32(min(len(c.in), math.MaxInt32))
		return len(c.in) >= limit && c.emitLong(t, limit)
	}
	n := int(c.scanned) + i + 1
	if n > limit {
		return c.emitLong(t, limit)
	}
	c.emitLine(t, c.in[:n], 0)
	c.take(n)
	t.End = c.offset
	c.afterLine(t)
	return true
}

// emitLong tells the head of a line that is above the limit; its rest is left
// out as it comes.
func (c *Client) emitLong(t *Token, limit int) bool {
	c.emitLine(t, c.in[:limit], LongLine)
	c.take(limit)
	t.End = c.offset
	c.afterLine(t)
	c.skip = true
	return true
}

func (c *Client) emitLine(t *Token, line []byte, flags uint8) {
	t.Flags = flags
	if c.trouble != nil && c.trouble.headless {
		t.Flags |= Headless
		c.trouble.headless = false
	}
	if n := len(line); flags&LongLine == 0 && (n < 2 || line[n-2] != '\r') {
		t.Flags |= BareLF
	}
	if c.mode == InAuth {
		t.Kind, t.Data = Response, trim(line)
		return
	}
	if bytes.IndexByte(line, 0) >= 0 {
		t.Flags |= NUL
	}
	t.Kind, t.Line = Command, line
	t.Verb, t.Arg = Parse(line)
}

// afterLine changes the grammar where the line alone tells it: behind BDAT the
// octets follow whatever the server says (RFC 3030, 2).
func (c *Client) afterLine(t *Token) {
	if t.Kind == Response {
		c.mode = Wait
		return
	}
	switch t.Verb {
	case DATA, AUTH, STARTTLS, XEXPS, XANONYMOUSTLS:
		c.mode = Wait
	case BDAT:
		size, last, ok := ParseBDAT(t.Arg)
		if !ok {
			t.Flags |= BadSize
			return
		}
		t.Size = size
		if last {
			t.Flags |= LastBDAT
		}
		c.Chunk(size)
	case BURL:
		if last, ok := ParseBURL(t.Arg); ok && last {
			t.Flags |= LastBDAT
		}
	case XEXCH50:
		t.Size = -1
		if size, ok := ParseXEXCH50(t.Arg); ok {
			t.Size = size
		}
	}
}

func (c *Client) nextRaw(t *Token) bool {
	if len(c.in) == 0 {
		return false
	}
	t.Kind, t.Data = Raw, c.in
	c.take(len(c.in))
	t.End = c.offset
	return true
}

// SkipTo leaves out what stands before a stream offset.
func (c *Client) SkipTo(offset int64) {
	if n := offset - c.offset; n > 0 {
		c.take(int(min(n, int64(len(c.in)))))
	}
}
