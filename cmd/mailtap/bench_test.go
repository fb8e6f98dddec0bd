package main

import (
	"bytes"
	"encoding/binary"
	"io"
	"log/slog"
	"testing"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/mailtap/mailtap/capture"
	"github.com/mailtap/mailtap/capture/packet"
	"github.com/mailtap/mailtap/sessions"
	"github.com/mailtap/mailtap/sessions/dialog"
)

// benchCapture is a capture of connections of one small mail each, of which a
// hundred go on at once.
func benchCapture(b *testing.B, connections int) (file []byte, packets int) {
	script, err := dialog.Segments(dialog.SmallMail, dialog.Options{})
	if err != nil {
		b.Fatal(err)
	}
	file = binary.LittleEndian.AppendUint32(nil, 0xa1b2c3d4)
	file = append(file, "\x02\x00\x04\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x04\x00\x01\x00\x00\x00"...)
	const atOnce = 100
	for first := 0; first < connections; first += atOnce {
		for _, s := range script {
			for n := first; n < first+atOnce; n++ {
				frame := ethernetOf(s, uint32(n))
				at := 1767323045*1_000_000 + packets*10
				for _, v := range []int{at / 1_000_000, at % 1_000_000, len(frame), len(frame)} {
					file = binary.LittleEndian.AppendUint32(file, uint32(v))
				}
				file = append(file, frame...)
				packets++
			}
		}
	}
	return file, packets
}

// ethernetOf writes the frame of a segment of client n, with a right checksum.
func ethernetOf(s packet.Segment, n uint32) []byte {
	src, dst := &s.Src.Lo, &s.Dst.Lo
	if s.SrcPort < 1024 { // the server
		src, dst = dst, src
	}
	*src = uint64(10<<24 + n)
	be := binary.BigEndian
	f := append(make([]byte, 12, 1514), 8, 0, 0x45, 0)
	f = be.AppendUint16(f, uint16(40+len(s.Payload)))
	f = append(f, 0, 1, 0x40, 0, 64, 6, 0, 0)
	f = be.AppendUint32(be.AppendUint32(f, uint32(s.Src.Lo)), uint32(s.Dst.Lo))
	f = be.AppendUint16(be.AppendUint16(f, s.SrcPort), s.DstPort)
	f = be.AppendUint32(be.AppendUint32(f, s.Seq), s.Ack)
	f = append(f, 0x50, s.Flags, 0xff, 0xff, 0, 0, 0, 0)
	f = append(f, s.Payload...)
	sum := uint32(6 + len(f) - 34)
	for b := append(f[26:len(f):len(f)], 0); len(b) > 1; b = b[2:] {
		sum += uint32(be.Uint16(b))
	}
	sum = sum>>16 + sum&0xffff
	be.PutUint16(f[50:], ^uint16(sum+sum>>16))
	return f
}

// benchOutputs are the outputs of the default configuration, records thrown
// away.
func benchOutputs(b *testing.B) (*Config, *outputs) {
	cfg, err := loadFrom("", nil)
	if err != nil {
		b.Fatal(err)
	}
	out, err := wiring{cfg: &cfg, log: slog.New(slog.DiscardHandler), lines: io.Discard, records: io.Discard, registry: prometheus.NewRegistry()}.outputs()
	if err != nil {
		b.Fatal(err)
	}
	return &cfg, out
}

// BenchmarkStages takes the same packets through one stage more each time: the
// difference of two lines is what a stage costs. The last one is the pipeline
// as the program has it, with one shard.
func BenchmarkStages(b *testing.B) {
	const connections = 4000
	file, packets := benchCapture(b, connections)
	cfg, out := benchOutputs(b)
	counts := out.metrics.Shard()
	closed := 0
	listeners := []func(sessions.Event){
		func(e sessions.Event) {
			if _, is := e.(*sessions.Closed); is {
				closed++
			}
		}, counts.Handle, out.writers[0].Handle, out.engine.Handle,
	}
	for i, name := range []string{"1 read", "2 decode", "3 sessions", "4 metrics", "5 records", "6 rules"} {
		run := func() {
			closed = 0
			in := newIntake(cfg)
			t := sessions.NewTracker(cfg.trackerOptions(), sessions.HandlerFunc(func(e sessions.Event) {
				for _, f := range listeners[:i-1] {
					f(e)
				}
			}))
			l := newLoad(1, nil)
			readInto(b, file, func(p []capture.Packet) {
				if i > 0 {
					l.reset()
					in.fill(l, p)
				}
				if i > 1 {
					t.Segments(l.lists[0])
				}
			})
			if t.Close(); i > 1 && closed != connections {
				b.Fatalf("%d sessions", closed)
			}
		}
		b.Run(name, func(b *testing.B) { perPacket(b, file, packets, run) })
	}
	b.Run("7 pipeline", func(b *testing.B) {
		perPacket(b, file, packets, func() {
			p := newPipeline(cfg, out, nil, 1)
			readInto(b, file, func(packets []capture.Packet) {
				p.own.reset()
				p.intake.fill(p.own, packets)
				p.ticket(p.own)
				p.carry(p.own)
			})
			p.close()
		})
	})
}

func readInto(b *testing.B, file []byte, take func([]capture.Packet)) {
	f, err := capture.NewFile(bytes.NewReader(file), "x", capture.FileOptions{})
	if err != nil {
		b.Fatal(err)
	}
	batch := make([]capture.Packet, batchPackets)
	for {
		n, err := f.NextBatch(batch)
		if err == io.EOF {
			return
		}
		if err != nil {
			b.Fatal(err)
		}
		take(batch[:n])
	}
}

func perPacket(b *testing.B, file []byte, packets int, run func()) {
	b.SetBytes(int64(len(file)))
	b.ReportAllocs()
	for b.Loop() {
		run()
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*packets), "ns/packet")
}
