package capture_test

import (
	"bytes"
	"encoding/binary"
	"io"
	"testing"

	"github.com/mailtap/mailtap/capture"
	"github.com/mailtap/mailtap/capture/packet"
)

// BenchmarkReadDecode walks a capture of full segments and acknowledgements
// in memory: reader and decoder, without the disk.
func BenchmarkReadDecode(b *testing.B) {
	file := binary.LittleEndian.AppendUint32(nil, 0xa1b2c3d4)
	file = append(file, "\x02\x00\x04\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x04\x00\x01\x00\x00\x00"...)
	const packets = 100_000
	for i := range packets {
		frame := macs + over4(reset(40000, 25)+string(make([]byte, i%2*1400)))
		for _, v := range []int{i, 0, len(frame), len(frame)} {
			file = binary.LittleEndian.AppendUint32(file, uint32(v))
		}
		file = append(file, frame...)
	}
	var d packet.Decoder
	b.SetBytes(int64(len(file)))
	b.ResetTimer()
	for b.Loop() {
		f, err := capture.NewFile(bytes.NewReader(file), "x", capture.FileOptions{})
		if err != nil {
			b.Fatal(err)
		}
		var p capture.Packet
		var s packet.Segment
		for err = f.Next(&p); err == nil; err = f.Next(&p) {
			if r := d.Decode(&p, &s); r != packet.OK {
				b.Fatal(r)
			}
		}
		if err != io.EOF {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/packets, "ns/packet")
}
