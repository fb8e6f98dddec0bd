package metrics

import (
	"time"

	"github.com/mailtap/mailtap/metrics/deferrals"
	"github.com/mailtap/mailtap/sessions"
)

func (m *Metrics) defineDeferred() {
	m.age = newSet("age", deferrals.AgeNames[:]...)
	m.outcome = newSet("result", deferrals.Accepted, deferrals.Deferred, deferrals.Rejected)
	m.forgotten = newSet("reason", "expired", "limit")
	m.deferred = m.totals("gauge", "deferred_recipients", "Pairs of sender and recipient that were deferred and not yet delivered, by the server that deferred them last.", m.server)
	m.deferredAge = m.totals("gauge", "deferred_recipients_by_age", "The same, by the time since they were first deferred: up to the age, and more than the one before it.", m.server, m.age)
	m.deferredOldest = m.gauge("deferred_oldest_age_seconds", "How long ago the pair that waits for longest was first deferred; 0 where none waits.")
	m.retries = m.counter("deferred_retries_total", "Further attempts at deferred recipients, by what came of them.", m.server, m.outcome)
	m.deferredForgotten = m.totals("counter", "deferred_forgotten_total", "Deferred pairs that are no longer waited for: nobody tried for long, or too many wait.", m.forgotten)
	m.deliveryDelay = m.histogram("delivery_delay_seconds", "First deferral of a recipient to its acceptance.", deliveryBuckets, m.direction)
}

// Deferred counts what becomes of deferred mail, for the one goroutine that has a
// deferrals.Queue. It is the queue's observer.
type Deferred struct {
	m       *Metrics
	retries tally
	delay   observations
}

var _ deferrals.Observer = (*Deferred)(nil)

// Deferred makes a Deferred for one goroutine.
func (m *Metrics) Deferred() *Deferred {
	d := &Deferred{m: m}
	allot([]*tally{d.retries.of(m.retries)})
	d.delay.of(m.deliveryDelay)
	return d
}

// Retried implements deferrals.Observer.
func (d *Deferred) Retried(c *sessions.Conn, outcome string) {
	d.retries.inc(d.m.server.of(c.ServerName), d.m.outcome.of(outcome))
}

// Delivered implements deferrals.Observer.
func (d *Deferred) Delivered(c *sessions.Conn, after time.Duration) {
	d.delay.observe(after.Seconds(), d.m.direction.of(c.Direction))
}

// Publish adds what was counted since the last call to what a scrape shows, and sets
// what waits.
func (d *Deferred) Publish(s deferrals.Status) {
	d.retries.publish()
	d.delay.publish()
	counts := make([]deferrals.Ages, len(d.m.server.names)) // several names may count as other
	for i := range s.Waiting {
		sum := &counts[d.m.server.of(s.Waiting[i].Server)]
		for class, n := range s.Waiting[i].Ages {
			sum[class] += n
		}
	}
	for server := range counts {
		total := 0
		for class, n := range counts[server] {
			d.m.deferredAge.at(server, class).Store(uint64(n))
			total += n
		}
		d.m.deferred.at(server).Store(uint64(total))
	}
	d.m.deferredOldest.at().Set(s.Oldest.Seconds())
	d.m.deferredForgotten.at(d.m.forgotten.of("expired")).Store(s.Expired)
	d.m.deferredForgotten.at(d.m.forgotten.of("limit")).Store(s.Dropped)
}
