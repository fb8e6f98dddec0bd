package main

import (
	"bytes"
	"sync"

	recordlog "github.com/mailtap/mailtap/sessions/log"
)

// handover stands for a sink that can be opened only when the one before it is
// closed: it holds the records that come meanwhile, bounded.
type handover struct {
	most int // octets

	mu     sync.Mutex
	to     recordlog.Sink // nil: not opened yet
	held   []recordlog.Record
	octets int
	lost   int
}

// Write implements recordlog.Sink.
func (h *handover) Write(rec recordlog.Record) {
	h.mu.Lock()
	defer h.mu.Unlock()
	switch {
	case h.to != nil:
		h.to.Write(rec)
	case h.octets+len(rec.Line) > h.most:
		h.lost++
	default:
		rec.Line = bytes.Clone(rec.Line) // it is borrowed
		h.held = append(h.held, rec)
		h.octets += len(rec.Line)
	}
}

// pass gives what is held, and all that follows, to a sink. It says how many
// records were lost.
func (h *handover) pass(to recordlog.Sink) int {
	h.mu.Lock()
	defer h.mu.Unlock()
	lost := h.lost
	if to == nil {
		to, lost = nowhere{}, lost+len(h.held)
	}
	for _, rec := range h.held {
		to.Write(rec)
	}
	h.to, h.held, h.octets = to, nil, 0
	return lost
}

// nowhere takes records that have no sink.
type nowhere struct{}

// Write implements recordlog.Sink.
func (nowhere) Write(recordlog.Record) {}
