package main

import (
	"math"
	"time"

	"github.com/mailtap/mailtap/alerts"
	"github.com/mailtap/mailtap/capture"
	"github.com/mailtap/mailtap/capture/packet"
	"github.com/mailtap/mailtap/decode/tls/keys"
	"github.com/mailtap/mailtap/sessions"
)

// pipeline is the packet path behind a source: headers, connections, rules.
// One goroutine uses it.
type pipeline struct {
	decoder  packet.Decoder
	segments []packet.Segment
	options  sessions.Options
	handler  sessions.Handler
	tracker  *sessions.Tracker
	engine   *alerts.Engine
	ignored  []uint64 // packets left out, by reason less one
	newest   int64    // packet time, nanoseconds
	due      int64    // packet time of the next advance
}

// newPipeline makes one; secrets open TLS, where there are some.
func newPipeline(cfg *Config, o *outputs, secrets *keys.Log) *pipeline {
	p := &pipeline{
		decoder: cfg.decoder(), options: cfg.trackerOptions(), handler: o, engine: o.engine,
		ignored: make([]uint64, len(packet.Reasons())), segments: make([]packet.Segment, batchPackets),
	}
	p.options.Keys = secrets
	p.tracker = sessions.NewTracker(p.options, o)
	return p
}

// take takes packets of a source.
func (p *pipeline) take(in []capture.Packet) {
	n := 0
	for i := range in {
		if t := in[i].Time; n == len(p.segments) || t >= p.due || t < p.newest-maxStepBack {
			p.tracker.Segments(p.segments[:n])
			n = 0
			if t >= p.due || t < p.newest-maxStepBack {
				p.advance(t)
			}
		}
		switch reason := p.decoder.Decode(&in[i], &p.segments[n]); reason {
		case packet.OK:
			n++
		case packet.Held: // it comes with the last of its pieces
		default:
			p.ignored[reason-1]++
		}
	}
	p.tracker.Segments(p.segments[:n])
}

// advance tells that packet time has come to now. A second is the grain of
// all that expires.
func (p *pipeline) advance(now int64) {
	if now < p.newest && now >= p.newest-maxStepBack {
		return // out of order; further back the clock was set
	}
	p.newest, p.due = now, now+int64(time.Second)
	p.decoder.Advance(now, p.ignored)
	p.tracker.Advance(now)
	p.engine.Advance(time.Unix(0, now).UTC())
}

// restart ends what is open and begins anew: time went back further than any
// reordering, so what follows is another story.
func (p *pipeline) restart() {
	p.close()
	p.tracker = sessions.NewTracker(p.options, p.handler)
	p.newest, p.due = 0, 0
}

// close ends all connections: the input ended.
func (p *pipeline) close() {
	p.decoder.Advance(math.MaxInt64, p.ignored)
	p.tracker.Close()
}

// left gives the number of packets that were left out, by reason.
func (p *pipeline) left() tally {
	out := tally{}
	for i, name := range packet.Reasons() {
		if p.ignored[i] > 0 {
			out[name] = int(p.ignored[i])
		}
	}
	return out
}
