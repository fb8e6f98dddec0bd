package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/mailtap/mailtap/capture"
	"github.com/mailtap/mailtap/capture/packet"
	"github.com/mailtap/mailtap/metrics"
)

// source is where live packets come from. NextBatch waits for a short time only
// and then returns capture.ErrTimeout; what it gives is borrowed until the next
// call. Problem tells why no packet can come just now, nil where they can.
type source interface {
	NextBatch([]capture.Packet) (int, error)
	Problem() error
	Stats() (received, droppedKernel, droppedInterface uint64, err error)
	Close() error
}

// puller pulls packets from one source and carries them through the pipeline
// where they lie. While it does the kernel's ring fills: what is lost then, the
// kernel counts.
type puller struct {
	watch   *watch
	index   int // among all pullers
	name    string
	source  source
	intake  intake
	load    *load
	log     *slog.Logger
	counts  metrics.CaptureCounts
	counted time.Time
	second  bool // another puller has the same interface, and speaks for it
	faults  packetFaults
	problem string // that the source told
	backlog backlog
	turns   atomic.Uint64
	steps   uint64
	givenUp uint64 // packets that the end left no time for
}

func (w *watch) addPuller(s namedSource, cfg *Config, log *slog.Logger) {
	second := slices.ContainsFunc(w.pullers, func(r *puller) bool { return r.name == s.name })
	r := &puller{
		watch: w, second: second, index: len(w.pullers), name: s.name, source: s.source, intake: newIntake(cfg),
		load: newLoad(len(w.pipeline.shards), w.outputs.encoders()), log: log, backlog: backlog{limit: int(cfg.Capture.Backlog)},
	}
	if _, ok := s.source.(*capture.Live); ok { // the kernel stamps its packets by the wall clock
		r.intake.stamps.machine = w.machine
		w.pipeline.intake.stamps.machine = w.machine
	}
	w.pullers = append(w.pullers, r)
}

// run reads until ctx ends (nil), the source ends (io.EOF) or fails. What came
// before ctx ended is taken.
func (r *puller) run(ctx context.Context) error {
	defer r.source.Close()
	defer r.count(true)
	for ctx.Err() == nil {
		r.turns.Add(1)
		n, err := r.source.NextBatch(r.load.packets)
		if n > 0 {
			r.take(r.load.packets[:n])
		}
		if err != nil && !errors.Is(err, capture.ErrTimeout) {
			return err
		}
		r.notice()
		r.count(false)
	}
	return r.finish()
}

func (r *puller) take(packets []capture.Packet) {
	if packets = r.faults.pass(packets); len(packets) == 0 {
		return
	}
	for i := range packets {
		r.counts.Bytes += uint64(packets[i].Length)
	}
	r.counts.Packets += uint64(len(packets))
	r.load.reset()
	r.intake.fill(r.load, packets)
	if s, ok := r.source.(backlogged); ok {
		r.load.leave = r.backlog.share(s.Waiting())
	}
	r.watch.pipeline.ticket(r.load)
	r.watch.pipeline.carry(r.load)
	r.counts.DroppedQueue += r.load.left
	r.watch.saw(r.name, time.Unix(0, packets[len(packets)-1].Time))
}

// notice logs that the source went away or came back, once each, and where it is
// away for another reason than before.
func (r *puller) notice() {
	problem := ""
	if err := r.source.Problem(); err != nil {
		problem = err.Error()
	}
	was := r.problem
	if problem == was || r.second {
		return
	}
	r.problem = problem
	if r.watch.outputs.metrics != nil {
		r.watch.outputs.metrics.CaptureUp(r.name, problem == "")
	}
	switch {
	case problem == "":
		r.log.Info("packets can come again", "source", r.name)
	case was == "":
		r.log.Warn("no packets can come, capture goes on when they can", "source", r.name, "reason", problem)
	default:
		r.log.Warn("packets still cannot come, for another reason", "source", r.name, "reason", problem)
	}
}

// count tells once a second what the source counted.
func (r *puller) count(now bool) {
	if !now && time.Since(r.counted) < time.Second {
		return
	}
	r.counted = time.Now()
	if back, set := r.intake.steps, r.intake.stamps.steps; r.steps != back+set {
		r.steps = back + set
		r.watch.stepped()
	}
	if _, kernel, device, err := r.source.Stats(); err == nil {
		r.counts.DroppedKernel, r.counts.DroppedInterface = kernel, device
	}
	r.watch.counted(r)
}

// watch is one run over live sources: a goroutine for each, and one for what
// happens without packets.
type watch struct {
	pipeline *pipeline
	outputs  *outputs
	pullers  []*puller
	losses   losses           // of the goroutine of what happens without packets
	asked    func() time.Time // when the end was asked for
	closing  func()           // called when no more packets come, before connections end; nil: nobody
	machine  machine
	set      int64     // how far the wall clock was set, told
	told     time.Time // when a step of packet time was told last; of whoever holds mu

	mu       sync.Mutex // of all below, which pullers tell
	clock    packetClock
	counts   []metrics.CaptureCounts // by puller
	ignored  [][]uint64              // likewise
	backlogs map[string]*backlogLog  // by source
}

// settle is how far packet time is held behind the clock where no packet tells
// it: packets may still wait in the kernel's ring.
const settle = 2 * time.Second

// packetClock goes on from the last packet's time at the pace of the wall
// clock: a remote tap's clock may be another one.
type packetClock struct{ packet, wall time.Time }

// at is packet time now, unknown before the first packet.
func (c *packetClock) at(now time.Time) (time.Time, bool) {
	return c.packet.Add(now.Sub(c.wall)), !c.wall.IsZero()
}

// saw notes the time of a packet that just came.
func (w *watch) saw(source string, packet time.Time) {
	now := time.Now()
	w.mu.Lock()
	w.clock = packetClock{packet, now}
	w.mu.Unlock()
	if w.outputs.metrics != nil {
		w.outputs.metrics.CaptureLag(source, max(0, now.Sub(packet)))
	}
}

// counted takes a puller's counts. Several pullers may share an interface.
func (w *watch) counted(r *puller) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.counts[r.index] = r.counts
	w.ignored[r.index] = append(w.ignored[r.index][:0], r.intake.ignored...)
	w.backlogs[r.name].tell(r.log, r.name, r.backlog.news(), w.sum(r.name).DroppedQueue, r.counted)
	if w.outputs.metrics == nil {
		return
	}
	w.outputs.metrics.Capture(r.name, w.sum(r.name))
	w.outputs.metrics.Ignored(leftOut(w.left(), w.pipeline.stats()))
}

// sum adds the counts of the pullers of one name.
func (w *watch) sum(name string) metrics.CaptureCounts {
	var sum metrics.CaptureCounts
	for i, r := range w.pullers {
		if r.name == name {
			sum.Add(w.counts[i])
		}
	}
	return sum
}

// left sums the packets that were left out, by reason less one.
func (w *watch) left() []uint64 {
	sum := make([]uint64, len(packet.Reasons()))
	for _, counts := range w.ignored {
		for i, n := range counts {
			sum[i] += n
		}
	}
	return sum
}

// begin makes room for what pullers count.
func (w *watch) begin() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.counts, w.ignored = make([]metrics.CaptureCounts, len(w.pullers)), make([][]uint64, len(w.pullers))
	w.backlogs = map[string]*backlogLog{}
	for _, r := range w.pullers {
		w.backlogs[r.name] = &backlogLog{}
	}
}

// run goes on until ctx ends or a source fails. It returns the failure.
func (w *watch) run(ctx context.Context) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	w.asked = sync.OnceValue(time.Now)
	context.AfterFunc(ctx, func() { w.asked() })
	w.begin()
	ended := make(chan error, len(w.pullers))
	for _, r := range w.pullers {
		go func() { ended <- captureError(r.run(ctx)) }()
	}
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	var failure error
	for left := len(w.pullers); left > 0; {
		select {
		case now := <-tick.C:
			w.second(now)
		case err := <-ended:
			left--
			failure = errors.Join(failure, err)
			cancel() // without one of its sources mailtap would watch less than it says
		}
	}
	if w.closing != nil {
		w.closing()
	}
	w.pipeline.close()
	w.second(time.Now())
	return failure
}

func captureError(err error) error {
	if err == nil || errors.Is(err, io.EOF) {
		return nil
	}
	return fmt.Errorf("capture: %w", err)
}

// stepped tells that packet time was set. Who sends nonsense into a pipe does not
// fill the log.
func (w *watch) stepped() {
	if m := w.outputs.metrics; m != nil {
		m.ClockStep("packet")
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if time.Since(w.told) < tellEvery {
		return
	}
	w.told = time.Now()
	w.outputs.log.Warn("the clock of the packets was set; windows of rules go on with its time, connections stay open")
}

// lookAtClock tells where the clock of this machine was set.
func (w *watch) lookAtClock() {
	if w.machine == nil {
		return
	}
	set := w.machine.set()
	step := set - w.set
	if abs(step) < toldStep {
		return
	}
	w.set = set
	if m := w.outputs.metrics; m != nil {
		m.ClockStep("wall")
	}
	w.outputs.log.Warn("the clock of this machine was set", "by", time.Duration(step).Round(time.Second).String())
}

// second is what happens whether packets come or not.
func (w *watch) second(now time.Time) {
	w.lookAtClock()
	w.mu.Lock()
	at, ok := w.clock.at(now)
	w.mu.Unlock()
	advanced := false
	if ok {
		at = at.Add(-settle)
		advanced = w.pipeline.advance(at, w.lost(at))
	}
	if !advanced {
		w.pipeline.beat()
	}
	if m := w.outputs.metrics; m != nil {
		m.Stream(w.pipeline.stats())
	}
	w.outputs.publish()
}
