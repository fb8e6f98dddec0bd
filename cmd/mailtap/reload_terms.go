package main

import (
	"bytes"
	"net/netip"
	"time"

	"github.com/mailtap/mailtap/alerts"
	"github.com/mailtap/mailtap/alerts/notify"
	"github.com/mailtap/mailtap/metrics"
	"github.com/mailtap/mailtap/sessions"
	recordlog "github.com/mailtap/mailtap/sessions/log"
)

// terms are what a configuration says to those who carry loads. A load is taken,
// encoded and given out under the terms that held when it came to the shards.
type terms struct {
	home    []netip.Prefix
	servers []sessions.NamedServer
	rules   wanter
	writers []recordWriter // of records, one for each privacy
}

// encoders make records for one goroutine, one for each of the writers.
func (t *terms) encoders() []*recordlog.Writer {
	if t == nil {
		return nil
	}
	return encodersOf(t.writers)
}

// adopt has the shard follow connections that begin from now on under other terms.
func (s *shard) adopt(t *terms) {
	s.terms, s.rules = t, t.rules
	s.options.Home, s.options.Server = t.home, t.servers
	s.tracker.Rename(t.home, t.servers)
}

// change is a configuration that was built and waits for its place between two
// loads.
type change struct {
	terms       *terms
	engine      *alerts.Engine
	rules       []metrics.RuleName
	receivers   []notify.Subscription
	notifier    *notify.Notifier // the first one; nil: there is one, or none is wanted
	masks       masks
	sinks       *sinkChange
	stopTimeout time.Duration
}

// swap brings a change in: what came before is told under the old configuration,
// what comes after under the new one. It returns when that is done.
func (p *pipeline) swap(c *change) {
	l := newLoad(len(p.shards), nil)
	l.change = c
	p.ticket(l)
	p.carry(l)
}

// adopt takes a change over, in the goroutine of the events.
func (o *outputs) adopt(c *change) {
	o.adoptRules(c)
	o.metrics.SetReceivers(namesOf(c.receivers))
	if o.notifier != nil {
		o.notifier.Replace(c.receivers, c.stopTimeout)
	} else {
		o.notifier = c.notifier
	}
	was := o.privacy
	o.writers, o.privacy = c.terms.writers, c.masks
	if o.shown != nil {
		o.shown.Store(c.masks.web)
	}
	if !alike(was.web, c.masks.web) {
		o.forgetShown()
	}
	o.listFiring()
	o.sinks.adopt(c.sinks, c.stopTimeout)
	o.stopTimeout.Store(int64(c.stopTimeout))
}

func namesOf(list []notify.Subscription) (names []string) {
	for _, s := range list {
		names = append(names, s.Receiver.Name())
	}
	return names
}

// adoptRules lets rules that did not change go on with their windows and alerts.
// Alerts of those that did, or are gone, are kept until their window has passed
// without, and then resolved to whoever heard of them.
func (o *outputs) adoptRules(c *change) {
	var state bytes.Buffer
	firing := o.firing()
	for i := range firing { // the new rules tell what of it they took over
		o.metrics.AlertsFiring(firing[i].Rule, firing[i].Severity, 0)
	}
	o.metrics.SetRules(c.rules)
	for _, r := range c.rules {
		o.metrics.AlertsFiring(r.Name, r.Severity, 0)
	}
	err := o.engine.Save(&state)
	if err == nil {
		err = c.engine.Restore(&state)
	}
	if err != nil {
		o.log.Error("the state of the rules was not carried over the reload: windows begin anew", "err", err)
	}
	c.engine.Adopt(firing)
	o.engine = c.engine
}

// firing are the alerts that someone was told of and that are not over.
func (o *outputs) firing() []alerts.Alert {
	if o.notifier != nil {
		return o.notifier.Active()
	}
	judged, adopted := o.engine.Firing()
	for i := range judged {
		judged[i] = shownTo(o.privacy.receivers, judged[i])
	}
	return append(judged, adopted...)
}

// listFiring lists anew what fires, as it may be shown from now on and by the names
// under which its end will be told.
func (o *outputs) listFiring() {
	if o.active == nil {
		return
	}
	judged, adopted := o.engine.Firing()
	for i := range judged {
		judged[i] = shownTo(o.privacy.web, judged[i])
	}
	for i := range adopted {
		judged = append(judged, o.privacy.resumed(adopted[i]))
	}
	o.active.replace(judged)
}

// forgetShown has the page and the lists of the busiest begin anew: what they hold was
// shown under other terms, and would be seen for hours.
func (o *outputs) forgetShown() {
	if o.page != nil {
		o.page.Forget()
	}
	if o.top != nil {
		o.top.Forget()
		o.metrics.Top(nil)
	}
}
