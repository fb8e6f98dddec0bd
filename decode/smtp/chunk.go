package smtp

// This file reads runs of octets whose length the command told: content of BDAT
// (RFC 3030, 2), and the properties behind XEXCH50.

// Chunk makes the next n octets a BDAT chunk.
func (c *Client) Chunk(n int64) { c.chunk = n; c.Set(InChunk) }

// Blob leaves the next n octets out: the 354 to XEXCH50 asked for them.
func (c *Client) Blob(n int64) { c.chunk = n; c.Set(InBlob) }

func (c *Client) chunkOver() bool { return c.mode == InChunk && c.chunk == 0 }

func (c *Client) nextChunk(t *Token) bool {
	if c.chunk == 0 {
		t.Kind, t.End = EndOfChunk, c.offset
		c.mode = Commands
		return true
	}
	if len(c.in) == 0 {
		return false
	}
	n := int(min(int64(len(c.in)), c.chunk))
	t.Kind, t.Data = Body, c.in[:n]
	c.chunk -= int64(n)
	c.take(n)
	t.End = c.offset
	return true
}

// skipBlob leaves octets out; commands follow.
func (c *Client) skipBlob() {
	n := min(int64(len(c.in)), c.chunk)
	c.take(int(n))
	if c.chunk -= n; c.chunk == 0 {
		c.mode = Commands
	}
}
