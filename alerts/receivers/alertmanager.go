package receivers

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/prometheus/common/model"

	"github.com/mailtap/mailtap/alerts"
	"github.com/mailtap/mailtap/alerts/notify"
)

// maxMissed bounds what is kept for an instance that is away while another one
// takes alerts.
const maxMissed = 1000

// awayTime is what an instance that did not answer last time gets: the others
// must not wait for it.
const awayTime = 2 * time.Second

// freshFor is how long a firing alert lives at least after it was handed over:
// one that comes late, or from an old capture, would be over before it is told.
const freshFor = 5 * time.Minute

// AlertmanagerOptions configure Alertmanagers that share their work. One of
// Instances is needed.
type AlertmanagerOptions struct {
	Name        string            // for metrics and errors; default alertmanager
	Instances   []HTTP            // URL is the root, what stands before /api/v2/alerts
	ExternalURL string            // of this program's page: generatorURL
	Sensor      string            // the labels sensor and instance
	Clock       notify.Clock      // nil: the wall clock
	Trouble     func(what string) // told when an instance goes away although another one took the alerts; nil: nobody
}

// Alertmanager posts alerts to API v2 of each of several Alertmanagers, as
// Prometheus does: they tell each other what they sent to people, but not of
// which alerts they know. An alert is delivered where one took it; what another
// one missed is sent to it with the alerts that come next.
type Alertmanager struct {
	options   AlertmanagerOptions
	instances []*instance
}

// instance is one Alertmanager.
type instance struct {
	*poster
	missed []model.Alert // the last word about each alert, oldest first
	away   bool
}

// NewAlertmanager checks the options.
func NewAlertmanager(o AlertmanagerOptions) (*Alertmanager, error) {
	o.Name = cmp.Or(o.Name, "alertmanager")
	if o.Clock == nil {
		o.Clock = notify.WallClock{}
	}
	if len(o.Instances) == 0 {
		return nil, fmt.Errorf("receiver %s: has no instance", o.Name)
	}
	a := &Alertmanager{options: o}
	for _, to := range o.Instances {
		to.URL = strings.TrimSuffix(to.URL, "/") + "/api/v2/alerts"
		to.Clock = o.Clock
		p, err := newPoster(o.Name, to)
		if err != nil {
			return nil, err
		}
		a.instances = append(a.instances, &instance{poster: p})
	}
	return a, nil
}

// Name implements Receiver.
func (m *Alertmanager) Name() string { return m.options.Name }

// Answer says how many instances took the last Send.
func (m *Alertmanager) Answer() string {
	took := 0
	for _, i := range m.instances {
		if !i.away {
			took++
		}
	}
	return fmt.Sprintf("%d of %d instances took it", took, len(m.instances))
}

// Send implements Receiver.
func (m *Alertmanager) Send(ctx context.Context, batch []alerts.Alert) error {
	var list []model.Alert
	for i := range batch {
		list = append(list, m.forms(&batch[i])...)
	}
	failures := make([]error, len(m.instances))
	var all sync.WaitGroup
	for n, i := range m.instances {
		all.Go(func() { failures[n] = i.send(ctx, list) })
	}
	all.Wait()
	took := 0
	for n, i := range m.instances {
		if failures[n] == nil {
			took++
		}
		if failures[n] != nil && !i.away && m.options.Trouble != nil && len(m.instances) > 1 {
			m.options.Trouble(fmt.Sprintf("an Alertmanager takes no alerts: %v", failures[n]))
		}
		i.away = failures[n] != nil
	}
	if took == 0 {
		return together(failures)
	}
	for n, i := range m.instances {
		if failures[n] != nil {
			i.remember(list)
		}
	}
	return nil
}

// together is one error of all instances': final where none may change its mind.
func together(failures []error) error {
	out := &notify.Error{Final: true}
	var words []string
	for _, err := range failures {
		words = append(words, err.Error())
		var how *notify.Error
		if errors.As(err, &how) {
			out.Final = out.Final && how.Final
			if how.After > 0 && (out.After == 0 || how.After < out.After) {
				out.After = how.After
			}
		} else {
			out.Final = false
		}
	}
	out.What = strings.Join(words, "; ")
	return out
}

// send posts what was missed and what is new.
func (i *instance) send(ctx context.Context, list []model.Alert) error {
	missed := i.missed
	i.remember(list)
	all := i.missed
	i.missed = missed
	body, err := json.Marshal(all)
	if err != nil {
		return &notify.Error{What: i.target + ": " + err.Error(), Final: true}
	}
	if i.away {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, awayTime)
		defer cancel()
	}
	err = i.post(ctx, body, nil)
	var how *notify.Error
	if err == nil || errors.As(err, &how) && how.Final {
		i.missed = nil // what was refused would be refused again, and what comes with it
	}
	return err
}

// remember keeps the last word about each alert for a bounded number of them.
func (i *instance) remember(list []model.Alert) {
	known := make(map[model.Fingerprint]bool, len(list))
	for n := range list {
		known[list[n].Fingerprint()] = true
	}
	var kept []model.Alert
	for n := range i.missed {
		if !known[i.missed[n].Fingerprint()] {
			kept = append(kept, i.missed[n])
		}
	}
	kept = append(kept, list...)
	i.missed = kept[max(0, len(kept)-maxMissed):]
}

// forms are what an Alertmanager is told of a notice. The severity is a label
// there, so an alert that became worse is another one: the milder one ends.
func (m *Alertmanager) forms(a *alerts.Alert) []model.Alert {
	out := []model.Alert{m.form(a, a.Severity, a.Status == alerts.Firing)}
	if a.Escalated {
		for _, milder := range alerts.Severities[:max(0, alerts.SeverityRank(a.Severity))] {
			out = append(out, m.form(a, milder, false))
		}
	}
	return out
}

func (m *Alertmanager) form(a *alerts.Alert, severity string, firing bool) model.Alert {
	now := m.options.Clock.Now()
	ends := cmp.Or(a.Until, now.Add(alerts.DefaultRepeatInterval+freshFor))
	if soon := now.Add(freshFor); firing && ends.Before(soon) {
		ends = soon
	}
	if !firing { // never in the future: a sensor whose clock is ahead must end it as well
		ends = cmp.Or(a.Ended, a.Time)
		if ends.After(now) {
			ends = now
		}
	}
	starts := a.Started
	if starts.After(ends) {
		starts = ends
	}
	labels := labelSet(LabelsOf(a, m.options.Sensor))
	labels["severity"] = model.LabelValue(severity)
	notes := labelSet(AnnotationsOf(a))
	notes["fingerprint"] = model.LabelValue(a.Fingerprint)
	return model.Alert{Labels: labels, Annotations: notes, StartsAt: starts, EndsAt: ends, GeneratorURL: m.options.ExternalURL}
}

// labelSet leaves out what is empty, as Alertmanager does.
func labelSet(from map[string]string) model.LabelSet {
	out := make(model.LabelSet, len(from))
	for name, value := range from {
		if value != "" {
			out[model.LabelName(name)] = model.LabelValue(value)
		}
	}
	return out
}
