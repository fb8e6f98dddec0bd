package main

import (
	"errors"
	"io"
	"log/slog"
	"maps"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"slices"
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/mailtap/mailtap/alerts"
	"github.com/mailtap/mailtap/alerts/notify"
	"github.com/mailtap/mailtap/capture/packet"
	livepage "github.com/mailtap/mailtap/dashboards/page"
	"github.com/mailtap/mailtap/metrics"
	"github.com/mailtap/mailtap/metrics/top"
)

// wiring says which outputs a command wants beside those of the configuration.
type wiring struct {
	cfg      *Config
	log      *slog.Logger
	records  io.Writer             // where records go that have no file; nil: nowhere
	format   string                // of the records; empty: json
	lines    io.Writer             // where alert lines go
	registry prometheus.Registerer // nil: no metrics
	sources  []string              // for metrics
	offline  bool                  // waiting for Loki is allowed
	extra    []notify.Receiver     // beside the configured ones
	backoff  time.Duration         // of receivers, longest; 0: their default
	durable  bool                  // alerts outlive the process, where state_dir is set
	active   *activeAlerts         // told of alerts; nil: nobody asks
	page     *livepage.Page        // nil: there is none
	faults   *faults               // of a build for that; nil: none
	keys     keyring               // of pseudonyms
	shown    *shownMask            // of the page; nil: there is none
}

// outputs connects everything that listens.
func (w wiring) outputs() (*outputs, error) {
	o := &outputs{log: w.log, active: w.active}
	o.stopTimeout.Store(int64(w.cfg.StopTimeout))
	var err error
	if w.keys.key == nil {
		if w.keys, err = w.cfg.keyring(); err != nil {
			return nil, err
		}
	}
	o.privacy, o.shown = w.masks(), w.shown
	if w.page != nil {
		o.page, o.follower = w.page, w.page
	}
	set, bad := loadRules(&w.cfg.Alerts.Rules)
	if bad != nil {
		return nil, configError{*bad}
	}
	list, err := w.subscriptions()
	if err != nil {
		return nil, err
	}
	if w.registry != nil {
		o.metrics = metrics.New(w.registry, w.metricsOptions(set, list))
		o.queue = newDeferredQueue(w.cfg, o.metrics)
		o.top = top.New(w.cfg.Metrics.Top.options())
	}
	o.disk = newStorage(w.log, o.metrics)
	if w.faults != nil {
		o.disk.fault = w.faults.write()
	}
	o.sinks.disk = o.disk
	if err := w.addNotifier(o, list); err != nil { // first: its lock keeps a second mailtap off state_dir
		return nil, err
	}
	if err := w.addRecords(o); err != nil {
		return nil, err
	}
	if err := w.addEvidence(o); err != nil {
		return nil, err
	}
	return o, w.addEngine(o, set)
}

func (w wiring) addNotifier(o *outputs, list []notify.Subscription) error {
	dir := w.outboxDir()
	if len(list) == 0 && dir == "" {
		return nil
	}
	if w.durable && dir == "" {
		w.log.Info("alerts that a receiver does not take wait in memory, and are lost when mailtap ends; set state_dir to keep them")
	}
	options := notify.Options{
		MaxBackoff: w.backoff, MaxAge: time.Duration(w.cfg.Alerts.OutboxAge), Dir: dir, Fault: o.disk.fault,
		Notice: func(text string) { w.log.Warn(text) },
		Wrote: func(err error) {
			o.disk.wrote(metrics.StoreOutbox, "the outbox does not take alerts, they wait in memory; it is tried again", "the outbox takes alerts again", err)
		},
		Damaged: func(files int) { o.disk.damaged(metrics.StoreOutbox, files) },
		Failed: func(receiver string, err error) {
			what := "a receiver does not take alerts; they wait and are tried again"
			if how := new(notify.Error); errors.As(err, &how) && how.Final {
				what = "a receiver refused an alert for good; it is not sent again"
			}
			w.log.Warn(what, "receiver", receiver, "err", err)
		},
	}
	if o.metrics != nil {
		options.Observer = o.metrics
	}
	var err error
	if o.notifier, err = notify.New(list, options); err != nil {
		return failed(err)
	}
	return nil
}

// outboxDir is where alerts wait; empty: in memory.
func (w wiring) outboxDir() string {
	if !w.durable || w.cfg.StateDir == "" {
		return ""
	}
	return filepath.Join(string(w.cfg.StateDir), "outbox")
}

func (w wiring) addEngine(o *outputs, set alerts.RuleSet) error {
	options := w.cfg.ruleOptions()
	w.maskRules(&o.privacy, o.writers, &options)
	options.Sink, options.Notice = o, func(text string) { w.log.Info(text) }
	if o.metrics != nil {
		options.Observer = ruleObserver{o.metrics}
	}
	engine, err := alerts.NewEngine(set, options)
	if err != nil {
		return err
	}
	tellOff(w.log, engine.Off())
	o.engine = engine
	return nil
}

// tellOff is one line for all that one missing setting switches off.
func tellOff(log *slog.Logger, off []alerts.Off) {
	rules := make(map[string][]string)
	for _, o := range off {
		rules[o.Needs] = append(rules[o.Needs], o.Rule)
	}
	for _, needs := range slices.Sorted(maps.Keys(rules)) {
		log.Info("rules are off: they cannot judge without "+needs, "rules", strings.Join(rules[needs], ","))
	}
}

func (w wiring) metricsOptions(set alerts.RuleSet, list []notify.Subscription) metrics.Options {
	m := metrics.Options{
		Version: version, Revision: revision(), GoVersion: runtime.Version(),
		Servers: w.cfg.serverNames(), Roles: w.cfg.roleNames(), Sources: w.sources,
		Reasons: w.cfg.Metrics.reasons(), Top: w.cfg.Metrics.Top.wanted(), Ignored: packet.Reasons(), NotificationResults: notify.Results[:],
	}
	for _, s := range list {
		m.Receivers = append(m.Receivers, s.Receiver.Name())
	}
	m.Rules = ruleNamesOf(set)
	m.Sinks, m.LaterSinks = w.sinkNames(), []string{fileSink, lokiSink, syslogSink}
	m.Refusals = refusalNames[:]
	return m
}

func revision() string {
	if info, ok := debug.ReadBuildInfo(); ok {
		for _, s := range info.Settings {
			if s.Key == "vcs.revision" {
				return s.Value
			}
		}
	}
	return "unknown"
}

// ruleObserver lets metrics show what the engine does: neither package knows
// the other.
type ruleObserver struct{ m *metrics.Metrics }

// Raised implements alerts.Observer.
func (o ruleObserver) Raised(rule, severity string) { o.m.Raised(rule, severity) }

// FiringNow implements alerts.Observer.
func (o ruleObserver) FiringNow(rule, severity string, n int) { o.m.AlertsFiring(rule, severity, n) }
