package report

import (
	"strconv"

	"github.com/mailtap/mailtap/alerts"
	"github.com/mailtap/mailtap/sessions"
)

// maxAlerts is how many alerts are kept to be shown; all are counted.
const maxAlerts = 50

// Report gathers numbers. Its zero value is ready.
type Report struct {
	ends, roles       tally
	partial, evicted  int
	lost              sessions.Sides // octets
	opaque            int            // sessions whose TLS was not opened
	mails             [5]int         // by result
	kinds             map[mailKind]*[5]int
	accepted, refused int // recipients
	octets            int64
	inTLS             int // mails
	times             timeline
	servers           servers
	refusals          refusals
	logins, mechanism tally
	wrong             int // logins refused for their credentials
	users             tally
	exposed           tally
	tls, versions     tally
	certificates      tally
	files             int
	dangerous         int
	dangers           tally
	anomalies         tally
	rules             map[string]*Rule
	alerts            []Alert
	alertTotal        int
}

// mailKind is a role and a direction; there are few.
type mailKind struct{ role, direction string }

// maxKinds bounds them all the same: roles come from configuration.
const maxKinds = 100

// results in the order of Mails.
var results = [5]string{sessions.MailAccepted, sessions.MailDeferred, sessions.MailRejected, sessions.MailAborted, sessions.MailUnknown}

func resultIndex(result string) int {
	for i, r := range results {
		if r == result {
			return i
		}
	}
	return len(results) - 1
}

// Wants says whether an event tells the report anything. It may be asked from
// several goroutines at once.
func (r *Report) Wants(e sessions.Event) bool {
	switch e := e.(type) {
	case *sessions.Opened, *sessions.Attempt:
		return false
	case *sessions.Greeted:
		return e.Banner.Code >= 400
	}
	return true
}

// Handle implements sessions.Handler.
func (r *Report) Handle(e sessions.Event) {
	switch e := e.(type) {
	case *sessions.Replied:
		r.reply(e)
	case *sessions.MailDone:
		r.mail(e)
	case *sessions.Closed:
		r.closed(e)
	case *sessions.Authenticated:
		r.login(e)
	case *sessions.Secured:
		r.secured(&e.TLS)
	case *sessions.Anomaly:
		r.anomalies.add(e.Kind, 1)
	case *sessions.Greeted:
		if r.Wants(e) {
			r.refusals.add("banner", e.Banner.Code, "", e.Banner.Text)
		}
	}
}

func (r *Report) reply(e *sessions.Replied) {
	if e.Delay >= 0 && e.Verb != "" {
		r.servers.add(e.Conn.Server, e.Conn.ServerName, e.Delay)
	}
	if countsAsRefusal(e) {
		r.refusals.add(e.Verb, e.Code, e.Enhanced, e.Text)
	}
}

func (r *Report) mail(e *sessions.MailDone) {
	m, i := e.Mail, resultIndex(e.Mail.Result)
	r.mails[i]++
	key := mailKind{e.Conn.Role, e.Conn.Direction}
	k := r.kinds[key]
	if k == nil {
		if r.kinds == nil {
			r.kinds = make(map[mailKind]*[5]int)
		}
		if len(r.kinds) >= maxKinds {
			key = mailKind{"other", ""}
		}
		if k = r.kinds[key]; k == nil {
			k = new([5]int)
			r.kinds[key] = k
		}
	}
	k[i]++
	r.times.at(e.Time.Unix()).mail(m.Result)
	r.accepted += len(m.To)
	r.refused += len(m.Rejected)
	r.octets += max(m.Size, 0)
	if m.Encrypted {
		r.inTLS++
	}
	r.files += len(m.Attachments)
	for i := range m.Attachments {
		if a := &m.Attachments[i]; len(a.Danger) > 0 {
			r.dangerous++
			r.dangers.add(a.Danger[0].Kind, 1)
		}
	}
}

func (r *Report) closed(e *sessions.Closed) {
	s := e.Session
	r.ends.add(s.End, 1)
	r.roles.add(e.Conn.Role, 1)
	r.times.at(e.Time.Unix()).Sessions++
	r.lost.Client += s.Lost.Client
	r.lost.Server += s.Lost.Server
	if s.Partial {
		r.partial++
	}
	if s.End == sessions.EndEvicted {
		r.evicted++
	}
	if s.TLS.Established && !s.TLS.Decrypted {
		r.opaque++
	}
}

func (r *Report) login(e *sessions.Authenticated) {
	a := &e.Auth
	r.logins.add(a.Result, 1)
	r.mechanism.add(a.Mechanism, 1)
	if a.Username != "" {
		r.users.add(a.Username, 1)
	}
	if a.Denied {
		r.wrong++
	}
	if a.Result == sessions.AuthFailure {
		r.times.at(e.Time.Unix()).FailedLogins++
	}
	if a.SecretExposed {
		r.exposed.add(e.Conn.Server.String(), 1)
	}
}

func (r *Report) secured(t *sessions.TLS) {
	r.tls.add(t.Outcome, 1)
	if t.Version != "" {
		r.versions.add(t.Version, 1)
	}
	if c := t.Certificate; c != nil {
		for _, p := range c.Problems {
			r.certificates.add(p, 1)
		}
	}
}

// Alert implements alerts.Sink: each alert counts once.
func (r *Report) Alert(a alerts.Alert) {
	if a.Status != alerts.Firing || a.Repeat > 0 {
		return
	}
	r.alertTotal++
	r.rule(&a)
	if len(r.alerts) < maxAlerts {
		r.alerts = append(r.alerts, Alert{Time: a.Time.UTC(), Rule: a.Rule, Severity: a.Severity, Summary: a.Summary})
	}
}

// rule counts an alert to its rule, of which there are as many as were
// configured.
func (r *Report) rule(a *alerts.Alert) {
	v := r.rules[a.Rule]
	if v == nil {
		if r.rules == nil {
			r.rules = make(map[string]*Rule)
		}
		v = &Rule{Name: a.Rule, First: a.Time.UTC(), Runbook: a.Runbook}
		r.rules[a.Rule] = v
	}
	v.N++
	v.Last = a.Time.UTC()
	if weight(a.Severity) > weight(v.Severity) {
		v.Severity, v.Summary = a.Severity, a.Summary
	}
}

// weight orders severities: critical, warning, info.
func weight(severity string) int {
	switch severity {
	case alerts.Critical:
		return 3
	case alerts.Warning:
		return 2
	case "":
		return 0
	}
	return 1
}

func plural(n int, one string) string {
	if n == 1 {
		return "1 " + one
	}
	return strconv.Itoa(n) + " " + one + "s"
}
