package log

import (
	"encoding/binary"
	"errors"
	"hash/crc32"
	"time"
)

// A file of the spool holds one batch: a mark, the number of records, a checksum
// and the records, each text with its length before it.
const (
	spoolMark   = "mtspool1"
	spoolHeader = len(spoolMark) + 4 + 4
)

var errDamaged = errors.New("the file is damaged")

func encodeSpool(batch []item) []byte {
	size := spoolHeader
	for i := range batch {
		size += batch[i].size()
	}
	b := append(make([]byte, 0, size), spoolMark...)
	b = binary.BigEndian.AppendUint32(b, uint32(len(batch)))
	b = append(b, 0, 0, 0, 0)
	for i := range batch {
		it := &batch[i]
		b = binary.AppendVarint(b, it.time.Unix())
		b = binary.AppendVarint(b, int64(it.time.Nanosecond()))
		for _, s := range it.texts() {
			b = binary.AppendUvarint(b, uint64(len(*s)))
			b = append(b, *s...)
		}
	}
	binary.BigEndian.PutUint32(b[spoolHeader-4:], crc32.ChecksumIEEE(b[spoolHeader:]))
	return b
}

func (i *item) texts() [6]*string {
	return [...]*string{&i.event, &i.role, &i.direction, &i.session, &i.community, &i.line}
}

// spoolCount reads how many records a file's header promises.
func spoolCount(b []byte) (int, bool) {
	if len(b) < spoolHeader || string(b[:len(spoolMark)]) != spoolMark {
		return 0, false
	}
	return int(binary.BigEndian.Uint32(b[len(spoolMark):])), true
}

// decodeSpool is strict: a damaged file gives nothing.
func decodeSpool(b []byte) ([]item, error) {
	n, ok := spoolCount(b)
	if !ok || crc32.ChecksumIEEE(b[spoolHeader:]) != binary.BigEndian.Uint32(b[spoolHeader-4:]) {
		return nil, errDamaged
	}
	r := spoolReader{text: string(b[spoolHeader:])}
	var batch []item
	for range n {
		var it item
		it.time = time.Unix(r.varint(), r.varint()).UTC()
		for _, s := range it.texts() {
			*s = r.string()
		}
		if r.bad {
			return nil, errDamaged
		}
		batch = append(batch, it)
	}
	if r.text != "" {
		return nil, errDamaged
	}
	return batch, nil
}

type spoolReader struct {
	text string
	bad  bool
}

func (r *spoolReader) varint() int64 {
	v, n := binary.Varint([]byte(r.text[:min(len(r.text), binary.MaxVarintLen64)]))
	r.skip(n)
	return v
}

func (r *spoolReader) string() string {
	size, n := binary.Uvarint([]byte(r.text[:min(len(r.text), binary.MaxVarintLen64)]))
	r.skip(n)
	if r.bad || size > uint64(len(r.text)) {
		r.bad = true
		return ""
	}
	s := r.text[:size]
	r.text = r.text[size:]
	return s
}

func (r *spoolReader) skip(n int) {
	if r.bad || n <= 0 {
		r.bad = true
		return
	}
	r.text = r.text[n:]
}
