package capture

import (
	"bufio"
	"encoding/binary"
	"io"
)

const (
	optionComment    = 1
	optionProgram    = 4
	maxOption        = 4096 // octets of a comment
	nanosecondsPower = 9
)

// Writer writes packets as pcapng: one section, an interface for each link
// layer as it comes first, times in nanoseconds. It belongs to one goroutine.
type Writer struct {
	out   *bufio.Writer
	block []byte
	links []LinkType // by number of the interface
}

// NewWriter begins a section. The comment is for people; it is cut at 4096
// octets. Close must be called at the end; it does not close w.
func NewWriter(w io.Writer, program, comment string) (*Writer, error) {
	o := &Writer{out: bufio.NewWriterSize(w, 64<<10)}
	o.begin(blockSection)
	o.u32(0x1a2b3c4d)
	o.u16(1)
	o.u16(0)
	o.u64(^uint64(0)) // the length of the section is not told
	o.option(optionProgram, program)
	o.option(optionComment, comment)
	return o, o.end()
}

// Write writes a packet, and a comment on it where there is one.
func (o *Writer) Write(p *Packet, comment string) error {
	number, err := o.number(p.Link)
	if err != nil {
		return err
	}
	o.begin(blockEnhanced)
	o.u32(uint32(number))
	o.u32(uint32(uint64(p.Time) >> 32))
	o.u32(uint32(p.Time))
	o.u32(uint32(len(p.Data)))
	o.u32(uint32(max(p.Length, len(p.Data))))
	o.padded(p.Data)
	o.option(optionComment, comment)
	return o.end()
}

// Close writes what waits.
func (o *Writer) Close() error { return o.out.Flush() }

// number is the interface of a link layer, which it describes first where none
// is.
func (o *Writer) number(l LinkType) (int, error) {
	for i, known := range o.links {
		if known == l {
			return i, nil
		}
	}
	o.links = append(o.links, l)
	o.begin(blockInterface)
	o.u16(uint16(l))
	o.u16(0)
	o.u32(0) // the snap length is not limited
	o.option(optionTsresol, string([]byte{nanosecondsPower}))
	return len(o.links) - 1, o.end()
}

func (o *Writer) begin(kind uint32) {
	o.block = o.block[:0]
	o.u32(kind)
	o.u32(0) // the length, filled in by end
}

// end closes the list of options and writes the block.
func (o *Writer) end() error {
	o.u32(optionEnd)
	n := uint32(len(o.block) + 4)
	o.u32(n)
	binary.LittleEndian.PutUint32(o.block[4:], n)
	_, err := o.out.Write(o.block)
	return err
}

func (o *Writer) option(code uint16, text string) {
	if text == "" {
		return
	}
	text = text[:min(len(text), maxOption)]
	o.u16(code)
	o.u16(uint16(len(text)))
	o.padded([]byte(text))
}

func (o *Writer) padded(b []byte) {
	o.block = append(o.block, b...)
	o.block = append(o.block, make([]byte, -len(b)&3)...)
}

func (o *Writer) u16(v uint16) { o.block = binary.LittleEndian.AppendUint16(o.block, v) }
func (o *Writer) u32(v uint32) { o.block = binary.LittleEndian.AppendUint32(o.block, v) }
func (o *Writer) u64(v uint64) { o.block = binary.LittleEndian.AppendUint64(o.block, v) }
