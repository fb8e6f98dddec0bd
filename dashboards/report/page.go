package report

import (
	"cmp"
	"slices"
	"time"

	"github.com/mailtap/mailtap/sessions"
)

// Input is what the reader knows and no event tells.
type Input struct {
	Files         []string // as they were named
	Packets       uint64
	Octets        uint64 // of the packets, as captured
	First, Last   int64  // packet times, nanoseconds
	Retransmitted uint64 // octets
	LeftOut       []Row  // packets, by reason
	Unread        []string
}

// Page is the report: numbers, and lists that are short.
type Page struct {
	Input
	From, To time.Time // UTC

	Sessions, Ends Counts
	Mails          Counts // by result, in the order of Results
	Kinds          []Kind // by role and direction
	Recipients     struct{ Accepted, Refused int }
	MailOctets     int64 // of content
	MailsInTLS     int

	Start time.Time // of the first slot
	Width time.Duration
	Slots []Slot

	Servers     []Server
	MoreServers int
	Refusals    Refusals

	Logins, Mechanisms, Exposed Counts
	WrongCredentials            int
	Users                       int // user names, as far as they were told apart

	TLS, Versions, Certificates Counts
	Attachments                 Attachments

	Alerts     []Alert // the first of them
	AlertTotal int
	Rules      []Rule
	Anomalies  []Anomaly
	MoreKinds  int // of anomalies

	Partial, Evicted, Opaque int // sessions
	Lost                     sessions.Sides
	Gone                     Counts // packets left out
}

// Attachments are the files in mails.
type Attachments struct {
	N, Dangerous int
	Dangers      Counts // by the first kind of danger of each
}

// Kind is the mails of a role and a direction.
type Kind struct {
	Role, Direction string
	Results         Counts
}

// Unfinished is how many of them had no result: aborted, or unknown.
func (k Kind) Unfinished() int {
	return k.Results.Of(sessions.MailAborted) + k.Results.Of(sessions.MailUnknown)
}

// Alert is one that fired.
type Alert struct {
	Time                    time.Time // UTC
	Rule, Severity, Summary string
}

// Rule is how often a rule fired.
type Rule struct {
	Name, Runbook string
	N             int
	Severity      string // the highest
	Summary       string // of the first alert of that severity
	First, Last   time.Time
}

// Anomaly is a kind of anomaly, and how often it was seen.
type Anomaly struct {
	Name, Meaning string
	N             int
}

// How much of each list a page shows.
const (
	maxRows      = 8
	maxTexts     = 8
	maxBehaviour = 8
)

// Build makes the page of what was gathered.
func (r *Report) Build(in Input) *Page {
	p := &Page{
		Input: in, Sessions: r.roles.top(maxRows), Ends: r.ends.top(maxRows), Mails: countsOf(&r.mails), Kinds: r.kindList(),
		MailOctets: r.octets, MailsInTLS: r.inTLS, Refusals: r.refusals.top(maxTexts),
		Logins: r.logins.top(maxRows), Mechanisms: r.mechanism.top(maxRows), Exposed: r.exposed.top(maxRows),
		WrongCredentials: r.wrong, Users: len(r.users.counts),
		TLS: r.tls.top(maxRows), Versions: r.versions.top(maxRows), Certificates: r.certificates.top(maxRows),
		Alerts: r.alerts, AlertTotal: r.alertTotal, Partial: r.partial, Evicted: r.evicted, Opaque: r.opaque, Lost: r.lost,
		Gone: CountsOf(in.LeftOut),
	}
	if in.Packets > 0 {
		p.From, p.To = time.Unix(0, in.First).UTC(), time.Unix(0, in.Last).UTC()
	}
	p.Recipients.Accepted, p.Recipients.Refused = r.accepted, r.refused
	p.Attachments = Attachments{r.files, r.dangerous, r.dangers.top(maxRows)}
	from, width, list := r.times.shown()
	p.Start, p.Width, p.Slots = time.Unix(from, 0).UTC(), time.Duration(width)*time.Second, list
	p.Servers, p.MoreServers = r.servers.slowest(maxRows)
	p.Rules = r.ruleList()
	p.Anomalies, p.MoreKinds = r.anomalyList()
	return p
}

// countsOf keeps the order of results, and leaves out what did not happen.
func countsOf(counts *[5]int) (c Counts) {
	for i, n := range counts {
		if c.Total += n; n > 0 {
			c.Rows = append(c.Rows, Row{results[i], n})
		}
	}
	return c
}

func (r *Report) kindList() (list []Kind) {
	for k, counts := range r.kinds {
		list = append(list, Kind{k.role, k.direction, countsOf(counts)})
	}
	slices.SortFunc(list, func(a, b Kind) int {
		return cmp.Or(cmp.Compare(b.Results.Total, a.Results.Total), cmp.Compare(a.Role, b.Role), cmp.Compare(a.Direction, b.Direction))
	})
	return list
}

// ruleList has the heaviest rules first.
func (r *Report) ruleList() (list []Rule) {
	for _, v := range r.rules {
		list = append(list, *v)
	}
	slices.SortFunc(list, func(a, b Rule) int {
		return cmp.Or(cmp.Compare(weight(b.Severity), weight(a.Severity)), cmp.Compare(b.N, a.N), cmp.Compare(a.Name, b.Name))
	})
	return list
}

func (r *Report) anomalyList() (list []Anomaly, more int) {
	meanings := make(map[string]string)
	for _, k := range sessions.AnomalyTable {
		meanings[k.Name] = k.Meaning
	}
	counts := r.anomalies.top(maxBehaviour)
	for _, row := range counts.Rows {
		list = append(list, Anomaly{row.Name, meanings[row.Name], row.N})
	}
	return list, counts.More
}

// CountsOf sorts rows, most frequent first.
func CountsOf(rows []Row) Counts {
	var t tally
	for _, r := range rows {
		t.add(r.Name, r.N)
	}
	return t.top(maxRows)
}

// Refused is how many mails were not taken: for now or for good.
func (p *Page) Refused() int {
	return p.Mails.Of(sessions.MailDeferred) + p.Mails.Of(sessions.MailRejected)
}

// Severities counts the alerts by the highest severity of their rule.
func (p *Page) Severities() map[string]int {
	out := make(map[string]int)
	for i := range p.Rules {
		out[p.Rules[i].Severity] += p.Rules[i].N
	}
	return out
}
