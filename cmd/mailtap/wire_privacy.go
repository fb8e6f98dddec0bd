package main

import (
	"slices"
	"sync/atomic"

	"github.com/mailtap/mailtap/alerts"
	"github.com/mailtap/mailtap/sessions"
	recordlog "github.com/mailtap/mailtap/sessions/log"
	"github.com/mailtap/mailtap/sessions/privacy"
)

// masks stand before the outputs beside the sinks. One that is nil hides nothing.
// All are of the goroutine of the events.
type masks struct {
	report, top, web, receivers *privacy.Mask
}

// keyring holds the keys of pseudonyms.
type keyring struct {
	key     privacy.Key
	earlier privacy.Key // empty: there is none
}

// keyring reads the keys. Without a file, ids of sessions are hidden by a key that
// nobody has and that ends with the process.
func (c *Config) keyring() (k keyring, err error) {
	if c.Privacy.KeyFile == "" {
		return keyring{key: privacy.NewKey()}, nil
	}
	if k.key, err = readKey(c.Privacy.KeyFile); err != nil {
		return k, configError{{key: "privacy.key_file", where: "configuration", what: err.Error()}}
	}
	if c.Privacy.PreviousKeyFile != "" {
		if k.earlier, err = readKey(c.Privacy.PreviousKeyFile); err != nil {
			return k, configError{{key: "privacy.previous_key_file", where: "configuration", what: err.Error()}}
		}
	}
	return k, nil
}

// keysAfter are the keys after a reload. Without a file they stay what they were: so do
// ids of sessions.
func (c *Config) keysAfter(was *Config, keys keyring) (keyring, error) {
	if c.Privacy.KeyFile == "" && was.Privacy.KeyFile == "" {
		return keys, nil
	}
	return c.keyring()
}

func (k keyring) mask(s privacy.Settings) *privacy.Mask { return privacy.New(s, k.key) }

// masks are those of all outputs but the sinks.
func (w wiring) masks() masks {
	p := &w.cfg.Privacy
	web := p.settings(w.cfg.Web.Privacy)
	return masks{
		report: w.keys.mask(p.settings(nil)), top: w.keys.mask(web), web: w.keys.mask(web),
		receivers: w.keys.mask(p.settings(w.cfg.Alerts.Privacy)),
	}
}

// alike says whether two masks show the same values in the same words.
func alike(a, b *privacy.Mask) bool {
	return a.Name() == b.Name() && a.Fingerprint("") == b.Fingerprint("")
}

// maskRules has the rules write alerts for every output that hides something.
func (w wiring) maskRules(p *masks, writers []recordWriter, options *alerts.Options) {
	list := []*privacy.Mask{p.receivers, p.web, p.report}
	for i := range writers {
		list = append(list, writers[i].mask)
	}
	for _, m := range list {
		if m != nil && !slices.ContainsFunc(options.Masks, func(other alerts.Mask) bool { return other.Name() == m.Name() }) {
			options.Masks = append(options.Masks, m)
		}
	}
	options.Receivers = p.receivers.Name()
	if options.Receivers != "" && w.keys.earlier != nil {
		options.Earlier = privacy.New(w.cfg.Privacy.settings(w.cfg.Alerts.Privacy), w.keys.earlier)
	}
}

// resumed is an alert that receivers knew when the program ended, as the page may
// show it.
func (m *masks) resumed(a alerts.Alert) alerts.Alert {
	out := shownTo(m.web, a)
	if m.web.Name() != m.receivers.Name() {
		out.Fingerprint = m.web.Fingerprint(a.Fingerprint)
	}
	return out
}

// takeEvidence keeps the packets of an alert's sessions. The file's name, which is told
// with the alert, must not give away what is hidden in it.
func (o *outputs) takeEvidence(a alerts.Alert) string {
	all := []*privacy.Mask{o.privacy.receivers, o.privacy.web, o.privacy.report}
	for i := range o.writers {
		all = append(all, o.writers[i].mask)
	}
	for _, m := range all {
		if m != nil {
			a.Fingerprint = m.Fingerprint(a.Fingerprint)
			break
		}
	}
	return o.evidence.Take(&a)
}

// shownTo is an alert as an output with the mask may show it.
func shownTo(m *privacy.Mask, a alerts.Alert) alerts.Alert {
	a = a.Shown(m.Name())
	if m == nil {
		return a
	}
	ids := make([]string, len(a.Sessions))
	for i, id := range a.Sessions {
		ids[i] = m.Session(id)
	}
	a.Sessions = ids
	return a
}

// recordWriter writes the records of the sinks that hide the same.
type recordWriter struct {
	*recordlog.Writer
	options  recordlog.Options
	settings privacy.Settings
	mask     *privacy.Mask // of its alerts
	keys     keyring
}

// encoder makes records for one goroutine.
func (w *recordWriter) encoder() *recordlog.Writer {
	options := w.options
	options.Sinks = nil
	if m := w.keys.mask(w.settings); m != nil {
		options.Mask = m
	}
	made, err := recordlog.NewWriter(options)
	if err != nil {
		panic(err) // the same options made the writer
	}
	return made
}

// encodersOf make records for one goroutine.
func encodersOf(writers []recordWriter) (all []*recordlog.Writer) {
	for i := range writers {
		all = append(all, writers[i].encoder())
	}
	return all
}

// shownMask is the mask of the page, which a reload changes.
type shownMask struct{ atomic.Pointer[privacy.Mask] }

func (c *Config) shown(keys keyring) *shownMask {
	s := &shownMask{}
	s.Store(keys.mask(c.Privacy.settings(c.Web.Privacy)))
	return s
}

// Event is an event as the page may show it.
func (s *shownMask) Event(e sessions.Event) sessions.Event { return s.Load().Event(e) }

// showMask is that of a conversation shown from a capture. Without a key file ids
// stay, so that one run of the program finds what another one listed.
func (c *Config) showMask() (*privacy.Mask, error) {
	keys := keyring{}
	if c.Privacy.KeyFile != "" {
		var err error
		if keys, err = c.keyring(); err != nil {
			return nil, err
		}
	}
	return keys.mask(c.Privacy.settings(nil)), nil
}

// masked is a follower who sees what may be shown.
type masked struct {
	follower
	mask *privacy.Mask
}

// Wants implements follower: under a mask it cannot tell which connection is asked
// for.
func (m masked) Wants(sessions.Event) bool { return true }

// Handle implements follower.
func (m masked) Handle(e sessions.Event) { m.follower.Handle(m.mask.Event(e)) }
