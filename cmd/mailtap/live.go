package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/mailtap/mailtap/capture"
	"github.com/mailtap/mailtap/metrics"
)

// source is where live packets come from. Next waits for a short time only
// and then returns capture.ErrTimeout.
type source interface {
	Next(*capture.Packet) error
	Stats() (received, droppedKernel, droppedInterface uint64, err error)
	Close() error
}

// Shape of the batches that readers hand over.
const (
	batchOctets = 1 << 20
	batchesEach = 4                      // of one reader, recycled
	batchAge    = 100 * time.Millisecond // of packet time
)

// batch holds copies of packets on their way from a reader to the tracker.
type batch struct {
	packets []capture.Packet
	octets  []byte
	home    chan *batch // where it is recycled
	source  string
}

func newBatch(home chan *batch, source string) *batch {
	return &batch{packets: make([]capture.Packet, 0, batchPackets), octets: make([]byte, 0, batchOctets), home: home, source: source}
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

// puller pulls packets from one source. While the tracker is behind it waits,
// and the kernel's ring fills: what is lost then, the kernel counts.
type puller struct {
	name    string
	source  source
	out     chan<- *batch
	free    chan *batch
	metrics *metrics.Metrics
	counts  metrics.CaptureCounts
	counted time.Time
}

func newPuller(name string, s source, out chan<- *batch, m *metrics.Metrics) *puller {
	r := &puller{name: name, source: s, out: out, free: make(chan *batch, batchesEach), metrics: m}
	for range batchesEach {
		r.free <- newBatch(r.free, name)
	}
	return r
}

// run reads until ctx ends (nil), the source ends (io.EOF) or fails.
func (r *puller) run(ctx context.Context) error {
	defer r.source.Close()
	defer r.count(true)
	b := <-r.free
	var p capture.Packet
	for ctx.Err() == nil {
		err := r.source.Next(&p)
		switch {
		case err == nil:
			b.add(&p)
			r.counts.Packets++
			r.counts.Bytes += uint64(p.Length)
		case !errors.Is(err, capture.ErrTimeout):
			r.out <- b
			return err
		}
		if len(b.packets) > 0 && (err != nil || b.full()) {
			r.out <- b
			b = <-r.free
		}
		r.count(false)
	}
	r.out <- b
	return nil
}

// count publishes once a second what the source counted.
func (r *puller) count(now bool) {
	if !now && time.Since(r.counted) < time.Second {
		return
	}
	r.counted = time.Now()
	if _, kernel, device, err := r.source.Stats(); err == nil {
		r.counts.DroppedKernel, r.counts.DroppedInterface = kernel, device
	}
	r.metrics.Capture(r.name, r.counts)
}

// watch is one run over live sources: readers, and one goroutine that has the
// pipeline.
type watch struct {
	pipeline *pipeline
	outputs  *outputs
	batches  chan *batch
	ended    chan error // of each reader
}

// settle is how far packet time is held behind the wall clock where no packet
// tells it: packets may still wait in the kernel's ring.
const settle = 2 * time.Second

// run goes on until ctx ends or a source fails. It returns the failure.
func (w *watch) run(ctx context.Context, readers []*puller) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	w.ended = make(chan error, len(readers))
	for _, r := range readers {
		go func() {
			err := r.run(ctx)
			if err != nil && err != io.EOF {
				err = fmt.Errorf("capture: %w", err)
			}
			w.ended <- err
		}()
	}
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	var failure error
	for left := len(readers); left > 0; {
		select {
		case b := <-w.batches:
			w.take(b)
		case now := <-tick.C:
			w.second(now)
		case err := <-w.ended:
			left--
			failure = errors.Join(failure, err)
			cancel() // without one of its sources mailtap would watch less than it says
		}
	}
	w.drain()
	return failure
}

func (w *watch) take(b *batch) {
	w.pipeline.take(b.packets)
	if n := len(b.packets); n > 0 && w.outputs.metrics != nil {
		w.outputs.metrics.CaptureLag(b.source, max(0, time.Since(time.Unix(0, b.packets[n-1].Time))))
	}
	b.reset()
	b.home <- b
}

// second is what happens whether packets come or not.
func (w *watch) second(now time.Time) {
	w.pipeline.advance(now.Add(-settle))
	if m := w.outputs.metrics; m != nil {
		m.Stream(w.pipeline.stats())
		m.Ignored(w.pipeline.intake.ignored)
	}
	w.outputs.publish()
}

// drain takes what the readers handed over before they ended, and ends all
// connections.
func (w *watch) drain() {
	for {
		select {
		case b := <-w.batches:
			w.take(b)
		default:
			w.pipeline.close()
			w.second(time.Now())
			return
		}
	}
}
