package alerts

import (
	"time"

	"github.com/mailtap/mailtap/sessions"
)

// Capture is what a source of packets handed over and lost within the minute
// before Time. A source tells packets, octets, or both; what it cannot tell is 0.
type Capture struct {
	Time      time.Time // packet time
	Source    string    // as metrics name it
	Packets   uint64    // handed over
	Dropped   uint64    // not handed over: by the kernel, the interface, a queue
	Bytes     uint64    // octets seen of connections
	LostBytes uint64    // octets of them that reassembly missed
}

// Capture judges what a source lost by the rules of the kind capture, and
// advances packet time to c.Time. It is meant to be told about once a second.
// Like Handle it is called by the engine's goroutine.
func (e *Engine) Capture(c Capture) {
	e.advance(c.Time)
	e.judge(kindCapture, &captured{c})
}

// captured stands where the events of connections do, and belongs to none.
type captured struct{ Capture }

func (*captured) Of() *sessions.Conn       { return nil }
func (c *captured) At() time.Time          { return c.Time }
func (*captured) Behind() *sessions.Origin { return nil }

func (f fields) addCapture() {
	f["time"] = func(v view) time.Time { return v.event.At() }
	f["capture.source"] = func(v view) string { return v.capture().Source }
	f["capture.packets"] = func(v view) int { return int(v.capture().Packets) }
	f["capture.dropped"] = func(v view) int { return int(v.capture().Dropped) }
	f["capture.bytes"] = func(v view) int { return int(v.capture().Bytes) }
	f["capture.lost_bytes"] = func(v view) int { return int(v.capture().LostBytes) }
}

func (v view) capture() *Capture { return &v.event.(*captured).Capture }

func (e *captureEnv) fill(c *Capture) {
	e.Time = c.Time
	e.Capture = captureFacts{c.Source, int(c.Packets), int(c.Dropped), int(c.Bytes), int(c.LostBytes)}
}
