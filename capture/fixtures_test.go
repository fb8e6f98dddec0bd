package capture

import (
	"bytes"
	"encoding/binary"
)

// builder writes capture files byte by byte, so that they can be wrong.
type builder struct {
	bytes.Buffer
	order binary.AppendByteOrder
}

func little() *builder { return &builder{order: binary.LittleEndian} }
func big() *builder    { return &builder{order: binary.BigEndian} }

func (b *builder) put(values ...any) *builder {
	for _, v := range values {
		switch v := v.(type) {
		case uint16:
			b.Write(b.order.AppendUint16(nil, v))
		case uint32:
			b.Write(b.order.AppendUint32(nil, v))
		case uint64:
			b.Write(b.order.AppendUint64(nil, v))
		case string:
			b.WriteString(v)
		default:
			panic("put: type not known")
		}
	}
	return b
}

func (b *builder) pcap(magic, snap, link uint32) *builder {
	return b.put(magic, uint16(2), uint16(4), uint32(0), uint32(0), snap, link)
}

func (b *builder) record(sec, frac uint32, data string, length int) *builder {
	return b.put(sec, frac, uint32(len(data)), uint32(length), data)
}

// block writes a pcapng block around a body.
func (b *builder) block(kind uint32, body ...any) *builder {
	inner := &builder{order: b.order}
	inner.put(body...)
	for inner.Len()%4 != 0 {
		inner.WriteByte(0)
	}
	n := uint32(inner.Len() + 12)
	return b.put(kind, n, inner.String(), n)
}

func (b *builder) section() *builder {
	return b.block(blockSection, uint32(0x1a2b3c4d), uint16(1), uint16(0), ^uint64(0))
}

func (b *builder) iface(link uint16, options ...any) *builder {
	return b.block(blockInterface, append([]any{link, uint16(0), uint32(0)}, options...)...)
}

func (b *builder) enhanced(id uint32, time uint64, data string, length int) *builder {
	return b.block(blockEnhanced, id, uint32(time>>32), uint32(time), uint32(len(data)), uint32(length), data)
}
