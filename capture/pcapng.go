package capture

import "fmt"

// Block types (draft-ietf-opsawg-pcapng, 11.1).
const (
	blockSection   = 0x0a0d0d0a
	blockInterface = 1
	blockPacket    = 2 // obsolete
	blockSimple    = 3
	blockEnhanced  = 6
)

const (
	blockFrame = 12      // type, length, and the length again behind the body
	blockRoom  = 1 << 16 // for the fixed fields and options around a packet's data
)

// pcapngFile walks the blocks of a pcapng file. Sections, byte orders and
// interfaces change on the way; blocks that carry no packet are skipped.
type pcapngFile struct {
	*File
	big        byteOrder
	interfaces []ngInterface
	time       int64 // of the last packet, for blocks without one
}

func isPcapng(b []byte) bool {
	return len(b) >= 4 && littleEndian.u32(b) == blockSection // reads the same both ways
}

func newPcapng(f *File) (*pcapngFile, error) {
	r := &pcapngFile{File: f}
	if err := r.section(); err != nil {
		return nil, err
	}
	return r, nil
}

func (r *pcapngFile) next(p *Packet) error {
	for {
		h := r.stream.peek(8)
		if len(h) < 8 {
			return r.ended("block header", len(h), 8)
		}
		switch kind := r.big.u32(h); kind {
		case blockEnhanced, blockPacket, blockSimple:
			return r.packet(kind, p)
		case blockSection: // its length cannot be read before its byte order is
			if err := r.section(); err != nil {
				return err
			}
		case blockInterface:
			if err := r.describe(); err != nil {
				return err
			}
		default:
			if r.opts.Joined && isPcap(h) && beginsCapture(r.stream.peek(recordHeader)) {
				return errAnother
			}
			if err := r.skip(); err != nil {
				return err
			}
		}
	}
}

// fill takes packet blocks as long as no other stands between.
func (r *pcapngFile) fill(batch []Packet) int {
	n := 0
	for n < len(batch) && r.near() && r.File.Next(&batch[n]) == nil {
		n++
	}
	return n
}

// near says whether a packet's block comes next, and lies in memory as a whole.
func (r *pcapngFile) near() bool {
	b := r.stream.buffered()
	if len(b) < 8 || uint64(r.big.u32(b[4:])) > uint64(len(b)) {
		return false
	}
	kind := r.big.u32(b)
	return kind == blockEnhanced || kind == blockPacket || kind == blockSimple
}

// blockLength checks a block's length, which must leave room for its frame
// and fixed fields and be padded to 32 bits (3.1).
func (r *pcapngFile) blockLength(least int) (int64, error) {
	n := int64(r.big.u32(r.stream.peek(8)[4:]))
	if n < int64(blockFrame+least) || n%4 != 0 {
		return 0, r.damage("block claims %d bytes, wants at least %d and a multiple of 4", n, blockFrame+least)
	}
	return n, nil
}

// body returns the inside of a whole block and consumes it. least is the
// length of its fixed fields.
func (r *pcapngFile) body(what string, least int) ([]byte, error) {
	n, err := r.blockLength(least)
	if err != nil {
		return nil, err
	}
	if limit := int64(r.opts.MaxRecord + blockRoom); n > limit {
		return nil, r.damage("%s claims %d bytes, the limit is %d", what, n, limit)
	}
	b := r.stream.peek(int(n))
	if len(b) < int(n) {
		return nil, r.ended(what, len(b), int(n))
	}
	if again := r.big.u32(b[n-4:]); int64(again) != n {
		return nil, r.damage("%s begins with length %d and ends with %d", what, n, again)
	}
	return b[8 : n-4], nil
}

// skip passes over a block without holding it: it may be longer than any
// packet.
func (r *pcapngFile) skip() error {
	n, err := r.blockLength(0)
	if err != nil {
		return err
	}
	if have := r.stream.discard(n); have < n {
		return r.ended("block", int(have), int(n))
	}
	return nil
}

func (r *pcapngFile) section() error {
	h := r.stream.peek(12)
	if len(h) < 12 {
		return r.ended("section header", len(h), 12)
	}
	big, ok := sectionOrder(h[8:])
	if !ok {
		return r.damage("section header has byte-order magic %x, wants 1a2b3c4d", h[8:12])
	}
	r.big = big
	b, err := r.body("section header", 16)
	if err != nil {
		return err
	}
	if major, minor := r.big.u16(b[4:]), r.big.u16(b[6:]); major != 1 {
		return fmt.Errorf("%s: pcapng version %d.%d %w, wants 1.0", r.name, major, minor, ErrUnsupported)
	}
	r.interfaces = r.interfaces[:0]
	r.stream.advance(len(b) + blockFrame)
	return nil
}

func sectionOrder(magic []byte) (byteOrder, bool) {
	switch {
	case littleEndian.u32(magic) == 0x1a2b3c4d:
		return littleEndian, true
	case bigEndian.u32(magic) == 0x1a2b3c4d:
		return bigEndian, true
	}
	return littleEndian, false
}

// describe reads an interface description.
func (r *pcapngFile) describe() error {
	b, err := r.body("interface description", 8)
	if err != nil {
		return err
	}
	if len(r.interfaces) >= r.opts.MaxInterfaces {
		return r.damage("section has more than %d interfaces, the limit", r.opts.MaxInterfaces)
	}
	r.interfaces = append(r.interfaces, newNgInterface(r.big, b))
	r.stream.advance(len(b) + blockFrame)
	return nil
}

// fixed is the length of a packet block's fields before the data.
func fixed(kind uint32) int {
	if kind == blockSimple {
		return 4
	}
	return 20
}

func (r *pcapngFile) packet(kind uint32, p *Packet) error {
	b, err := r.body("packet block", fixed(kind))
	if err != nil {
		return err
	}
	id := uint32(0) // a simple packet is always of the first interface (4.4)
	switch kind {
	case blockEnhanced:
		id = r.big.u32(b)
	case blockPacket:
		id = uint32(r.big.u16(b)) // drops stand in the other half (A.)
	}
	if int64(id) >= int64(len(r.interfaces)) {
		return r.damage("packet of interface %d, the section has %d", id, len(r.interfaces))
	}
	if err := r.fillIn(kind, &r.interfaces[id], b, p); err != nil {
		return err
	}
	r.stream.advance(len(b) + blockFrame)
	return nil
}

func (r *pcapngFile) fillIn(kind uint32, i *ngInterface, b []byte, p *Packet) error {
	data := b[fixed(kind):]
	var captured, length uint32
	if kind == blockSimple {
		length = r.big.u32(b)
		captured = i.captured(length, len(data))
	} else {
		r.time = i.nanoseconds(uint64(r.big.u32(b[4:]))<<32 | uint64(r.big.u32(b[8:])))
		captured, length = r.big.u32(b[12:]), r.big.u32(b[16:])
	}
	if uint64(captured) > uint64(len(data)) {
		return r.damage("packet claims %d bytes, its block has %d", captured, len(data))
	}
	if uint64(captured) > uint64(r.opts.MaxRecord) {
		return r.damage("packet claims %d bytes, the limit is %d", captured, r.opts.MaxRecord)
	}
	p.Time = r.time
	p.Data = data[:captured:captured]
	p.Length = max(int(length), int(captured))
	p.Link = i.link
	return nil
}
