package capture

import "fmt"

// The numbers that begin a pcap file (draft-ietf-opsawg-pcap, 4).
const (
	magicMicro = 0xa1b2c3d4
	magicNano  = 0xa1b23c4d
)

const (
	pcapHeader   = 24
	recordHeader = 16
)

func isPcap(b []byte) bool {
	_, _, ok := pcapMagic(b)
	return ok
}

// pcapMagic tells the byte order and how many nanoseconds a unit of the
// records' fraction is.
func pcapMagic(b []byte) (big byteOrder, unit int64, ok bool) {
	if len(b) < 4 {
		return
	}
	for _, big = range []byteOrder{littleEndian, bigEndian} {
		switch big.u32(b) {
		case magicMicro:
			return big, 1000, true
		case magicNano:
			return big, 1, true
		}
	}
	return
}

// pcapFile walks the records of a pcap file. The snap length in its header is
// not believed: writers leave it 0 or exceed it.
type pcapFile struct {
	*File
	big  byteOrder
	unit int64
	link LinkType
	fcs  int // octets of frame check sequence behind each frame
}

func newPcap(f *File) (*pcapFile, error) {
	h := f.stream.peek(pcapHeader)
	if len(h) < pcapHeader {
		return nil, f.ended("file header", len(h), pcapHeader)
	}
	r := &pcapFile{File: f}
	r.big, r.unit, _ = pcapMagic(h)
	if !pcapVersion(r.big, h) {
		return nil, fmt.Errorf("%s: pcap version %d.%d %w, wants 2.4", f.name, r.big.u16(h[4:]), r.big.u16(h[6:]), ErrUnsupported)
	}
	r.link, r.fcs = linkField(r.big.u32(h[20:]))
	f.stream.advance(pcapHeader)
	return r, nil
}

// pcapVersion: before 2.3 the two lengths of a record stand in the other order.
func pcapVersion(big byteOrder, h []byte) bool { return big.u16(h[4:]) == 2 && big.u16(h[6:]) >= 3 }

// linkField splits the header's last field: the link type is its low half,
// above stands the length of the frame check sequence in units of 16 bits, if
// the bit P says that it is known (draft-ietf-opsawg-pcap, 4).
func linkField(v uint32) (LinkType, int) {
	fcs := 0
	if v&0x04000000 != 0 {
		fcs = int(v>>28) * 2
	}
	return LinkType(v), fcs
}

func (r *pcapFile) next(p *Packet) error {
	h := r.stream.peek(recordHeader)
	if len(h) < recordHeader {
		return r.ended("record header", len(h), recordHeader)
	}
	if r.opts.Joined && beginsCapture(h) {
		return errAnother
	}
	captured := r.big.u32(h[8:])
	if uint64(captured) > uint64(r.opts.MaxRecord) {
		return r.damage("record claims %d bytes, the limit is %d", captured, r.opts.MaxRecord)
	}
	length := recordHeader + int(captured)
	rec := r.stream.peek(length)
	if len(rec) < length {
		return r.ended("record", len(rec), length)
	}
	r.read(rec, int(captured), p)
	r.stream.advance(length)
	return nil
}

// fill walks the records where they lie.
func (r *pcapFile) fill(batch []Packet) int {
	b := r.stream.buffered()
	most := uint64(min(len(b), r.opts.MaxRecord))
	at, n := 0, 0
	for ; n < len(batch) && len(b)-at >= recordHeader; n++ {
		rec := b[at:]
		captured := uint64(r.big.u32(rec[8:]))
		if captured > most || captured > uint64(len(rec)-recordHeader) || captured == 0 && r.opts.Joined {
			break
		}
		r.read(rec, int(captured), &batch[n])
		at += recordHeader + int(captured)
	}
	r.stream.advance(at)
	return n
}

// read takes a record with captured octets of a packet.
func (r *pcapFile) read(rec []byte, captured int, p *Packet) {
	length := recordHeader + captured
	p.Time = int64(r.big.u32(rec))*1e9 + int64(r.big.u32(rec[4:]))*r.unit
	p.Data = rec[recordHeader:length:length]
	p.Length = max(int(r.big.u32(rec[12:])), captured)
	p.Link = r.link
	if r.fcs > 0 {
		cutFCS(p, r.fcs)
	}
}

// cutFCS takes the frame check sequence off: it must not be taken for payload.
func cutFCS(p *Packet, fcs int) {
	p.Length = max(p.Length-fcs, 0)
	p.Data = p.Data[:min(len(p.Data), p.Length)]
}
