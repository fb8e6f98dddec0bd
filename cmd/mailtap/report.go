package main

import (
	"cmp"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"text/tabwriter"
	"time"
	"unicode"

	"github.com/mailtap/mailtap/alerts"
	"github.com/mailtap/mailtap/sessions"
)

// maxNames bounds what a hostile capture can make the report hold: further
// names count as other.
const maxNames = 1000

// tally counts by name.
type tally map[string]int

func (t tally) add(name string) {
	if _, known := t[name]; !known && len(t) >= maxNames {
		name = "other"
	}
	t[name]++
}

func (t tally) total() (n int) {
	for _, v := range t {
		n += v
	}
	return n
}

// ranked lists names, most frequent first.
func (t tally) ranked() []string {
	return slices.SortedFunc(maps.Keys(t), func(a, b string) int {
		return cmp.Or(cmp.Compare(t[b], t[a]), cmp.Compare(a, b))
	})
}

// maxShown is how many names one line of the report has.
const maxShown = 8

// String gives "3: 2 accepted, 1 refused".
func (t tally) String() string {
	if len(t) == 0 {
		return "none"
	}
	var parts []string
	for i, name := range t.ranked() {
		if i == maxShown {
			parts = append(parts, fmt.Sprintf("and %d more names", len(t)-maxShown))
			break
		}
		parts = append(parts, fmt.Sprintf("%d %s", t[name], printable(name)))
	}
	return fmt.Sprintf("%d: %s", t.total(), strings.Join(parts, ", "))
}

// report gathers what a reader of a capture wants to know first.
type report struct {
	first, last                  int64 // packet times
	packets                      uint64
	ends, mails, logins, exposed tally
	tls, anomalies, alertCounts  tally
	partial                      int
	alerts                       []alerts.Alert
}

// maxAlerts is how many alerts the report shows; all are counted.
const maxAlerts = 50

func newReport() *report {
	return &report{
		ends: tally{}, mails: tally{}, logins: tally{}, exposed: tally{},
		tls: tally{}, anomalies: tally{}, alertCounts: tally{},
	}
}

func (r *report) packet(at int64) {
	if r.packets == 0 || at < r.first {
		r.first = at
	}
	r.last = max(r.last, at)
	r.packets++
}

// Handle implements sessions.Handler.
func (r *report) Handle(e sessions.Event) {
	switch e := e.(type) {
	case *sessions.Closed:
		r.ends.add(e.Session.End)
		if e.Session.Partial {
			r.partial++
		}
	case *sessions.MailDone:
		r.mails.add(e.Mail.Result)
	case *sessions.Authenticated:
		r.logins.add(e.Auth.Result)
		if e.Auth.SecretExposed {
			r.exposed.add(e.Conn.Server.String())
		}
	case *sessions.Secured:
		if e.TLS.Mode != sessions.TLSNone {
			r.tls.add(e.TLS.Outcome)
		}
	case *sessions.Anomaly:
		r.anomalies.add(e.Kind)
	}
}

// Alert implements alerts.Sink.
func (r *report) Alert(a alerts.Alert) {
	if a.Status != alerts.Firing || a.Repeat > 0 {
		return
	}
	r.alertCounts.add(a.Rule)
	if len(r.alerts) < maxAlerts {
		r.alerts = append(r.alerts, a)
	}
}

// print writes the report; ignored is what the packet decoder left out, by reason.
func (r *report) print(to io.Writer, ignored tally, unread []error) error {
	w := tabwriter.NewWriter(to, 0, 0, 2, ' ', 0)
	fmt.Fprintf(w, "capture\t%s\n", r.span())
	fmt.Fprintf(w, "sessions\t%v\n", r.ends)
	fmt.Fprintf(w, "mails\t%v\n", r.mails)
	fmt.Fprintf(w, "logins\t%v\n", r.logins)
	fmt.Fprintf(w, "secrets in clear\t%v\n", r.exposed)
	fmt.Fprintf(w, "TLS\t%v\n", r.tls)
	fmt.Fprintf(w, "alerts\t%v\n", r.alertCounts)
	fmt.Fprintf(w, "partial sessions\t%d\n", r.partial)
	fmt.Fprintf(w, "packets left out\t%v\n", ignored)
	for _, err := range unread {
		fmt.Fprintf(w, "not read\t%v\n", err)
	}
	if err := w.Flush(); err != nil {
		return err
	}
	if err := r.printAlerts(to); err != nil {
		return err
	}
	return r.printAnomalies(to)
}

func (r *report) span() string {
	if r.packets == 0 {
		return "no packets"
	}
	from, to := time.Unix(0, r.first).UTC(), time.Unix(0, r.last).UTC()
	return fmt.Sprintf("%d packets, %s to %s UTC (%s)", r.packets,
		from.Format(time.DateTime), to.Format(time.DateTime), to.Sub(from).Round(time.Millisecond))
}

func (r *report) printAlerts(to io.Writer) error {
	if len(r.alerts) == 0 {
		return nil
	}
	w := tabwriter.NewWriter(to, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "\nalerts")
	for _, a := range r.alerts {
		fmt.Fprintf(w, "  %s\t%s\t%s\t%s\n", a.Time.UTC().Format(time.TimeOnly), a.Severity, a.Rule, printable(a.Summary))
	}
	if more := r.alertCounts.total() - len(r.alerts); more > 0 {
		fmt.Fprintf(w, "  and %d more\n", more)
	}
	return w.Flush()
}

func (r *report) printAnomalies(to io.Writer) error {
	if len(r.anomalies) == 0 {
		return nil
	}
	meaning := make(map[string]string)
	for _, k := range sessions.AnomalyTable {
		meaning[k.Name] = k.Meaning
	}
	w := tabwriter.NewWriter(to, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "\nanomalies")
	for _, name := range r.anomalies.ranked() {
		fmt.Fprintf(w, "  %d\t%s\t%s\n", r.anomalies[name], printable(name), meaning[name])
	}
	return w.Flush()
}

// printable keeps a client's octets from driving the reader's terminal.
func printable(s string) string {
	return strings.Map(func(c rune) rune {
		if !unicode.IsPrint(c) {
			return '?'
		}
		return c
	}, s)
}
