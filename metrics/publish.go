package metrics

import (
	"time"

	"github.com/mailtap/mailtap/sessions"
)

// CaptureCounts is what a source counted since its start.
type CaptureCounts struct {
	Packets, Bytes                                uint64
	DroppedKernel, DroppedInterface, DroppedQueue uint64
}

// Add adds the counts of another source of the same name.
func (c *CaptureCounts) Add(o CaptureCounts) {
	c.Packets += o.Packets
	c.Bytes += o.Bytes
	c.DroppedKernel += o.DroppedKernel
	c.DroppedInterface += o.DroppedInterface
	c.DroppedQueue += o.DroppedQueue
}

// Capture publishes the counts of a source; cmd calls it once a second.
func (m *Metrics) Capture(source string, c CaptureCounts) {
	i := m.source.of(source)
	m.packets.at(i).Store(c.Packets)
	m.octets.at(i).Store(c.Bytes)
	m.captureDropped.at(i, m.dropReason.of("kernel")).Store(c.DroppedKernel)
	m.captureDropped.at(i, m.dropReason.of("interface")).Store(c.DroppedInterface)
	m.captureDropped.at(i, m.dropReason.of("queue")).Store(c.DroppedQueue)
}

// CaptureLag publishes how far a live source is behind.
func (m *Metrics) CaptureLag(source string, lag time.Duration) {
	m.lag.at(m.source.of(source)).Set(lag.Seconds())
}

// Ignored publishes how many packets were left out since the start, in the order
// of Options.Ignored; what is beyond it counts as other.
func (m *Metrics) Ignored(counts []uint64) {
	var rest uint64
	for i, n := range counts {
		if i < m.ignoredReason.seeded {
			m.ignored.at(i).Store(n)
		} else {
			rest += n
		}
	}
	if rest > 0 {
		m.ignored.at(m.ignoredReason.of(other)).Store(rest)
	}
}

// Stream publishes what the trackers counted, summed over all of them.
func (m *Metrics) Stream(s sessions.Stats) {
	m.connections.at(m.streamState.of("opening")).Store(uint64(max(0, s.Opening)))
	m.connections.at(m.streamState.of("established")).Store(uint64(max(0, s.Established)))
	m.connections.at(m.streamState.of("closing")).Store(uint64(max(0, s.Closing)))
	m.memory.at().Store(uint64(max(0, s.HeldBytes)))
	m.gaps.at().Store(s.Gaps)
	m.lost.at().Store(s.LostBytes)
	m.retransmitted.at().Store(s.RetransmittedBytes)
	m.overlaps.at().Store(s.Overlaps)
	m.evicted.at(m.evictReason.of("memory")).Store(s.EvictedMemory)
	m.evicted.at(m.evictReason.of("idle")).Store(s.EvictedIdle)
	m.evicted.at(m.evictReason.of("table")).Store(s.EvictedTable)
	m.evicted.at(m.evictReason.of("backlog")).Store(s.Left)
}

// LogCounts is what a sink of records counted since its start, and what waits.
type LogCounts struct {
	Written, Dropped, Retried uint64
	Waiting                   int
}

// Log publishes the counts of a sink.
func (m *Metrics) Log(sink string, c LogCounts) {
	i := m.sink.of(sink)
	m.logRecords.at(i, m.logResult.of("written")).Store(c.Written)
	m.logRecords.at(i, m.logResult.of("dropped")).Store(c.Dropped)
	m.logRecords.at(i, m.logResult.of("retried")).Store(c.Retried)
	m.logQueue.at(i).Store(uint64(max(0, c.Waiting)))
}

// Web publishes how many connections the listener has, and what it refused since
// the start, in the order of Options.Refusals.
func (m *Metrics) Web(connections int, refused []uint64) {
	m.webConnections.at().Store(uint64(max(0, connections)))
	for i, n := range refused[:min(len(refused), m.webReason.seeded)] {
		m.webRefused.at(i).Store(n)
	}
}

// Reloaded publishes the result of loading the configuration; at counts only
// where it succeeded.
func (m *Metrics) Reloaded(ok bool, at time.Time) {
	if !ok {
		m.reloadOK.at().Set(0)
		return
	}
	m.reloadOK.at().Set(1)
	m.reloadTime.at().Set(float64(at.UnixNano()) / 1e9)
}
