package sessions

import "github.com/mailtap/mailtap/capture/stream"

// irregular is what a connection has of which not all is in order. One that has
// nothing of it shares its tracker's, in which nothing but nothing is ever written:
// what writes more asks for an own one first.
type irregular struct {
	rst      *rst              // one in place that came
	newISN   *uint32           // of a SYN on an open connection, until the server agrees
	queue    [2][]stream.Input // segments of a side that acknowledge what was not seen yet
	suspects [2][]suspect      // segments of a side that may be forged
	owed     [2]owed           // octets of a side that the other has acknowledged and that were not seen
	conflict [2]uint64         // overlaps of a side that were told
	held     share             // octets that wait, where they are many
}

// own is the flow's own, to be written to.
func (f *flow) own() *irregular {
	if f.irregular == &f.t.regular {
		f.irregular = &irregular{}
	}
	return f.irregular
}
