package sessions

import (
	"math"

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

// reckon brings the sum of what is kept up to date with a connection, and says
// whether it grew.
func (t *Tracker) reckon(f *flow) bool {
	if f.kept == 0 && f.dialog.passing {
		return false // most octets are of these
	}
	n := uint32(min(f.keeping(), math.MaxUint32))
	return n != f.kept && t.keeps(f, n)
}

func (t *Tracker) keeps(f *flow, n uint32) (more bool) {
	more = n > f.kept
	t.kept += int(n) - int(f.kept)
	t.hoarders.move(f, n)
	f.kept = n
	return more
}

func (f *flow) keeping() int {
	n := 0
	if f.odd {
		n = segmentCost * (len(f.queue[client]) + len(f.queue[server]) + len(f.suspects[client]) + len(f.suspects[server]))
	}
	if f.talks {
		n += f.dialog.keeping()
	}
	return n
}

func (s *session) keeping() int {
	n := s.c.Held() + s.s.Held() + s.recorded
	if s.room != nil {
		n += s.room.octets
	}
	if c := s.mail.content; c != nil {
		n += c.reader.Held()
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
