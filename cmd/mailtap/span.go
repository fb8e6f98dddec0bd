package main

import "github.com/mailtap/mailtap/capture"

// span is when the packets of a capture came, and how many.
type span struct {
	first, last     int64 // packet times, nanoseconds
	packets, octets uint64
}

func (s *span) take(packets []capture.Packet) {
	if len(packets) == 0 {
		return
	}
	if s.packets == 0 {
		s.first, s.last = packets[0].Time, packets[0].Time
	}
	for i := range packets {
		p := &packets[i]
		s.first, s.last = min(s.first, p.Time), max(s.last, p.Time)
		s.octets += uint64(len(p.Data))
	}
	s.packets += uint64(len(packets))
}
