package sessions

import (
	"math/bits"

	"github.com/mailtap/mailtap/capture/packet"
)

// openings keeps how connections began, for those that turn out to be mail: a
// later one takes the place of an earlier one of the same hash, so that scans
// and floods cost what there is and no more. Without its opening a connection is
// found all the same, as one whose start was missed.
type openings struct {
	places []begun // nil until a SYN came
	open   []uint8 // a part of the hash where the handshake is to be completed yet; most acknowledgements look no further
}

// openingBits is of the number of places: 5 MB.
const openingBits = 16

// begun is a handshake. There is no pointer in it.
type begun struct {
	key     flowKey
	time    [3]int64 // of SYN, SYN/ACK and ACK; 0: not seen
	isn     [2]uint32
	ttl     [2]uint8
	clientA bool
}

// place gives where a connection is kept, and the part of its hash that is in
// open, never 0. Both directions have the same, and it is the same in every run: what
// is found must be too.
func (o *openings) place(s *packet.Segment) (int, uint8) {
	ends := s.Src.Lo ^ s.Dst.Lo ^ bits.RotateLeft64(s.Src.Hi^s.Dst.Hi, 29)
	ports := uint64(s.SrcPort^s.DstPort) | uint64(s.SrcPort+s.DstPort)<<16
	h := mix(ends^0xa0761d6478bd642f, ports<<16^0xe7037ed1a0b428db)
	return int(h >> (64 - openingBits)), uint8(h) | 1
}

// of returns the opening of a segment's connection, nil where it is not known.
func (o *openings) of(s *packet.Segment, k *flowKey) *begun {
	if o.places == nil {
		return nil
	}
	at, _ := o.place(s)
	if p := &o.places[at]; p.time[0] != 0 && p.key.is(k) {
		return p
	}
	return nil
}

// syn takes a SYN of either side. One with octets (RFC 7413) is left out: they
// are not kept.
func (o *openings) syn(s *packet.Segment) {
	if s.Length > 0 || s.Flags&(packet.FIN|packet.RST) != 0 {
		return
	}
	key, fromA := keyOf(s)
	if s.Flags&packet.ACK != 0 {
		p := o.of(s, &key)
		if p != nil && p.clientA != fromA && p.time[1] == 0 && s.Ack == p.isn[client]+1 {
			p.time[1], p.isn[server], p.ttl[server] = s.Time, s.Seq, s.TTL
		}
		return
	}
	if o.places == nil {
		o.places, o.open = make([]begun, 1<<openingBits), make([]uint8, 1<<openingBits)
	}
	at, tag := o.place(s)
	if p := &o.places[at]; p.time[0] != 0 && p.isn[client] == s.Seq && p.key.is(&key) {
		return // sent again
	}
	o.places[at] = begun{key: key, time: [3]int64{s.Time}, isn: [2]uint32{s.Seq}, ttl: [2]uint8{s.TTL}, clientA: fromA}
	o.open[at] = tag
}

// ack takes an acknowledgement: that of the handshake is kept.
func (o *openings) ack(s *packet.Segment) {
	if o.places == nil || s.Flags&handshake != packet.ACK {
		return
	}
	at, tag := o.place(s)
	if o.open[at] != tag {
		return
	}
	key, fromA := keyOf(s)
	p := &o.places[at]
	if p.key.is(&key) && p.clientA == fromA && p.time[1] != 0 && s.Seq == p.isn[client]+1 && s.Ack == p.isn[server]+1 {
		p.time[2], o.open[at] = s.Time, 0
	}
}

// segments makes the handshake anew, as far as it was seen. The client's tags,
// tunnels and addresses are those of like.
func (p *begun) segments(like *packet.Segment) []packet.Segment {
	s := *like
	s.Strip()
	var all []packet.Segment
	flags := [3]uint8{packet.SYN, packet.SYN | packet.ACK, packet.ACK}
	for i, time := range p.time {
		if time == 0 {
			break
		}
		from := side(i & 1)
		s.Time, s.Flags, s.TTL = time, flags[i], p.ttl[from]
		s.Seq, s.Ack = p.isn[from], p.isn[from.other()]+1
		if i == 0 {
			s.Ack = 0
		}
		if i == 2 {
			s.Seq++
		}
		all = append(all, s)
		s.Turn()
	}
	return all
}
