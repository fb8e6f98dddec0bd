package smtp

import "bytes"

// nextData reads message content up to the line with the dot (RFC 5321,
// 4.5.2). It searches for dots and looks around them: content is not stepped
// through.
func (c *Client) nextData(t *Token) bool {
	if len(c.in) == 0 {
		return false
	}
	from := 0
	for {
		i := bytes.IndexByte(c.in[from:], '.')
		if i < 0 {
			return c.body(t, len(c.in))
		}
		at := from + i
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
			// The second dot is content whatever follows: let it go with what
			// stands behind it.
			return c.body(t, 1), false
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
	c.toldAt = c.offset + 1
	return true
}

func (c *Client) told(offset int64) bool { return c.toldAt == offset+1 }

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

// startFork keeps a copy of the raw octets from an offset on: if the server
// takes the look-alike for the end, they are commands.
func (c *Client) startFork(at int64) {
	if c.forking || c.copied > 8*c.offset+1<<20 {
		return // else each look-alike in a long pipeline would copy all of it
	}
	c.forking, c.forkFull, c.forkAt = true, false, at
	c.fork = c.fork[:0]
	if skip := at - c.offset; skip <= int64(len(c.in)) {
		c.remember(c.in[max(skip, 0):])
		c.copied += int64(len(c.fork))
	}
}

func (c *Client) remember(b []byte) {
	if !c.forking || c.forkFull {
		return
	}
	if room := c.limit(c.Options.Fork, defaultFork) - len(c.fork); len(b) > room {
		b = b[:room]
		c.forkFull = true
	}
	c.fork = append(c.fork, b...)
}

// Behind returns the octets that were kept from a look-alike's end on, as far
// as they are known; ok is false where they were not kept.
func (c *Client) Behind(end int64) (b []byte, ok bool) {
	i := end - c.forkAt
	if !c.forking || i < 0 || i > int64(len(c.fork)) {
		return nil, false
	}
	return c.fork[i:], true
}

// Unfork forgets the octets behind look-alikes: the server took none for an
// end.
func (c *Client) Unfork() {
	c.forking, c.forkFull = false, false
	c.fork = c.fork[:0]
}

// Rewind reads the octets from a look-alike's end on again, as commands. What
// was not kept becomes a gap.
func (c *Client) Rewind(end int64) {
	b, _ := c.Behind(end)
	all := c.offset + int64(len(c.in))
	b = append([]byte(nil), b...)
	c.Unfork()
	c.fork = nil
	c.rest, c.in, c.owned = b, b, true
	c.offset, c.skip = end, false
	c.pendingAfterRewind(all)
	c.Set(Commands)
}

func (c *Client) pendingAfterRewind(all int64) {
	missing := all - c.offset - int64(len(c.in))
	if missing <= 0 {
		return
	}
	// Above the limit of the fork: the place is lost.
	c.pending += missing + int64(len(c.in))
	c.in, c.rest = nil, nil
}
