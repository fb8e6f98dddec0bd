package evidence

import (
	"cmp"
	"slices"

	"github.com/mailtap/mailtap/capture/packet"
)

// fill is what stands for a secret: no base64, so nobody takes it for one.
const fill = '*'

// blank overwrites the secrets of a connection in its packets, wherever they
// were cut, sent again or overlap. What may be a secret counts as one.
func blank(segments []packet.Segment, f *Flow) {
	var client, server side
	for i := range segments {
		g := &segments[i]
		from, to := &client, &server
		if g.From() != f.Client {
			from, to = to, from
		}
		ack := int64(-1)
		if g.Flags&packet.ACK != 0 {
			ack = to.place(g.Ack)
		}
		from.add(g, ack)
	}
	client.assemble(fill)
	server.assemble(fill)
	blankSide(&client, &server)
	if server.speaksAsClient() {
		blankSide(&server, &client)
	}
}

// blankSide takes one side for the client.
func blankSide(client, server *side) {
	s := scanner{client: client, prompts: server.acks("334"), goes: server.acks("354")}
	found := s.scan()
	echoes := server.echoes(client, found) // before they are overwritten
	list := make([]reach, len(found))
	for i := range found {
		list[i] = found[i].reach
	}
	client.overwrite(list)
	server.overwrite(echoes)
}

// overwrite blanks parts of a stream in all packets that bring them.
func (s *side) overwrite(list []reach) {
	list = merged(list)
	var parts []packet.Part
	for i := range s.pieces {
		p := &s.pieces[i]
		at, _ := slices.BinarySearchFunc(list, p.at, func(r reach, at int64) int { return cmp.Compare(r.to, at+1) })
		parts = parts[:0]
		for ; at < len(list) && list[at].from < p.end(); at++ {
			parts = append(parts, packet.Part{From: int(list[at].from - p.at), To: int(list[at].to - p.at)})
		}
		if len(parts) > 0 {
			p.segment.Blank(fill, parts...)
		}
	}
}

// merged sorts parts and joins those that overlap.
func merged(list []reach) []reach {
	slices.SortFunc(list, func(a, b reach) int { return cmp.Compare(a.from, b.from) })
	out := list[:0]
	for _, r := range list {
		if n := len(out); n > 0 && r.from <= out[n-1].to {
			out[n-1].to = max(out[n-1].to, r.to)
			continue
		}
		out = append(out, r)
	}
	return out
}
