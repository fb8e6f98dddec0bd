package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"sync/atomic"
	"time"

	"github.com/mailtap/mailtap/alerts"
	"github.com/mailtap/mailtap/alerts/evidence"
	"github.com/mailtap/mailtap/alerts/notify"
	livepage "github.com/mailtap/mailtap/dashboards/page"
	"github.com/mailtap/mailtap/dashboards/report"
	"github.com/mailtap/mailtap/metrics"
	"github.com/mailtap/mailtap/metrics/top"
	"github.com/mailtap/mailtap/sessions"
	recordlog "github.com/mailtap/mailtap/sessions/log"
)

// outputs are all who listen: metrics, records, rules, receivers, a report.
// What is nil is not wanted. Events and alerts come from one goroutine.
type outputs struct {
	metrics  *metrics.Metrics
	engine   *alerts.Engine
	writers  []recordWriter // one for each privacy
	sinks    sinks
	shown    *shownMask // of the page; nil: there is none
	privacy  masks      // of the outputs beside the sinks
	notifier *notify.Notifier
	evidence *evidence.Keeper
	report   *report.Report
	follower follower
	page     *livepage.Page // the follower, where there is a page
	screen   func(alerts.Alert)
	active   *activeAlerts
	queue    *deferredQueue // nil where nobody scrapes
	top      *top.Lists     // nil where nobody wants it
	states   []*stateFile
	web      *webServer // nil: nobody listens
	disk     *storage

	log         *slog.Logger
	stopTimeout atomic.Int64 // nanoseconds; a reload sets it
}

// follower follows conversations step by step. Shards ask at the same time what it
// wants; it is given what others want too.
type follower interface {
	wanter
	Handle(sessions.Event)
}

// wanter says whether it cares for an event; shards ask it at the same time.
type wanter interface{ Wants(sessions.Event) bool }

// wants says whether anyone but metrics, which count in the shards, cares for an
// event. Shards ask it at the same time, each with the rules of its load.
func (o *outputs) wants(e sessions.Event, rules wanter) bool {
	switch e.(type) {
	case *sessions.Closed, *sessions.MailDone, *sessions.Authenticated:
		return true // there is a record of it
	}
	return o.report != nil && o.report.Wants(e) || o.follower != nil && o.follower.Wants(e) || rules.Wants(e)
}

// encoders make records for one goroutine, one for each of the writers.
func (o *outputs) encoders() []*recordlog.Writer {
	return encodersOf(o.writers)
}

// take gives an event, and its records where it has some, to those who listen: the
// record stands before the alerts that the event raises.
func (o *outputs) take(e sessions.Event, records []recordlog.Record) {
	for i := range records {
		if records[i].Line != nil {
			o.writers[i].Give(records[i])
		}
	}
	if o.report != nil {
		o.report.Handle(o.privacy.report.Event(e))
	}
	if o.follower != nil {
		o.follower.Handle(e)
	}
	if o.evidence != nil {
		o.evidence.Saw(e.Of())
	}
	if o.queue != nil {
		o.queue.Handle(e)
	}
	if o.top != nil {
		o.top.Handle(o.privacy.top.Event(e))
	}
	o.engine.Handle(e)
}

// advance says that packet time has come to now.
func (o *outputs) advance(now time.Time) {
	if o.queue != nil {
		o.queue.advance(now)
	}
	if o.top != nil {
		if entries, ended := o.top.Advance(now); ended {
			o.metrics.Top(entries)
		}
	}
	if o.page != nil {
		o.page.Advance(now)
	}
	o.engine.Advance(now)
}

// keep restores from the state directory what is known there, and keeps it there.
func (o *outputs) keep(dir string) error {
	all := []kept{o.keptRules()}
	if o.queue != nil {
		all = append(all, o.queue.kept())
	}
	for _, k := range all {
		s, err := openState(dir, k, saveInterval, o.disk)
		if err != nil {
			return err
		}
		o.states = append(o.states, s)
	}
	if o.queue != nil {
		o.queue.publish() // what was restored
	}
	return nil
}

func (o *outputs) keptRules() kept {
	return kept{rulesNow{o}, "alerts.state", metrics.StoreAlerts, "the state of the rules", "windows and alerts begin anew"}
}

// rulesNow are the rules of the configuration that holds.
type rulesNow struct{ *outputs }

// Save implements stateful.
func (r rulesNow) Save(w io.Writer) error { return r.engine.Save(w) }

// Restore implements stateful.
func (r rulesNow) Restore(from io.Reader) error { return r.engine.Restore(from) }

// Alert implements alerts.Sink.
func (o *outputs) Alert(a alerts.Alert) {
	if o.evidence != nil {
		a.Evidence = o.takeEvidence(a)
	}
	if o.notifier != nil { // first: what is told anywhere must reach the receivers
		o.notifier.Alert(shownTo(o.privacy.receivers, a))
	}
	repeats := a.Repeat > 0 && a.Status == alerts.Firing && !a.Escalated
	for i := range o.writers {
		if !repeats { // a repetition is news for a receiver, but not for the log
			shown := shownTo(o.writers[i].mask, a)
			o.writers[i].Alert(alertRecord(&shown))
		}
	}
	if o.report != nil {
		o.report.Alert(shownTo(o.privacy.report, a))
	}
	if o.screen != nil {
		o.screen(shownTo(o.privacy.receivers, a))
	}
	if o.active != nil {
		shown := shownTo(o.privacy.web, a)
		o.active.note(&shown)
	}
}

// resume takes up the alerts that the receivers knew to fire when the program
// ended.
func (o *outputs) resume() {
	if o.notifier == nil {
		return
	}
	active := o.notifier.Active()
	o.engine.Adopt(active)
	if o.active != nil {
		for i := range active {
			shown := o.privacy.resumed(active[i])
			o.active.note(&shown)
		}
	}
}

// alertRecord tells an alert in the record log's terms.
func alertRecord(a *alerts.Alert) *recordlog.AlertRecord {
	labels := make(map[string]string, len(a.Labels))
	for _, l := range a.Labels {
		labels[l.Name] = l.Value
	}
	return &recordlog.AlertRecord{
		Time: a.Time, Rule: a.Rule, Severity: a.Severity, Status: a.Status, Started: a.Started, Ended: a.Ended,
		Key: a.Key, Value: a.Value, Threshold: a.Threshold, Summary: a.Summary,
		Labels: labels, Techniques: a.Techniques, Sessions: a.Sessions, Runbook: a.Runbook,
		Learned: a.Learned, Groups: a.Groups, InhibitedBy: a.InhibitedBy, Evidence: a.Evidence,
	}
}

// publish flushes records and tells metrics what was counted. The goroutine of
// the events calls it.
func (o *outputs) publish() {
	o.sinks.publish(o.metrics)
	if o.web != nil {
		o.metrics.Web(o.web.listener.connections(), o.web.refused.counts())
	}
	o.publishEvidence()
	o.disk.tick(time.Now())
	if o.page != nil {
		o.page.Publish()
	}
}

// close delivers what waits, within the configured time, and says what was
// given up.
func (o *outputs) close() error {
	o.sinks.leaving.Wait() // of a reload: each has a time of its own
	ctx, cancel := context.WithTimeout(context.Background(), time.Duration(o.stopTimeout.Load()))
	defer cancel()
	told := make(chan error, 1) // beside the sinks: who is away must not use up the others' time
	go func() {
		var err error
		if o.notifier != nil {
			if err = o.notifier.Close(ctx); err != nil {
				err = fmt.Errorf("alerts: %w", err)
			}
		}
		told <- err
	}()
	errs := []error{o.sinks.close(ctx), <-told, o.closeEvidence(ctx)}
	for _, s := range o.states {
		errs = append(errs, s.close())
	}
	return errors.Join(errs...)
}
