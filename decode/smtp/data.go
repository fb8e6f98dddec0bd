package smtp

import (
	"bytes"
	"encoding/binary"
	"math/bits"
)

// nextData reads message content up to the line with the dot (RFC 5321,
// 4.5.2). It searches for dots and looks around them: content is not stepped
// through.
func (c *Client) nextData(t *Token) bool {
	if len(c.in) == 0 {
		return false
	}
	for from := 0; ; {
		at := nextDot(c.in, from)
		if at < 0 {
			return c.body(t, len(c.in))
		}
		start := c.lineStart(at)
		if start == midLine {
			from = at + 1
			continue
		}
		if at > 0 {
			return c.body(t, at) // the dot stands first at the next call
		}
		done, more := c.dot(t, start)
		if done {
			return true
		}
		if more {
			return false
		}
		from = 1
	}
}

// nextDot finds the next dot, at or behind a place, that may stand first in a
// line: behind a control character, or where what is before it is not known.
// A dot alone is found fastest by IndexByte; where there is one others are near,
// in names and at the ends of sentences.
func nextDot(b []byte, from int) int {
	const apart, near = 48, 256 // octets
	for {
		i := bytes.IndexByte(b[from:], '.')
		if i < 0 {
			return -1
		}
		at := from + i
		if at == 0 || b[at-1] < ' ' {
			return at
		}
		from = at + 1
		if i >= apart {
			continue
		}
		for to := min(from+near, len(b)-32); from <= to; from += 32 {
			p := (*[33]byte)(b[from-1:])
			x0, x1, x2, x3 := lineDots(p[0:9]), lineDots(p[8:17]), lineDots(p[16:25]), lineDots(p[24:33])
			if x0|x1|x2|x3 == 0 {
				continue
			}
			for j, x := range [...]uint64{x0, x1, x2, x3} {
				if x != 0 {
					return from + 8*j + bits.TrailingZeros64(x)/8
				}
			}
		}
	}
}

// lineDots marks the octets of b[1:9] that are dots behind a control character
// by their highest bits, the first one rightly: what is put together of such an
// octet and the one before is zero.
func lineDots(b []byte) uint64 {
	const ones = 0x0101010101010101
	x := binary.LittleEndian.Uint64(b)&(0xe0*ones) | (binary.LittleEndian.Uint64(b[1:]) ^ '.'*ones)
	return (x - ones) &^ x & (0x80 * ones)
}

// How the line begins that a dot stands first in.
const (
	midLine = iota
	afterCRLF
	afterLF
	afterCR
	afterNUL
)

// lineStart says what stands before in[at].
func (c *Client) lineStart(at int) int {
	p1, p2 := c.before(at, 1), c.before(at, 2)
	switch {
	case p1 == '\n' && p2 == '\r':
		return afterCRLF
	case p1 == '\n':
		return afterLF
	case p1 == '\r':
		return afterCR
	case p1 == 0 && p2 == '\n':
		return afterNUL
	}
	return midLine
}

func (c *Client) before(at, n int) byte {
	if at >= n {
		return c.in[at-n]
	}
	return c.prev[2-(n-at)]
}

// dot reads in[0], a dot that stands first in a line. done: t is filled; more:
// the octets behind the dot must be seen first.
func (c *Client) dot(t *Token, start int) (done, more bool) {
	if len(c.in) < 2 {
		return false, true
	}
	switch c.in[1] {
	case '\n':
		return c.lookalike(t, 2), false
	case '\r':
		if len(c.in) < 3 {
			return false, true
		}
		if c.in[2] == '\r' && len(c.in) < 4 {
			return false, true
		}
		if c.in[2] == '\r' && c.in[3] == '\n' {
			return c.lookalike(t, 4), false // what takes any CR before LF for the line's end
		}
		if c.in[2] != '\n' {
			return c.lookalike(t, 2), false
		}
		if start == afterCRLF {
			t.Kind = EndOfData
			c.take(3)
			c.mode = Commands
			t.End = c.offset
			return true, false
		}
		return c.lookalike(t, 3), false
	}
	if start == afterCRLF {
		// A client puts a dot before each line that begins with one.
		c.prev = [2]byte{0, '.'}
		c.take(1)
		if c.in[0] == '.' {
			// The second dot is content whatever follows: it goes with what
			// stands behind it.
			n := nextDot(c.in, 1)
			if n < 0 {
				n = len(c.in)
			}
			return c.body(t, n), false
		}
		return c.nextData(t), true
	}
	return false, false
}

// lookalike tells an end of data that only some servers take for one, once:
// the octets themselves are content.
func (c *Client) lookalike(t *Token, n int) bool {
	if c.told(c.offset) {
		return c.body(t, n)
	}
	c.startFork(c.offset + int64(n))
	t.Kind, t.Data, t.End = Lookalike, c.in[:n], c.offset+int64(n)
	c.trouble.toldAt = c.offset + 1
	return true
}

func (c *Client) told(offset int64) bool {
	return c.trouble != nil && c.trouble.toldAt == offset+1
}

// body hands out in[:n] as content.
func (c *Client) body(t *Token, n int) bool {
	if n == 0 {
		return false
	}
	c.prev = [2]byte{c.before(n, 2), c.before(n, 1)}
	t.Kind, t.Data = Body, c.in[:n]
	c.take(n)
	t.End = c.offset
	return true
}
