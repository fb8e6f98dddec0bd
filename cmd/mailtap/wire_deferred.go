package main

import (
	"time"

	"github.com/mailtap/mailtap/metrics"
	"github.com/mailtap/mailtap/metrics/deferrals"
)

// deferredQueue is the queue as the wire shows it, with what a scrape shows of it.
// The goroutine of the events has it.
type deferredQueue struct {
	*deferrals.Queue
	counts *metrics.Deferred
}

func newDeferredQueue(cfg *Config, m *metrics.Metrics) *deferredQueue {
	q := &deferredQueue{counts: m.Deferred()}
	q.Queue = deferrals.New(deferrals.Options{
		Servers: cfg.serverNames(), Pairs: int(cfg.Metrics.Deferred.Pairs), Expire: time.Duration(cfg.Metrics.Deferred.Expire), Observer: q.counts,
	})
	return q
}

// advance publishes once a second of packet time.
func (q *deferredQueue) advance(now time.Time) {
	q.Advance(now)
	q.publish()
}

func (q *deferredQueue) publish() { q.counts.Publish(q.Status()) }

func (q *deferredQueue) kept() kept {
	return kept{q.Queue, "deferrals.state", metrics.StoreDeferrals, "the state of deferred mail", "the queue begins empty"}
}
