package main

import (
	"errors"
	"time"

	"github.com/mailtap/mailtap/capture"
)

// stopper is a source whose input goes on until it is closed; what was read of it
// can be had after that. Its packets bring a time of their own.
type stopper interface{ Stop() }

// blockwise is a source whose packets wait in a block until it is full, or at most
// that long.
type blockwise interface{ OpenBlock() time.Duration }

const (
	// kernelLate is by how much more: its timers are coarse, and the machine is busy.
	kernelLate = 30 * time.Millisecond

	// countingTime bounds the counting of what can no longer be followed. A whole
	// ring is counted in a tenth of it.
	countingTime = time.Second
)

// ending is the end of a source, which was asked for at some moment: what came
// before still waits in the kernel, or in a pipe's queue.
type ending struct {
	asked   time.Time
	silence time.Duration // since then: nothing from before can come any more
	follows time.Time     // until then packets are followed, after that only counted
	stamped bool          // packets are stamped by this machine's clock
}

func (r *puller) ending() *ending {
	asked := r.watch.asked()
	e := &ending{asked: asked, follows: asked.Add(time.Duration(r.watch.outputs.stopTimeout.Load())), stamped: true}
	if s, ok := r.source.(blockwise); ok {
		e.silence = s.OpenBlock() + kernelLate
	}
	if s, ok := r.source.(stopper); ok {
		s.Stop()
		e.stamped = false
	}
	return e
}

// finish takes what came before the end was asked for.
func (r *puller) finish() error {
	e := r.ending()
	for {
		r.turns.Add(1)
		n, err := r.source.NextBatch(r.load.packets)
		now, packets := time.Now(), r.load.packets[:n]
		if n > 0 && now.Before(e.follows) {
			r.take(packets)
		} else {
			r.giveUp(packets, e)
		}
		r.count(false)
		switch {
		case err != nil && !errors.Is(err, capture.ErrTimeout):
			return err
		case e.over(now, packets):
			return nil
		}
	}
}

// over says whether all that came before the end was had.
func (e *ending) over(now time.Time, packets []capture.Packet) bool {
	if now.Sub(e.follows) > countingTime {
		return true
	}
	if len(packets) == 0 {
		return now.Sub(e.asked) >= e.silence
	}
	return e.later(&packets[len(packets)-1])
}

// later says that a packet came after the end was asked for.
func (e *ending) later(p *capture.Packet) bool {
	return e.stamped && p.Time > e.asked.UnixNano()
}

// giveUp counts packets that the end leaves no time to follow.
func (r *puller) giveUp(packets []capture.Packet, e *ending) {
	for i := range packets {
		if e.later(&packets[i]) {
			return
		}
		r.counts.Packets++
		r.counts.Bytes += uint64(packets[i].Length)
		r.counts.DroppedQueue++
		r.givenUp++
	}
}

// givenUp is how many packets the end left no time for. It is asked after the
// pullers ended.
func (w *watch) givenUp() (n uint64) {
	for _, r := range w.pullers {
		n += r.givenUp
	}
	return n
}
