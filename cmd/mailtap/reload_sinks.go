package main

import (
	"context"
	"reflect"
	"slices"
	"time"

	"github.com/mailtap/mailtap/metrics"
	recordlog "github.com/mailtap/mailtap/sessions/log"
)

// sinkChange is where records go after a reload. A sink whose keys did not change
// goes on as it is, with its queue.
type sinkChange struct {
	writers []recordWriter // one for each privacy
	parts   []sinkPart
}

// sinkPart is one sink that is made, replaced or taken away.
type sinkPart struct {
	name   string
	next   counting  // nil: there is none, or it is opened later
	waits  *handover // until the old one is closed: both would use the same file
	opens  func() (counting, error)
	leaves counting // the old one; nil: there was none
}

// changeSinks opens what is new. What cannot be opened is told before anything
// has changed.
func (w wiring) changeSinks(o *outputs, was *Config) (*sinkChange, error) {
	o.sinks.leaving.Wait() // of the reload before
	before := w
	before.cfg = was
	c := &sinkChange{}
	for _, name := range []string{fileSink, lokiSink, syslogSink} {
		wanted, had := slices.Contains(w.sinkNames(), name), o.sinks.named(name)
		if wanted && had != nil && reflect.DeepEqual(w.sinkKeys(name), before.sinkKeys(name)) {
			c.writers = w.addSink(c.writers, name, had)
			continue
		}
		if !wanted && had == nil {
			continue
		}
		part := sinkPart{name: name, leaves: had}
		if wanted {
			if err := w.openPart(&part, was); err != nil {
				c.abandon()
				return nil, err
			}
			if part.waits != nil {
				c.writers = w.addSink(c.writers, name, part.waits)
			} else {
				c.writers = w.addSink(c.writers, name, part.next)
			}
		}
		c.parts = append(c.parts, part)
	}
	return c, nil
}

// abandon closes what was opened for nothing.
func (c *sinkChange) abandon() {
	over, cancel := context.WithCancel(context.Background())
	cancel()
	for _, p := range c.parts {
		if p.next != nil {
			stopSink(over, p.next)
		}
	}
}

// sinkKeys are the keys that make a sink what it is: its kinds and what it is shown are
// not among them.
func (w wiring) sinkKeys(name string) any {
	switch name {
	case fileSink:
		keys := w.cfg.Log.Records
		keys.Kinds, keys.Privacy = nil, nil
		return keys
	case lokiSink:
		keys := w.cfg.Loki
		keys.Kinds, keys.Privacy = nil, nil
		return keys
	}
	keys := w.cfg.Syslog
	keys.Kinds, keys.Privacy = nil, nil
	return keys
}

// openPart opens a sink, or makes sure that it can be opened when the old one has
// let go of the file that both use.
func (w wiring) openPart(p *sinkPart, was *Config) error {
	open := func() (counting, error) { return w.openSink(p.name) }
	file := p.name == fileSink && w.cfg.Log.Records.File != "" && w.cfg.Log.Records.File == was.Log.Records.File
	spool := p.name == lokiSink && w.durable && w.cfg.StateDir != ""
	if p.leaves == nil || !file && !spool {
		var err error
		p.next, err = open()
		return err
	}
	if spool { // all of it but the spool
		probe := w
		probe.durable = false
		s, err := probe.openLoki()
		if err != nil {
			return err
		}
		over, cancel := context.WithCancel(context.Background())
		cancel()
		stopSink(over, s)
	}
	p.waits, p.opens = &handover{most: w.queueOf(p.name)}, open
	return nil
}

func (w wiring) queueOf(name string) int {
	if name == lokiSink {
		return int(w.cfg.Loki.QueueSize)
	}
	return int(w.cfg.Log.Records.QueueSize)
}

func (w wiring) openSink(name string) (counting, error) {
	switch name {
	case fileSink:
		return opened(w.openFile())
	case lokiSink:
		return opened(w.openLoki())
	}
	return opened(w.openSyslog())
}

// opened keeps a nil of one kind from looking like a sink.
func opened[S counting](s S, err error) (counting, error) {
	if err != nil {
		return nil, err
	}
	return s, nil
}

// stopSink delivers what waits until ctx ends.
func stopSink(ctx context.Context, s counting) {
	switch s := s.(type) {
	case *recordlog.File:
		_ = s.Close(ctx) // what it lost stands in its counts
	case *recordlog.Loki:
		_ = s.Stop(ctx)
	case *recordlog.Syslog:
		_ = s.Stop(ctx)
	}
}

// outgoing is a sink that a reload took away, until it is closed.
type outgoing struct {
	name string
	sink counting
}

// countsBefore sums what sinks of a name did that a reload took away.
func (s *sinks) countsBefore(name string) (sum recordlog.Counts, had bool) {
	sum, had = s.gone[name]
	for _, b := range s.before {
		if b.name == name {
			had = true
			sum.Add(b.sink.Counts())
		}
	}
	return sum, had
}

// adopt puts the new sinks in place. Old ones are closed beside the packet path.
func (s *sinks) adopt(c *sinkChange, patience time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, p := range c.parts {
		s.put(p.name, p.next)
		s.forget(p.name)
		if p.leaves == nil {
			continue
		}
		s.before = append(s.before, outgoing{name: p.name, sink: p.leaves})
		s.leaving.Go(func() { s.replace(p, patience) })
	}
}

// forget lets go of what was wrong with a sink that is another one now, or is gone:
// it would be wrong for ever.
func (s *sinks) forget(name string) {
	switch name {
	case fileSink:
		delete(s.said, fileTrouble)
		s.disk.forget(metrics.StoreRecords)
	case lokiSink:
		s.aside = 0
		delete(s.said, lokiTrouble)
		s.disk.forget(metrics.StoreSpool)
	case syslogSink:
		delete(s.said, syslogTrouble)
	}
}

// put sets the sink of a name.
func (s *sinks) put(name string, sink counting) {
	switch name {
	case fileSink:
		s.file, _ = sink.(*recordlog.File)
	case lokiSink:
		s.loki, _ = sink.(*recordlog.Loki)
	case syslogSink:
		s.syslog, _ = sink.(*recordlog.Syslog)
	}
}

// replace closes an old sink and, where the new one had to wait for that, opens it
// and gives it what came meanwhile.
func (s *sinks) replace(p sinkPart, patience time.Duration) {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	stopSink(ctx, p.leaves)
	s.closed(p)
	if p.waits == nil {
		return
	}
	next, err := p.opens()
	if err != nil {
		s.log.Error("records are lost: what they go to could not be opened after the reload", "sink", p.name, "err", err)
	}
	s.mu.Lock()
	s.put(p.name, next)
	s.mu.Unlock()
	if lost := p.waits.pass(next); lost > 0 {
		s.log.Warn("records were dropped while their sink changed", "sink", p.name, "records", lost)
	}
}

// closed keeps the last counts of a sink and lets go of it.
func (s *sinks) closed(p sinkPart) {
	counts := p.leaves.Counts()
	if counts.Dropped > 0 {
		s.log.Warn("records were dropped by a sink that a reload took away", "sink", p.name, "records", counts.Dropped, "why", counts.Reasons.String())
	}
	counts.Waiting = 0 // in the spool, which is the next one's
	s.mu.Lock()
	defer s.mu.Unlock()
	s.before = slices.DeleteFunc(s.before, func(b outgoing) bool { return b.sink == p.leaves })
	if s.gone == nil {
		s.gone = make(map[string]recordlog.Counts)
	}
	counts.Add(s.gone[p.name])
	s.gone[p.name] = counts
}
