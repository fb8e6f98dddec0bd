package deferrals

import (
	"bytes"
	"cmp"
	"encoding/binary"
	"errors"
	"hash/crc32"
	"io"
	"slices"
	"time"
)

// The state: stateMagic, the length of what follows it less the checksum, that, and
// its CRC-32C. All numbers are little-endian.
const (
	stateMagic = "mailtap deferrals 1\n"
	maxState   = 1 << 30
	pairSize   = 34 // octets: key, first deferral, last attempt, server
)

// Errors of Restore.
var (
	ErrStateVersion = errors.New("no state of this version")
	ErrStateDamaged = errors.New("the state is cut or damaged")
)

// Save writes the pairs that wait, and the seed of their keys. Times are written as
// those of packets.
func (q *Queue) Save(w io.Writer) error {
	le := binary.LittleEndian
	b := make([]byte, 0, len(stateMagic)+256+pairSize*len(q.table.index))
	b = le.AppendUint64(append(b, stateMagic...), 0)
	b = le.AppendUint64(le.AppendUint64(b, q.seed.a), q.seed.b)
	b = le.AppendUint64(b, uint64(q.now-q.behind))
	b = le.AppendUint32(b, uint32(len(q.servers)))
	for _, name := range q.servers {
		b = append(le.AppendUint16(b, uint16(len(name))), name...)
	}
	b = le.AppendUint32(b, uint32(len(q.table.index)))
	for i := q.table.byFirst.oldest; i != none; i = q.table.pairs[i].byFirst.after {
		p := &q.table.pairs[i]
		b = le.AppendUint64(le.AppendUint64(b, p.key.a), p.key.b)
		b = le.AppendUint64(le.AppendUint64(b, uint64(p.first-q.behind)), uint64(p.last-q.behind))
		b = le.AppendUint16(b, p.server)
	}
	body := b[len(stateMagic)+8:]
	le.PutUint64(b[len(stateMagic):], uint64(len(body)))
	b = le.AppendUint32(b, crc32.Checksum(body, crc32.MakeTable(crc32.Castagnoli)))
	_, err := w.Write(b)
	return err
}

// Restore reads what Save wrote, before the first mail. On an error the queue is
// empty.
func (q *Queue) Restore(r io.Reader) error {
	data, err := io.ReadAll(io.LimitReader(r, maxState+1))
	if err != nil {
		return err
	}
	rest, ok := bytes.CutPrefix(data, []byte(stateMagic))
	if !ok {
		return ErrStateVersion
	}
	le := binary.LittleEndian
	if len(data) > maxState || len(rest) < 12 || le.Uint64(rest) != uint64(len(rest)-12) {
		return ErrStateDamaged
	}
	body, sum := rest[8:len(rest)-4], le.Uint32(rest[len(rest)-4:])
	if crc32.Checksum(body, crc32.MakeTable(crc32.Castagnoli)) != sum {
		return ErrStateDamaged
	}
	seed := q.seed
	if !q.restore(&decoder{b: body}) {
		q.seed, q.now, q.table = seed, 0, newTable(len(q.servers))
		return ErrStateDamaged
	}
	for len(q.table.index) > q.options.Pairs {
		q.table.remove(q.table.byLast.oldest)
		q.dropped++
	}
	q.clock.At(q.now) // should the clock have been set back, time goes on from here
	q.Advance(time.Unix(0, q.now))
	return nil
}

func (q *Queue) restore(d *decoder) bool {
	q.seed = key{d.uint64(), d.uint64()}
	q.now = int64(d.uint64())
	places := make([]uint16, 0, len(q.servers))
	for n := d.uint32(); n > 0 && !d.failed; n-- {
		places = append(places, q.server(string(d.take(int(d.uint16())))))
	}
	before := int64(0)
	for n := d.uint32(); n > 0 && !d.failed; n-- {
		p := pair{key: key{d.uint64(), d.uint64()}, first: int64(d.uint64()), last: int64(d.uint64()), server: d.uint16()}
		_, twice := q.table.index[p.key]
		if d.failed || twice || p.first < before || p.last < p.first || p.last > q.now || int(p.server) >= len(places) {
			return false
		}
		before, p.server = p.first, places[p.server]
		q.table.put(p)
	}
	q.table.sortByLast()
	return !d.failed && len(d.b) == 0
}

// sortByLast puts pairs that came in the order of their first deferral in that of
// their last attempt too.
func (t *table) sortByLast() {
	all := make([]uint32, len(t.pairs))
	for i := range all {
		all[i] = uint32(i)
	}
	slices.SortStableFunc(all, func(a, b uint32) int { return cmp.Compare(t.pairs[a].last, t.pairs[b].last) })
	t.byLast.oldest, t.byLast.latest = none, none
	for _, i := range all {
		t.byLast.push(t.pairs, i)
	}
}

// decoder reads numbers; after the first that is not there all others are zero.
type decoder struct {
	b      []byte
	failed bool
}

func (d *decoder) take(n int) []byte {
	if n > len(d.b) {
		d.b, d.failed = nil, true
		return nil
	}
	out := d.b[:n]
	d.b = d.b[n:]
	return out
}

func (d *decoder) uint16() uint16 {
	if b := d.take(2); b != nil {
		return binary.LittleEndian.Uint16(b)
	}
	return 0
}

func (d *decoder) uint32() uint32 {
	if b := d.take(4); b != nil {
		return binary.LittleEndian.Uint32(b)
	}
	return 0
}

func (d *decoder) uint64() uint64 {
	if b := d.take(8); b != nil {
		return binary.LittleEndian.Uint64(b)
	}
	return 0
}
