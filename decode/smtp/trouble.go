package smtp

import "bytes"

// trouble is the state of a client whose octets were lost, or that sent what
// some servers take for the end of its content. Most clients have none.
type trouble struct {
	pending  int64 // octets lost, not told yet
	overflow bool  // Waiting was reached
	headless bool  // the next line may have lost its begin

	toldAt   int64  // offset of the last look-alike told, plus one
	fork     []byte // raw octets from the first look-alike on
	forkAt   int64  // stream offset of fork[0]
	forking  bool
	forkFull bool
	forkGap  bool  // the fork began behind a loss
	copied   int64 // octets copied for look-alikes
}

func (c *Client) troubled() *trouble {
	if c.trouble == nil {
		c.trouble = new(trouble)
	}
	return c.trouble
}

// pending is how many octets were lost and not told yet.
func (c *Client) pending() int64 {
	if c.trouble == nil {
		return 0
	}
	return c.trouble.pending
}

// gaveUp says that n octets could not be held.
func (c *Client) gaveUp(n int) {
	k := c.troubled()
	k.overflow = true
	k.pending += int64(n)
}

// Gap says that n octets were lost behind what was fed. Octets of a line that
// was not complete are lost with them.
func (c *Client) Gap(n int64) {
	k := c.troubled()
	if k.forking {
		k.forkFull = true // what follows does not join what was kept
	}
	if c.mode == Wait || c.mode == Tail {
		c.drop()
	}
	k.pending += n
}

func (c *Client) lost(t *Token) bool {
	k := c.trouble
	n := k.pending
	if c.mode == InChunk || c.mode == InBlob {
		n = min(n, c.chunk) // what goes beyond is a loss among commands
	}
	k.pending -= n
	c.offset += n
	c.skip = false // the end of a long line may have been lost
	t.Kind, t.Gap, t.End = Lost, n, c.offset
	switch c.mode {
	case InData:
		c.prev = [2]byte{} // what stands before the next octet is not known
		if k.forkGap {
			c.Unfork() // octets went on behind the loss before: the end is rather in this one
		}
		c.startFork(c.offset)
		k.forkGap = k.forking && k.forkAt == c.offset
	case InChunk, InBlob:
		if c.chunk -= n; c.chunk == 0 && c.mode == InBlob {
			c.mode = Commands
		}
	case Commands, InAuth:
		k.headless = true
	}
	return true
}

// startFork keeps a copy of the raw octets from an offset on: if the server
// takes the look-alike for the end, they are commands.
func (c *Client) startFork(at int64) {
	k := c.troubled()
	if k.forking || k.copied > 8*c.offset+1<<20 {
		return // else each look-alike in a long pipeline would copy all of it
	}
	k.forking, k.forkFull, k.forkAt = true, false, at
	if skip := at - c.offset; skip <= int64(len(c.in)) {
		c.remember(c.in[max(skip, 0):])
		k.copied += int64(len(k.fork))
	}
}

func (c *Client) remember(b []byte) {
	k := c.trouble
	if !k.forking || k.forkFull {
		return
	}
	if room := c.Options.fork() - len(k.fork); len(b) > room {
		b = b[:room]
		k.forkFull = true
	}
	k.fork = append(k.fork, b...)
}

// Behind returns the octets that were kept from a look-alike's end on, as far
// as they are known; ok is false where they were not kept.
func (c *Client) Behind(end int64) (b []byte, ok bool) {
	k := c.trouble
	if k == nil || !k.forking {
		return nil, false
	}
	i := end - k.forkAt
	if i < 0 || i > int64(len(k.fork)) {
		return nil, false
	}
	return k.fork[i:], true
}

// Unfork forgets the octets behind look-alikes: the server took none for an
// end.
func (c *Client) Unfork() {
	if k := c.trouble; k != nil {
		k.forking, k.forkFull, k.forkGap = false, false, false
		k.fork = nil
	}
}

// Rewind reads the octets from a look-alike's end on again, as commands. What
// was not kept becomes a gap.
func (c *Client) Rewind(end int64) {
	b, _ := c.Behind(end)
	all := c.offset + int64(len(c.in))
	c.own(bytes.Clone(b))
	c.Unfork()
	c.offset, c.skip = end, false
	if missing := all - end - int64(len(b)); missing > 0 {
		// Above the limit of the fork: the place is lost.
		c.troubled().pending += missing + int64(len(b))
		c.in, c.owned = nil, false
	}
	c.Set(Commands)
}
