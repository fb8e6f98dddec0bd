package alerts

import (
	"encoding/binary"
	"errors"
	"math"
)

const spikeStateVersion = 1

var errSpikeState = errors.New("the counts of a spike are damaged")

// AppendTo appends what the trigger knows: the counts of its groups, those used
// longest ago first, and the baselines.
func (s *spikes) AppendTo(b []byte) []byte {
	b = append(b, spikeStateVersion)
	at := len(b)
	b = binary.LittleEndian.AppendUint32(b, 0)
	n := uint32(0)
	keys := &s.groups.keys
	for _, list := range keys.lists {
		for slot := list.tail; slot != none; slot = keys.entries[slot].prev {
			if r := s.rates.peek(slot); r != nil && r.known && r.of == s.of {
				b = r.appendTo(b, keys.entries[slot].key)
				n++
			}
		}
	}
	binary.LittleEndian.PutUint32(b[at:], n)
	return s.table.AppendTo(b)
}

func (r *rate) appendTo(b []byte, k key) []byte {
	b = binary.LittleEndian.AppendUint64(binary.LittleEndian.AppendUint64(b, k.a), k.b)
	early := byte(0)
	if r.early {
		early = 1
	}
	b = append(b, early)
	for _, x := range []uint64{uint64(r.head), uint64(r.window), uint64(r.count), uint64(r.high)} {
		b = binary.AppendUvarint(b, x)
	}
	for _, x := range r.buckets {
		b = binary.AppendUvarint(b, uint64(x))
	}
	return b
}

// Restore takes back what AppendTo gave. Groups that the rule has not are made,
// in their order. After an error nothing has changed.
func (s *spikes) Restore(b []byte) error {
	if len(b) < 5 || b[0] != spikeStateVersion {
		return errSpikeState
	}
	n := int(binary.LittleEndian.Uint32(b[1:]))
	c := spikeCursor{rest: b[5:]}
	const least = 16 + 1 + 4 + rateBuckets // octets of a group
	if n > len(c.rest)/least {
		return errSpikeState
	}
	keys, rates := make([]key, n), make([]rate, n)
	for i := range n {
		keys[i], rates[i] = c.rate(s.of)
	}
	if c.bad {
		return errSpikeState
	}
	if err := s.table.Restore(c.rest); err != nil {
		return err
	}
	s.restored = true
	keys, rates = keys[max(0, n-int(s.groups.keys.max)):], rates[max(0, n-int(s.groups.keys.max)):]
	for i, k := range keys {
		slot, ok := s.groups.keys.find(k)
		if !ok {
			var taken bool
			if slot, taken = s.groups.keys.add(k); taken {
				s.groups.clear(slot)
			}
		}
		*s.rates.at(slot) = rates[i]
	}
	return nil
}

// spikeCursor reads what may be damaged; once bad it gives zeros.
type spikeCursor struct {
	rest []byte
	bad  bool
}

func (c *spikeCursor) rate(of uint8) (k key, r rate) {
	if len(c.rest) < 17 {
		c.bad = true
		return k, r
	}
	k = key{binary.LittleEndian.Uint64(c.rest), binary.LittleEndian.Uint64(c.rest[8:])}
	r = rate{of: of, early: c.rest[16] != 0, known: true}
	c.rest = c.rest[17:]
	r.head, r.window = int64(c.uint(math.MaxInt64)), int64(c.uint(math.MaxInt64))
	r.count, r.high = uint32(c.uint(math.MaxUint32)), uint32(c.uint(math.MaxUint32))
	for i := range r.buckets {
		r.buckets[i] = uint32(c.uint(math.MaxUint32))
		r.sum += r.buckets[i]
	}
	return k, r
}

func (c *spikeCursor) uint(most uint64) uint64 {
	x, n := binary.Uvarint(c.rest)
	if n <= 0 || x > most {
		c.bad = true
		return 0
	}
	c.rest = c.rest[n:]
	return x
}
