package main

import (
	"bytes"
	_ "embed"
	"encoding/binary"
	"io"
	"time"

	"github.com/mailtap/mailtap/capture"
)

// demoCapture is real mail traffic of servers and clients on hosts of our
// own, with invented users; .ci/demo-capture.sh makes it.
//
//go:embed testdata/demo.pcap
var demoCapture []byte

// demoPoll is how long NextBatch waits at most, as a live source does.
const demoPoll = 100 * time.Millisecond

// demoSource plays a capture in a loop as if it were live: packets have the
// time at which they are played, and each round has other client ports, as
// other connections have.
type demoSource struct {
	packets []capture.Packet
	scratch []byte
	next    int
	round   int
	begin   time.Time // of this round
	speed   float64
	count   uint64
}

// pause is the silence between two rounds.
const pause = 2 * time.Second

func newDemoSource(speed float64) (*demoSource, error) {
	f, err := capture.NewFile(bytes.NewReader(demoCapture), "demo.pcap", capture.FileOptions{})
	if err != nil {
		return nil, err
	}
	defer f.Close()
	d := &demoSource{speed: speed, begin: time.Now()}
	for {
		var p capture.Packet
		if err := f.Next(&p); err == io.EOF {
			return d, nil
		} else if err != nil {
			return nil, err
		}
		p.Data = bytes.Clone(p.Data)
		d.packets = append(d.packets, p)
	}
}

// due is when a packet is played.
func (d *demoSource) due(i int) time.Time {
	return d.begin.Add(time.Duration(float64(d.packets[i].Time-d.packets[0].Time) / d.speed))
}

// NextBatch implements source: it plays one packet.
func (d *demoSource) NextBatch(batch []capture.Packet) (int, error) {
	at := d.due(d.next)
	if wait := time.Until(at); wait > 0 {
		time.Sleep(min(wait, demoPoll))
		if wait > demoPoll {
			return 0, capture.ErrTimeout
		}
	}
	p := &batch[0]
	*p = d.packets[d.next]
	d.scratch = append(d.scratch[:0], p.Data...)
	renumber(d.scratch, d.round)
	p.Data, p.Time = d.scratch, at.UnixNano()
	d.count++
	if d.next++; d.next == len(d.packets) {
		d.begin = at.Add(time.Duration(float64(pause) / d.speed))
		d.next, d.round = 0, d.round+1
	}
	return 1, nil
}

// Problem implements source.
func (d *demoSource) Problem() error { return nil }

// Stats implements source.
func (d *demoSource) Stats() (received, droppedKernel, droppedInterface uint64, err error) {
	return d.count, 0, 0, nil
}

// Close implements source.
func (d *demoSource) Close() error { return nil }

// renumber gives the client of an Ethernet frame another port in each round.
// The client's is the port above 1023: the demo's servers have well-known ones.
func renumber(frame []byte, round int) {
	tcp := tcpOffset(frame)
	if tcp == 0 || round == 0 {
		return
	}
	for _, at := range []int{tcp, tcp + 2} {
		if old := binary.BigEndian.Uint16(frame[at:]); old >= 1024 {
			port := 1024 + uint16((int(old)-1024+round*7919)%(65536-1024))
			binary.BigEndian.PutUint16(frame[at:], port)
			adjustChecksum(frame[tcp+16:tcp+18], old, port)
		}
	}
}

// tcpOffset finds the TCP header of an untagged frame, 0 where there is none.
func tcpOffset(frame []byte) int {
	if len(frame) < 14+20 {
		return 0
	}
	offset, protocol := 0, byte(0)
	switch binary.BigEndian.Uint16(frame[12:]) {
	case 0x0800:
		offset, protocol = 14+4*int(frame[14]&15), frame[14+9]
	case 0x86dd:
		offset, protocol = 14+40, frame[14+6]
	}
	if protocol != 6 || len(frame) < offset+20 {
		return 0
	}
	return offset
}

// adjustChecksum follows a change of 16 bits (RFC 1624, 3: HC' = ~(~HC + ~m + m')).
func adjustChecksum(sum []byte, old, changed uint16) {
	v := uint32(^binary.BigEndian.Uint16(sum)) + uint32(^old) + uint32(changed)
	v = v&0xffff + v>>16
	v = v&0xffff + v>>16
	binary.BigEndian.PutUint16(sum, ^uint16(v))
}
