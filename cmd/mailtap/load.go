package main

import (
	"time"

	"github.com/mailtap/mailtap/alerts"
	"github.com/mailtap/mailtap/capture"
	"github.com/mailtap/mailtap/capture/packet"
	"github.com/mailtap/mailtap/sessions"
	recordlog "github.com/mailtap/mailtap/sessions/log"
)

// Shape of a load: small enough to stay in the processor's cache on its way. Those of
// several goroutines are larger, as they wait for each other at every stage.
const (
	batchPackets = 512  // of one goroutine's load
	sharedBatch  = 2048 // of the loads of several
	sharedRoom   = 1 << 20
)

// load is a batch of packets on its way: as segments, each with the shard that
// its connection belongs to, then as the events that they gave.
type load struct {
	ticket  uint64 // its place among all loads
	packets []capture.Packet
	room    []byte             // where they lie, if nobody else keeps them
	taken   []capture.Packet   // of packets, those that were filled in
	before  uint64             // number of the packet before the first of them
	lists   [][]packet.Segment // by shard
	runs    []stretch
	told    [][]told // by shard

	leave uint32 // how many of 65,536 new connections are left out
	left  uint64 // packets of those

	captures []alerts.Capture // to be judged after all else
	change   *change          // of the configuration, between what came before and what comes after
	terms    *terms           // under which it was taken; nil: those of the start

	encoders []*recordlog.Writer // of who carries it, one for each privacy; none: nobody wants records
	encodes  *terms              // that the encoders were made for
	lines    []byte
	records  []recordlog.Record // of each event that has one, as many as there are encoders
}

// stretch is a part of a load between two times at which something may expire.
type stretch struct {
	first   uint64           // number of its first packet
	advance int64            // packet time that has come before it, nanoseconds; 0: none has
	clock   int64            // the same by the capture's clock
	closes  *sessions.Border // nothing follows: what began before it ends
	anew    bool             // what is open ends before it: another story begins
	ends    []int            // by shard: where it ends in the list
}

func newLoad(shards int, encoders []*recordlog.Writer) *load {
	return &load{encoders: encoders, packets: make([]capture.Packet, batchPackets), lists: make([][]packet.Segment, shards), told: make([][]told, shards)}
}

// maxLines is how much memory for records a load keeps.
const maxLines = 8 << 20

func (l *load) reset() {
	l.runs, l.captures, l.taken = l.runs[:0], nil, nil
	l.leave, l.left = 0, 0
	if cap(l.lines) > maxLines {
		l.lines, l.records = nil, nil
	}
	for i := range l.lists {
		l.lists[i] = l.lists[i][:0]
		clear(l.told[i]) // events are not kept for the next load
		l.told[i] = l.told[i][:0]
	}
}

func (l *load) begin(r stretch) {
	n := len(l.runs)
	if n < cap(l.runs) {
		l.runs = l.runs[:n+1]
		r.ends = l.runs[n].ends[:0]
	} else {
		l.runs = append(l.runs, stretch{})
	}
	l.runs[n] = r
}

// end notes how far the last stretch goes.
func (l *load) end() {
	if n := len(l.runs); n > 0 {
		r := &l.runs[n-1]
		for i := range l.lists {
			r.ends = append(r.ends, len(l.lists[i]))
		}
	}
}

// encode makes the records of the events.
func (l *load) encode() {
	if l.terms != l.encodes {
		l.encoders, l.encodes = l.terms.encoders(), l.terms
	}
	if len(l.encoders) == 0 {
		return
	}
	l.lines, l.records = l.lines[:0], l.records[:0]
	for _, list := range l.told {
		for i := range list {
			first, any := len(l.records), false
			for _, encoder := range l.encoders {
				var rec recordlog.Record
				var ok bool
				l.lines, rec, ok = encoder.Append(l.lines, list[i].event)
				l.records, any = append(l.records, rec), any || ok
			}
			if any {
				list[i].rec = first + 1
			} else {
				l.records = l.records[:first]
			}
		}
	}
}

// of gives an event's records, one for each encoder; one without a line is none.
func (l *load) of(t *told) []recordlog.Record {
	if t.rec == 0 {
		return nil
	}
	return l.records[t.rec-1:][:len(l.encoders)]
}

// intake turns packets into segments, and says what time it is by them. It
// belongs to the readers of one source, one at a time.
type intake struct {
	decoder packet.Decoder
	clock   sessions.Clock
	stamps  stamps
	steps   uint64   // times that packet time went far back, or was set
	number  uint64   // of packets
	ignored []uint64 // packets left out, by reason less one
	newest  int64    // packet time, nanoseconds
	due     int64    // packet time of the next advance
	sieve   *sieve   // nil: the shards have theirs

	list   []packet.Segment // decoded; of one shard it is the load's own
	shared int              // of list, those that the load has
}

// sharedAtOnce is how many segments are decoded before they are given to several
// shards: few enough to stay in the fastest cache.
const sharedAtOnce = 64

func newIntake(cfg *Config) intake {
	return intake{decoder: cfg.decoder(), ignored: make([]uint64, len(packet.Reasons()))}
}

// fill makes a load of packets.
func (in *intake) fill(l *load, packets []capture.Packet) {
	l.begin(stretch{first: in.number + 1})
	l.taken, l.before = packets, in.number
	if len(l.lists) == 1 { // they are decoded where they stay
		in.list, in.shared = l.lists[0], len(l.lists[0])
	}
	for i := range packets {
		p := &packets[i]
		in.number++
		if p.Time >= in.due || p.Time < in.newest-maxStepBack {
			in.share(l)
			l.end()
			l.begin(in.advance(p.Time))
		}
		in.decode(p)
		if len(l.lists) > 1 && len(in.list) >= sharedAtOnce {
			in.share(l)
		}
	}
	in.share(l)
	l.end()
}

func (in *intake) decode(p *capture.Packet) {
	n := len(in.list)
	if n == cap(in.list) {
		in.list = append(in.list, make([]packet.Segment, batchPackets)...)[:n]
	}
	s := &in.list[:n+1][n]
	reason := in.decoder.Decode(p, s)
	switch {
	case reason == packet.OK, reason == packet.OtherPort && in.decoder.OtherPorts:
	case reason == packet.Held: // it comes with the last of its pieces
		return
	default:
		in.ignored[reason-1]++
		return
	}
	s.Number, s.Clock = in.number, in.clock.At(p.Time-in.stamps.set)
	in.list = in.list[:n+1]
}

// share gives the load what was decoded.
func (in *intake) share(l *load) {
	if in.sieve != nil {
		in.list = in.sieve.sift(in.list, in.shared)
	}
	if len(l.lists) == 1 {
		l.lists[0], in.shared = in.list, len(in.list)
		return
	}
	for i := range in.list {
		s := &in.list[i]
		to := in.shardOf(s, len(l.lists))
		l.lists[to] = append(l.lists[to], *s)
	}
	in.list = in.list[:0]
}

// advance says that packet time has come to now. A second is the grain of all
// that expires. It returns the stretch that begins then.
func (in *intake) advance(now int64) stretch {
	if in.stamps.look(now-in.newest, in.newest == 0); in.newest > 0 && now < in.newest-maxStepBack {
		in.steps++
	}
	in.newest, in.due = now, now+int64(time.Second)
	in.decoder.Advance(now, in.ignored)
	clock := in.clock.At(now - in.stamps.set)
	if in.sieve != nil {
		in.sieve.advance(clock)
	}
	return stretch{first: in.number, advance: now, clock: clock}
}

// anew makes a load that ends all connections.
func (in *intake) anew(l *load) {
	l.begin(stretch{first: in.number + 1, anew: true})
	l.end()
	in.newest, in.due, in.clock = 0, 0, sessions.Clock{}
	if in.sieve != nil {
		in.sieve.forget()
	}
}

// shardOf is where a connection belongs: both directions to the same shard, and
// where the kernel spread the packets already, which it does without ports, to the one
// that reads them.
func (in *intake) shardOf(s *packet.Segment, shards int) int {
	if in.sieve == nil {
		return capture.ShardOf(s.Src.Hi, s.Src.Lo, s.Dst.Hi, s.Dst.Lo, 0, 0, shards)
	}
	return capture.ShardOf(s.Src.Hi, s.Src.Lo, s.Dst.Hi, s.Dst.Lo, s.SrcPort, s.DstPort, shards)
}
