package sessions

import (
	"slices"

	"github.com/mailtap/mailtap/capture/packet"
	"github.com/mailtap/mailtap/capture/stream"
)

// This file judges segments that may be forged for the monitor's eyes alone:
// their checksum is wrong, or their TTL too small to reach the receiver. What is
// wrong is judged by what the direction usually has: captures taken where the
// network card sums, and those whose contents were made unreadable afterwards,
// have wrong checksums throughout; a path may change in mid-connection. So
// such a segment is kept aside until its receiver acknowledges its octets: if no
// other copy came by then, it was taken.

// bulk is from what size on a segment inside a message or inside TLS is not
// summed: nearly all octets are of such segments. A wrong one that is taken costs
// what a lost packet would, at worst an end of data.
const bulk = 1000

// maxSuspects bounds the segments of a side that are kept until it shows whether
// their receiver took them.
const maxSuspects = 64

// corrupted says whether the receiver is likely to have dropped a segment for
// its checksum: in a direction that has shown right ones.
func (f *flow) corrupted(s *packet.Segment, from side) bool {
	switch {
	case f.done || s.Length == 0 && s.Flags&(packet.SYN|packet.FIN|packet.RST) == 0:
		return false
	case s.Length >= bulk && f.sound[from] && f.talks && f.dialog.inBulk():
		return false
	}
	switch s.Checksum() {
	case packet.ChecksumGood:
		f.sound[from] = true
	case packet.ChecksumBad:
		return f.sound[from]
	}
	return false
}

// doubt names what is odd in a segment with octets; "" for nothing.
func (f *flow) doubt(s *packet.Segment, from side) string {
	known := &f.ttl[from]
	switch {
	case f.corrupted(s, from):
		return BadChecksum
	case known[0] == 0:
		known[0] = s.TTL
	case s.TTL == known[0] || s.TTL == known[1] || s.Length == 0 && s.Flags&packet.FIN == 0 || f.done || f.packets[from.other()] == 0:
	case f.half[from].Started() && !stream.Before(f.half[from].NextSeq(), endOf(s.Seq, s.Length, s.Flags&packet.FIN != 0)):
	default:
		return OddTTL
	}
	return ""
}

// suspect is a segment that is kept aside.
type suspect struct {
	stream.Input
	kind string
	ttl  uint8
}

// suspect keeps a segment that its receiver may have taken all the same.
func (f *flow) suspect(s *packet.Segment, from side, kind string) {
	if s.Length == 0 && s.Flags&packet.FIN == 0 || s.Flags&(packet.RST|packet.SYN) != 0 || len(f.suspects[from]) == maxSuspects {
		return
	}
	f.t.held += len(s.Payload)
	f.odd = true
	f.own().suspects[from] = append(f.suspects[from], suspect{stream.Input{
		Seq: s.Seq, Ack: s.Ack, HasAck: s.Flags&packet.ACK != 0, FIN: s.Flags&packet.FIN != 0,
		Data: slices.Clone(s.Payload), Length: s.Length, Time: s.Time,
	}, kind, s.TTL})
}

// acquit takes the suspects of a side that the other side has acknowledged up
// to ack, where no other copy came: their receiver took them, so checksums of
// the side tell nothing.
func (f *flow) acquit(ack uint32, s side) {
	for len(f.suspects[s]) > 0 {
		in := f.suspects[s][0]
		end := endOf(in.Seq, in.Length, in.FIN)
		h := &f.half[s]
		stale := h.Started() && !stream.Before(h.NextSeq(), end) // another copy came
		if !stale && stream.Before(ack, end) {
			return
		}
		f.suspects[s] = f.suspects[s][1:]
		f.t.held -= len(in.Data)
		if stale || f.done {
			continue
		}
		f.believe(&in, s)
	}
}

// endOf is the sequence number behind a segment; a FIN has one of its own.
func endOf(seq uint32, length int, fin bool) uint32 {
	if fin {
		length++
	}
	return seq + uint32(length)
}

// believe takes a suspect and what it has in common with others.
func (f *flow) believe(in *suspect, s side) {
	if in.kind == OddTTL {
		f.ttl[s][1] = in.ttl
	} else {
		f.sound[s] = false
	}
	f.acquit(in.Ack, s.other()) // what its sender had seen comes first
	f.place(&in.Input, s)
	f.add(in.Input, s)
}

// believeAll takes those of which only the TTL is odd: the connection is over.
func (f *flow) believeAll() {
	for s := range f.suspects {
		for len(f.suspects[s]) > 0 && !f.done {
			in := f.suspects[s][0]
			f.suspects[s] = f.suspects[s][1:]
			f.t.held -= len(in.Data)
			if h := &f.half[s]; in.kind == OddTTL && (!h.Started() || stream.Before(h.NextSeq(), endOf(in.Seq, in.Length, in.FIN))) {
				f.believe(&in, side(s))
			}
		}
	}
}

func (f *flow) freeSuspects() {
	for s := range f.suspects {
		for i := range f.suspects[s] {
			f.t.held -= len(f.suspects[s][i].Data)
		}
		f.suspects[s] = nil
	}
}
