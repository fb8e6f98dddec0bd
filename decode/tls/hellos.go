package tls

import "encoding/binary"

const (
	// maxHellos is how many hellos of each side are remembered: the programs of
	// a site's users and peers, and hostile ones at some 1.5 kB each.
	maxHellos = 1024
	// maxSaid is the longest that is remembered of a hello, in octets.
	maxSaid = 1 << 10
)

// Hellos remembers the fingerprints of hellos, by all that goes into them: most
// connections are of few programs, and hashing and sorting cost more than the
// rest of a hello. The newest stay. The zero value is ready; it belongs to one
// goroutine.
type Hellos struct {
	clients recent[fingerprints]
	servers recent[string] // JA3S
}

type fingerprints struct{ ja3, ja4 string }

// recent is a map that forgets the oldest.
type recent[V any] struct {
	by    map[string]V
	order []string
	next  int
}

func (r *recent[V]) get(key []byte) (v V, ok bool) {
	v, ok = r.by[string(key)]
	return v, ok
}

func (r *recent[V]) put(key []byte, v V) {
	if len(key) > maxSaid {
		return
	}
	if r.by == nil {
		r.by = make(map[string]V)
	}
	k := string(key)
	r.by[k] = v
	if len(r.order) < maxHellos {
		r.order = append(r.order, k)
		return
	}
	delete(r.by, r.order[r.next])
	r.order[r.next] = k
	r.next = (r.next + 1) % maxHellos
}

// appendSaid writes all that goes into JA3 and JA4, without GREASE, each list
// behind its length.
func (o *offer) appendSaid(said []byte) []byte {
	said = binary.BigEndian.AppendUint16(said, o.legacy)
	said = binary.BigEndian.AppendUint16(said, o.highest())
	said = o.appendJA4Protocol(append(said, o.ja4Destination()))
	said = appendSaidNumbers(said, o.suites)
	groups, signatures, formats := reader{b: o.groups}, reader{b: o.signatures}, reader{b: o.pointFormats}
	said = appendSaidNumbers(said, groups.vector(2))
	said = appendSaidNumbers(said, signatures.vector(2))
	list := formats.vector(1)
	said = append(append(said, byte(len(list))), list...)
	for r := (reader{b: o.extensions}); r.more(); { // the last: it has no length
		if kind, _ := r.extension(); !grease(kind) {
			said = append(said, byte(kind>>8), byte(kind))
		}
	}
	return said
}

func appendSaidNumbers(said, list []byte) []byte {
	begin := len(said)
	said = append(said, 0, 0)
	for ; len(list) >= 2; list = list[2:] {
		if !grease(int(list[0])<<8 | int(list[1])) {
			said = append(said, list[0], list[1])
		}
	}
	binary.BigEndian.PutUint16(said[begin:], uint16(len(said)-begin-2))
	return said
}
