package main

import (
	"testing"

	"github.com/mailtap/mailtap/alerts/evidence"
	"github.com/mailtap/mailtap/capture"
)

// BenchmarkEvidence is the whole pipeline with one shard, without evidence and
// with it: the difference is what the ring costs a packet.
func BenchmarkEvidence(b *testing.B) {
	file, packets := benchCapture(b, 4000)
	cfg, out := benchOutputs(b)
	keeper, err := evidence.Open(evidence.Options{Directory: b.TempDir(), Severity: "critical"})
	if err != nil {
		b.Fatal(err)
	}
	ring := keeper.Ring(1)
	for _, on := range []bool{false, true} {
		name := "off"
		if on {
			name = "on"
		}
		b.Run(name, func(b *testing.B) {
			perPacket(b, file, packets, func() {
				out.evidence = nil
				p := newPipeline(cfg, out, nil, 1)
				if on {
					out.evidence, p.shards[0].ring = keeper, ring
				}
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
}
