package main

import (
	"time"

	"github.com/mailtap/mailtap/capture"
)

// Shape of the batches that the reader of a pipe hands over.
const (
	batchOctets = 1 << 20
	batchesEach = 4                      // of one reader, recycled
	batchAge    = 100 * time.Millisecond // of packet time
)

// batch holds copies of packets on their way from the goroutine that waits for
// a pipe to the one that carries them on.
type batch struct {
	packets []capture.Packet
	octets  []byte
}

func newBatch() *batch {
	return &batch{packets: make([]capture.Packet, 0, batchPackets), octets: make([]byte, 0, batchOctets)}
}

// add copies a packet. Older packets of a batch keep their octets where they
// are even if a large one makes the store grow.
func (b *batch) add(p *capture.Packet) {
	start := len(b.octets)
	b.octets = append(b.octets, p.Data...)
	kept := *p
	kept.Data = b.octets[start:len(b.octets):len(b.octets)]
	b.packets = append(b.packets, kept)
}

func (b *batch) full() bool {
	n := len(b.packets)
	return n == batchPackets || len(b.octets) >= batchOctets-64<<10 || b.packets[n-1].Time-b.packets[0].Time > int64(batchAge)
}

func (b *batch) reset() { b.packets, b.octets = b.packets[:0], b.octets[:0] }
