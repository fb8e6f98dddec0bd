package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/mailtap/mailtap/metrics"
	recordlog "github.com/mailtap/mailtap/sessions/log"
)

// titles are the sinks' names for people.
var titles = map[string]string{fileSink: "file", lokiSink: "Loki", syslogSink: "syslog"}

// sinks are where records go; nil: not there. Those say what is wrong with them
// once, when it begins, and once more when it is over.
type sinks struct {
	file   *recordlog.File
	frame  *recordlog.ZeekFile // around file
	loki   *recordlog.Loki
	syslog *recordlog.Syslog

	log   *slog.Logger
	disk  *storage
	aside int                     // files of the spool, told
	said  map[string]bool         // what was said and is not over
	lost  map[string]lostOnTheWay // by sink

	mu      sync.Mutex                  // of all: a reload changes them
	before  []outgoing                  // that a reload took away and that are not closed yet
	gone    map[string]recordlog.Counts // of those that are closed
	leaving sync.WaitGroup
}

// lostOnTheWay is how many dropped records were told, and when.
type lostOnTheWay struct {
	records uint64
	at      time.Time
}

// counts calls f for each sink that is there.
func (s *sinks) counts(f func(name string, c recordlog.Counts)) {
	for _, name := range []string{fileSink, lokiSink, syslogSink} {
		now := s.named(name)
		sum, had := s.countsBefore(name)
		if now != nil {
			sum.Add(now.Counts())
		}
		if now != nil || had {
			f(name, sum)
		}
	}
}

// counting is a sink that says what became of its records.
type counting interface {
	recordlog.Sink
	Counts() recordlog.Counts
}

// named is the sink of a name, nil where there is none.
func (s *sinks) named(name string) counting {
	switch {
	case name == fileSink && s.file != nil:
		return s.file
	case name == lokiSink && s.loki != nil:
		return s.loki
	case name == syslogSink && s.syslog != nil:
		return s.syslog
	}
	return nil
}

// What may be wrong with a sink.
const (
	fileTrouble   = "the file of records is written, but not rotated or opened anew; it is tried again"
	lokiTrouble   = "Loki does not take records; they wait"
	syslogTrouble = "the syslog server does not take records; they wait"
)

// publish flushes the file, and tells metrics and the log what there is to tell.
func (s *sinks) publish(m *metrics.Metrics) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.file != nil {
		_ = s.file.Flush() // says what Err says
		s.disk.poll(metrics.StoreRecords, "records are lost: the file does not take them", "records are written again", s.file.Failed(), s.file.Err())
		s.watch(fileTrouble, "the file of records is rotated again", s.file.Trouble())
	}
	if s.loki != nil {
		s.watch(lokiTrouble, "Loki takes records again", s.loki.Err())
		failed, aside := s.loki.SpoolFaults()
		s.disk.poll(metrics.StoreSpool, "the spool of records for Loki takes nothing, they wait in memory", "the spool of records for Loki works again", failed, s.loki.SpoolErr())
		if more := aside - s.aside; more > 0 {
			s.aside = aside
			s.disk.damaged(metrics.StoreSpool, more)
			s.log.Warn("damaged files of the spool of records for Loki were set aside", "files", more)
		}
		if !s.loki.Metadata() && s.first("metadata") {
			s.log.Warn("Loki refuses structured metadata; records are sent without it")
		}
	}
	if s.syslog != nil {
		s.watch(syslogTrouble, "the syslog server takes records again", s.syslog.Err())
	}
	s.counts(func(name string, c recordlog.Counts) {
		s.tellLost(name, c, time.Now())
		if m != nil {
			m.Log(name, metrics.LogCounts{Written: c.Written, Dropped: c.Dropped, Retried: c.Retried, Waiting: c.Waiting})
		}
	})
}

// first says whether a text was not said yet.
func (s *sinks) first(text string) bool {
	if s.said == nil {
		s.said = make(map[string]bool)
	}
	again := s.said[text]
	s.said[text] = true
	return !again
}

func (s *sinks) watch(begins, ends string, err error) {
	if err != nil {
		if s.first(begins) {
			s.log.Warn(begins, "err", err)
		}
	} else if s.said[begins] {
		delete(s.said, begins)
		s.log.Info(ends)
	}
}

// tellEvery is how often dropped records are told while there are more of them.
const tellEvery = 5 * time.Minute

func (s *sinks) tellLost(name string, c recordlog.Counts, now time.Time) {
	told := s.lost[name]
	if c.Dropped == told.records || now.Sub(told.at) < tellEvery {
		return
	}
	if s.lost == nil {
		s.lost = make(map[string]lostOnTheWay)
	}
	s.lost[name] = lostOnTheWay{c.Dropped, now}
	s.log.Warn("records were dropped", "sink", name, "records", c.Dropped, "why", c.Reasons.String())
}

// reopen opens the file anew: it was moved away.
func (s *sinks) reopen() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.file != nil {
		s.file.Reopen()
	}
}

// close delivers what waits until ctx ends, all at once, and says what was lost,
// be it now or before.
func (s *sinks) close(ctx context.Context) error {
	var ended sync.WaitGroup
	if s.loki != nil { // what Stop would say stands in the counts
		ended.Go(func() { _ = s.loki.Stop(ctx) })
	}
	if s.syslog != nil {
		ended.Go(func() { _ = s.syslog.Stop(ctx) })
	}
	if s.frame != nil {
		_ = s.frame.Close() // its last line is the file's
	}
	var failure error // of the file: it says more than its counts
	if s.file != nil {
		failure = s.file.Close(ctx)
	}
	ended.Wait()
	if s.loki != nil && s.loki.Spooled() > 0 {
		s.log.Info("records wait for Loki until mailtap runs again", "records", s.loki.Spooled())
	}
	errs := []error{failure}
	s.counts(func(name string, c recordlog.Counts) {
		if c.Dropped > 0 && (name != fileSink || failure == nil) {
			errs = append(errs, fmt.Errorf("log: %s: %d records were not delivered: %s", titles[name], c.Dropped, c.Reasons))
		}
	})
	return errors.Join(errs...)
}
