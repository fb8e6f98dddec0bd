package main

import (
	"slices"
	"time"

	"github.com/mailtap/mailtap/alerts"
	"github.com/mailtap/mailtap/metrics"
)

// change builds what a configuration wants in place of what runs. It is the one
// place of a reload that opens files: rules, secrets, certificates, the file of
// records. Where it fails nothing has changed.
func (w wiring) change(o *outputs, was *Config) (*change, error) {
	set, bad := loadRules(&w.cfg.Alerts.Rules)
	if bad != nil {
		return nil, configError{*bad}
	}
	c := &change{stopTimeout: time.Duration(w.cfg.StopTimeout), rules: ruleNamesOf(set)}
	var err error
	if c.receivers, err = w.subscriptions(); err != nil {
		return nil, err
	}
	if c.sinks, err = w.changeSinks(o, was); err != nil {
		return nil, err
	}
	c.masks = w.masks()
	if c.engine, err = w.changeRules(o, c, set); err == nil {
		err = openWriters(c.sinks.writers)
	}
	if err != nil {
		c.sinks.abandon()
		return nil, err
	}
	tracker := w.cfg.trackerOptions()
	c.terms = &terms{home: tracker.Home, servers: tracker.Server, rules: c.engine, writers: c.sinks.writers}
	if o.notifier == nil && len(c.receivers) > 0 { // without state_dir: nothing waits from before
		first := &outputs{metrics: o.metrics, disk: o.disk}
		if err = w.addNotifier(first, c.receivers); err != nil {
			c.sinks.abandon()
			return nil, err
		}
		c.notifier = first.notifier
	}
	return c, nil
}

// changeRules makes the engine of the rules that hold from now on.
func (w wiring) changeRules(o *outputs, c *change, set alerts.RuleSet) (*alerts.Engine, error) {
	options := w.cfg.ruleOptions()
	options.Sink, options.Notice = o, func(text string) { w.log.Info(text) }
	options.Observer = ruleObserver{o.metrics}
	w.maskRules(&c.masks, c.sinks.writers, &options)
	if was := o.privacy.receivers; was != nil && options.Receivers != "" && !alike(was, c.masks.receivers) {
		options.Earlier = was // receivers know what fires by its names
	}
	return alerts.NewEngine(set, options)
}

func ruleNamesOf(set alerts.RuleSet) (names []metrics.RuleName) {
	for i := range set.Rules {
		for _, severity := range set.Rules[i].Severities() {
			names = append(names, metrics.RuleName{Name: set.Rules[i].Name, Severity: severity})
		}
	}
	return slices.Clip(names)
}
