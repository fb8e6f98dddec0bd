package evidence

import (
	"bytes"
	"slices"

	"github.com/mailtap/mailtap/capture/packet"
)

// side is one direction of a connection, as far as its packets are here.
type side struct {
	pieces []piece // with octets, in the order of the capture
	spans  []span  // what is known of the stream, in its order
	doubts []reach // two packets say different things there
	begun  bool    // the first span is the begin of the stream

	known    bool // of what follows
	last     uint32
	at       int64 // place of the octet with number last
	zero     int64 // place of the first octet behind a SYN
	sees     bool  // a SYN was seen
	farthest int64 // behind the last octet in place
}

// piece is what a packet brings of a stream. Places are those of sequence
// numbers that do not wrap.
type piece struct {
	segment *packet.Segment
	at, ack int64 // ack: a place in the other side's stream; -1 where there is none
}

func (p *piece) end() int64 { return p.at + int64(len(p.segment.Payload)) }

// span is a run of octets without a hole.
type span struct {
	at   int64
	data []byte
}

func (s *span) end() int64 { return s.at + int64(len(s.data)) }

// reach is a part of a stream.
type reach struct{ from, to int64 }

func (r reach) meets(from, to int64) bool { return r.from < to && from < r.to }

// origin is where places begin: so far from 0 that none is below it.
const origin = int64(1) << 40

// place turns a sequence number near the last one into a place.
func (s *side) place(seq uint32) int64 {
	if !s.known {
		s.known, s.last, s.at = true, seq, origin
	}
	return s.at + int64(int32(seq-s.last))
}

// add takes a segment of the side; ack is the other one's.
func (s *side) add(g *packet.Segment, ack int64) {
	at := s.place(g.Seq)
	s.last, s.at = g.Seq, at
	if g.Flags&packet.SYN != 0 {
		at++
		if !s.sees {
			s.sees, s.zero = true, at
		}
	}
	if len(g.Payload) > 0 {
		s.pieces = append(s.pieces, piece{segment: g, at: at, ack: ack})
	}
}

// assemble puts the first copy of each octet in its place. Later ones that say
// otherwise are blanked in their packets at once, with all that they bring for
// the second time: nothing is known of the story that they belong to.
func (s *side) assemble(fill byte) {
	var runs []span
	for i := range s.pieces {
		p := &s.pieces[i]
		at := p.at
		j, _ := slices.BinarySearchFunc(runs, p.at, func(r span, at int64) int {
			if r.end() <= at {
				return -1
			}
			return 1
		})
		for end := p.end(); at < end; {
			if j == len(runs) || runs[j].at > at { // a hole
				to := end
				if j < len(runs) {
					to = min(end, runs[j].at)
				}
				runs = slices.Insert(runs, j, span{at, p.segment.Payload[at-p.at : to-p.at]})
				at = to
				j++
				continue
			}
			to := min(end, runs[j].end())
			s.compare(p, &runs[j], reach{at, to}, fill)
			at = to
			j++
		}
		s.farthest = max(s.farthest, p.end())
	}
	s.spans = joined(runs)
	s.begun = s.sees && len(s.spans) > 0 && s.spans[0].at == s.zero
}

// compare holds the part of a piece that came before against what came.
func (s *side) compare(p *piece, first *span, r reach, fill byte) {
	again := p.segment.Payload[r.from-p.at : r.to-p.at]
	if bytes.Equal(again, first.data[r.from-first.at:r.to-first.at]) {
		return
	}
	alive := len(p.segment.Payload) == 1 && p.end() == s.farthest // a keep-alive brings one octet of nothing
	p.segment.Blank(fill, packet.Part{From: int(r.from - p.at), To: int(r.to - p.at)})
	if !alive {
		s.doubts = append(s.doubts, r)
	}
}

// joined makes copies of runs that follow each other without a hole.
func joined(runs []span) []span {
	var out []span
	for i := 0; i < len(runs); {
		s := span{at: runs[i].at}
		for ; i < len(runs) && runs[i].at == s.end(); i++ {
			s.data = append(s.data, runs[i].data...)
		}
		out = append(out, s)
	}
	return out
}

// doubtful says whether two packets say different things of a part.
func (s *side) doubtful(r reach) bool {
	return slices.ContainsFunc(s.doubts, func(d reach) bool { return d.meets(r.from, r.to) })
}
