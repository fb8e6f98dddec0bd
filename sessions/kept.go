package sessions

import (
	"math"

	"github.com/mailtap/mailtap/capture/packet"
	"github.com/mailtap/mailtap/decode/smtp"
)

// This file reckons what a connection keeps beside its fixed size: one that
// nobody answers, or that a server accepts anything from, keeps thousands of times
// what others do. It is reckoned anew behind every segment that can change it, so
// that nothing that was freed can stay in the sum.

// What things take beside their octets.
const (
	commandCost = 160
	contentCost = 1024
	segmentCost = 128
	authCost    = 512
)

// mayKeep says whether a segment can change what is kept or held. Most octets are
// inside TLS and cannot.
func (f *flow) mayKeep(s *packet.Segment, from side) bool {
	return f.odd || s.Length > 0 && (!f.dialog.passing || f.kept.octets > 0 || !f.half[from].Plain())
}

// weigh reckons a connection behind a segment, and says whether it may take more.
func (t *Tracker) weigh(f *flow, from side) bool {
	more := t.reckon(f)
	if f.odd || !f.half[from].Plain() {
		t.holds(f)
		more = true
	}
	return more
}

// reckon brings the sum of what is kept up to date with a connection, and says
// whether it grew.
func (t *Tracker) reckon(f *flow) bool {
	n := 0
	if f.talks {
		n = f.dialog.keeping()
	}
	if f.odd {
		n += segmentCost * (len(f.queue[client]) + len(f.queue[server]) + len(f.suspects[client]) + len(f.suspects[server]))
	}
	octets := uint32(min(n, math.MaxUint32))
	return octets != f.kept.octets && t.keeps(f, octets)
}

func (t *Tracker) keeps(f *flow, n uint32) (more bool) {
	was := f.kept.octets
	t.kept += int(n) - int(was)
	t.hoarders.move(f, n)
	return n > was
}

func (s *session) keeping() int {
	n := s.c.Held() + s.s.Held() + s.recorded
	if c := s.mail.content; c != nil {
		n += c.reader.Held()
	}
	if s.room != nil {
		n += s.room.octets
	}
	if s.rare != &s.f.t.usual {
		n += s.rare.keeping()
	}
	if s.tls != nil {
		n += s.tls.keeping()
	}
	return n
}

func (r *rare) keeping() int {
	n := len(r.auths)*authCost + cap(r.head[client].data) + cap(r.head[server].data)
	if r.outer != nil {
		n += cap(r.outer.data[client]) + cap(r.outer.data[server])
	}
	if r.fork.held != nil {
		n += cap(r.fork.held.Lines) + r.fork.ended.cost()
	}
	return n
}

func (t *tlsState) keeping() int {
	const markSize = 16
	return t.watch.Held() + cap(t.again.data) + cap(t.line[client]) + cap(t.line[server]) +
		markSize*(cap(t.inner.ends[client])+cap(t.inner.ends[server]))
}

// cost is what a command takes that waits. It is the same when it goes.
func (c *command) cost() int {
	n := commandCost + len(c.arg)
	if c.rcpt != nil {
		n += c.rcpt.cost()
	}
	if c.params.More != nil {
		n += optionsOf(c.params.More)
	}
	if c.proxy != nil {
		n += segmentCost + len(c.proxy.Name) + len(c.proxy.Helo) + len(c.proxy.Login) + len(c.proxy.Ident)
	}
	if c.content != nil {
		n += c.content.cost()
	}
	return n
}

func optionsOf(o *smtp.MailOptions) int {
	return segmentCost + len(o.EnvelopeID) + len(o.Auth) + len(o.Submitter) + len(o.Org)
}

func (c *content) cost() int { return contentCost + c.octets }
