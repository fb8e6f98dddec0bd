// Package top finds who sends and gets the most mail: the only place where
// metrics may name a domain or an address, and so off unless a site asks for it. It
// owns the lists, each with a bounded number of counters. cmd/mailtap gives it the
// finished mails of all connections in the order of the packets, and has package
// metrics show the lists of the last whole window. It reads no clock and keeps
// nothing longer than two windows.
package top

import (
	"strings"
	"time"

	"github.com/mailtap/mailtap/sessions"
)

// Options of Lists: how many names each of them has; 0: there is no such list.
type Options struct {
	SenderDomains, RecipientDomains, Clients int
	Window                                   time.Duration // of packet time; default 5 min
}

// DefaultWindow is over what lists are counted.
const DefaultWindow = 5 * time.Minute

// MaxNames is how many names a list may have.
const MaxNames = 100

// countersEach is how many counters there are for each name of a list: the more, the
// surer are the counts.
const countersEach = 20

// Names of lists.
const (
	SenderDomain    = "sender_domain"
	RecipientDomain = "recipient_domain"
	Client          = "client"
)

// nullSender stands for the domain of a mail without a sender: a notification.
const nullSender = "<>"

// Entry is one name of a list, with how many mails were its own at least.
type Entry struct {
	List, Name string
	Mails      uint64
}

// Lists counts mails by their domains and clients. One goroutine at a time may use
// it.
type Lists struct {
	window                       time.Duration
	ends                         time.Time
	senders, recipients, clients *list
}

type list struct {
	name   string
	most   int
	sketch *sketch
}

// New makes empty Lists, nil where no list is wanted.
func New(o Options) *Lists {
	l := &Lists{window: o.Window}
	if l.window <= 0 {
		l.window = DefaultWindow
	}
	l.senders = newList(SenderDomain, o.SenderDomains)
	l.recipients = newList(RecipientDomain, o.RecipientDomains)
	l.clients = newList(Client, o.Clients)
	if l.senders == nil && l.recipients == nil && l.clients == nil {
		return nil
	}
	return l
}

func newList(name string, most int) *list {
	if most = min(most, MaxNames); most <= 0 {
		return nil
	}
	return &list{name, most, newSketch(most * countersEach)}
}

// Handle implements sessions.Handler: it takes finished mails and nothing else.
func (l *Lists) Handle(e sessions.Event) {
	done, ok := e.(*sessions.MailDone)
	if !ok {
		return
	}
	if l.senders != nil && done.Mail.FromKnown {
		l.senders.add(domainOf(done.Mail.From, nullSender))
	}
	if l.recipients != nil {
		l.recipients.domains(done.Mail)
	}
	if l.clients != nil {
		client := done.Conn.Client.Addr()
		if done.Origin != nil && done.Origin.Client.IsValid() {
			client = done.Origin.Client.Addr()
		}
		l.clients.add(client.String())
	}
}

// domains counts a mail once for each run of recipients of the same domain.
func (l *list) domains(m *sessions.Mail) {
	last := ""
	for _, to := range m.To {
		if domain := domainOf(to, ""); domain != last {
			l.add(domain)
			last = domain
		}
	}
}

func (l *list) add(name string) {
	if name != "" {
		l.sketch.add(name)
	}
}

// maxDomain is the longest domain that there is (RFC 1035, 2.3.4).
const maxDomain = 255

// domainOf is an address's domain as a label may show it: in lower case, valid UTF-8.
func domainOf(address, null string) string {
	if address == "" {
		return null
	}
	i := strings.LastIndexByte(address, '@')
	if i < 0 || len(address)-i-1 > maxDomain {
		return ""
	}
	return strings.ToLower(strings.ToValidUTF8(address[i+1:], "?"))
}

// Advance says that packet time has come to now. At the end of a window it returns
// the lists of that window, and the next begins.
func (l *Lists) Advance(now time.Time) (entries []Entry, ended bool) {
	if l.ends.IsZero() || now.Before(l.ends.Add(-2*l.window)) { // the beginning, or the clock was set back
		l.ends = now.Add(l.window)
	}
	if now.Before(l.ends) {
		return nil, false
	}
	l.ends = now.Add(l.window)
	for _, list := range []*list{l.senders, l.recipients, l.clients} {
		if list == nil {
			continue
		}
		for _, c := range list.sketch.most(list.most) {
			entries = append(entries, Entry{list.name, c.name, c.count - c.above})
		}
		list.sketch.reset()
	}
	return entries, true
}

// Forget begins the window anew: its names were shown under other terms.
func (l *Lists) Forget() {
	l.ends = time.Time{}
	for _, list := range []*list{l.senders, l.recipients, l.clients} {
		if list != nil {
			list.sketch.reset()
		}
	}
}
