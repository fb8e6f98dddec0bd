package smtp

import (
	"testing"
	"unsafe"
)

// TestSize: both are held for each connection as long as it lasts.
func TestSize(t *testing.T) {
	if n := unsafe.Sizeof(Client{}); n > 72 {
		t.Errorf("a Client has %d octets", n)
	}
	if n := unsafe.Sizeof(Server{}); n > 64 {
		t.Errorf("a Server has %d octets", n)
	}
}

// TestIdleHoldsNothing: where what was fed ended with a line, or with content,
// no octets are kept; and no octet that is not kept needs memory.
func TestIdleHoldsNothing(t *testing.T) {
	var c Client
	var s Server
	var k Token
	var r Reply
	lines := []byte("EHLO a\r\nMAIL FROM:<a@b>\r\nrcpt to:<c@d>\r\n")
	content := []byte("a line of text\r\n..and another.\r\n")
	replies := []byte("250-a\r\n250-b\r\n250 c\r\n250 2.1.0 Ok\r\n")
	at := int64(0)
	once := func() {
		for _, b := range [][]byte{lines, content} {
			c.Feed(b, at)
			at += int64(len(b))
			for c.Next(&k) {
			}
			c.Keep()
			c.Set(InData)
		}
		c.Set(Commands)
		s.Feed(replies, 0, 0)
		for s.Next(&r) {
		}
	}
	once()
	if n := testing.AllocsPerRun(100, once); n > 0 {
		t.Errorf("%v allocations", n)
	}
	if c.in != nil || c.trouble != nil || s.in != nil || s.part != nil {
		t.Error("something is held")
	}
	c.Feed([]byte("QU"), at)
	c.Next(&k)
	c.Keep()
	c.Feed([]byte("IT\r\n"), at+2)
	if !c.Next(&k) || k.Verb != QUIT || k.Begin != at {
		t.Errorf("%+v", k)
	}
	if c.Keep(); c.in != nil {
		t.Error("the begin of a line is held")
	}
}
