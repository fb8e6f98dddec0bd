package main

import (
	"github.com/mailtap/mailtap/capture"
	"github.com/mailtap/mailtap/capture/packet"
)

// keep has the packets of segments copied into the ring of evidence.
func (s *shard) keep(list []packet.Segment) {
	if s.ring == nil || len(list) == 0 {
		return
	}
	s.ring.Lock()
	defer s.ring.Unlock()
	for i := range list {
		g := &list[i]
		// What a session began with comes before its packet, under the same number.
		begins := i+1 < len(list) && list[i+1].Number == g.Number
		if p := s.load.packet(g.Number); p != nil && !begins && liesIn(g.Payload, p.Data) {
			s.ring.Add(p, g)
			continue
		}
		s.ring.AddSegment(g)
	}
}

// keepMade is keep for segments whose packets are gone.
func (s *shard) keepMade(list []packet.Segment) {
	if s.ring == nil || len(list) == 0 {
		return
	}
	s.ring.Lock()
	defer s.ring.Unlock()
	for i := range list {
		s.ring.AddSegment(&list[i])
	}
}

// packet gives a packet by its number; nil where it is of another load.
func (l *load) packet(number uint64) *capture.Packet {
	if i := number - l.before - 1; i < uint64(len(l.taken)) {
		return &l.taken[i]
	}
	return nil
}

// liesIn says whether a payload is a part of a packet: both end where the memory
// of both ends. One that was put together from fragments has memory of its own.
func liesIn(payload, whole []byte) bool {
	if cap(payload) == 0 || cap(whole) == 0 {
		return len(payload) == 0
	}
	return &payload[:cap(payload)][cap(payload)-1] == &whole[:cap(whole)][cap(whole)-1]
}
