package page

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"github.com/mailtap/mailtap/sessions"
	"github.com/mailtap/mailtap/sessions/ladder"
)

// talkers are the tables of who is seen most.
type talkers struct {
	counters int
	since    time.Time
	now      [numTables]heavy
	before   [numTables]heavy
}

// Tables.
const (
	tClients = iota
	tSenders
	tRecipients
	tLogins
	numTables
)

var tableNames = [numTables]string{"clients", "sender_domains", "recipient_domains", "logins"}

// talkTime is how long a generation of the tables lasts: what is shown is this one
// and the one before it.
const talkTime = 30 * time.Minute

func newTalkers(counters int) talkers { return talkers{counters: counters} }

func (t *talkers) advance(now time.Time) {
	switch passed := now.Sub(t.since); {
	case passed < 0, passed > 2*talkTime:
		t.before = [numTables]heavy{}
		t.now = [numTables]heavy{}
		t.since = now
	case passed > talkTime:
		t.before, t.now = t.now, [numTables]heavy{}
		t.since = now
	}
}

// count takes what an event says of who talks. It stands for as many connections
// as weight says.
func (t *talkers) count(e sessions.Event, weight int) {
	switch e := e.(type) {
	case *sessions.Closed:
		bad := 0
		switch e.Session.End {
		case sessions.EndRefused, sessions.EndUnanswered:
			bad = weight
		}
		client := e.Conn.Client.Addr()
		if o := e.Behind(); o != nil {
			client = o.Client.Addr()
		}
		t.add(tClients, client.String(), weight, bad)
	case *sessions.MailDone:
		t.mail(e.Mail, weight)
	case *sessions.Authenticated:
		bad := 0
		if e.Auth.Denied {
			bad = weight
		}
		t.add(tLogins, strings.ToLower(e.Auth.Username), weight, bad)
	}
}

// maxCounted bounds the recipients of one mail that are counted.
const maxCounted = 100

func (t *talkers) mail(m *sessions.Mail, weight int) {
	bad := 0
	if o := outcome(m); o == sessions.MailRejected || o == sessions.MailDeferred {
		bad = weight
	}
	if m.FromKnown {
		t.add(tSenders, cmp.Or(domainOf(m.From), "<>"), weight, bad)
	}
	for _, to := range m.To[:min(len(m.To), maxCounted)] {
		t.add(tRecipients, domainOf(to), weight, bad)
	}
	for i := range m.Rejected[:min(len(m.Rejected), maxCounted)] {
		t.add(tRecipients, domainOf(m.Rejected[i].To), weight, weight)
	}
}

func domainOf(address string) string {
	return strings.ToLower(strings.TrimSuffix(address[strings.LastIndexByte(address, '@')+1:], "."))
}

// maxName bounds a name in a table, in octets.
const maxName = 120

func (t *talkers) add(table int, name string, n, bad int) {
	if name == "" {
		return
	}
	t.now[table].add(t.counters, ladder.Clean(name, maxName), n, bad)
}

// talker is a name and how often it was seen.
type talker struct {
	Name  string `json:"name"`
	Count int    `json:"count"`
	Bad   int    `json:"bad"`             // of them refused, deferred, failed
	Above int    `json:"above,omitempty"` // by how much count may be too high
}

// heavy counts the most frequent names in bounded memory: Space-Saving (Metwally,
// Agrawal, El Abbadi, 2005). A name that finds no room takes the place of the
// rarest, with its count; what is seen more often than all by counters is there.
type heavy struct {
	list []talker
	at   map[string]int
}

func (h *heavy) add(counters int, name string, n, bad int) {
	if h.at == nil {
		h.at = make(map[string]int)
	}
	i, known := h.at[name]
	switch {
	case known:
	case len(h.list) < counters:
		i = len(h.list)
		h.list = append(h.list, talker{Name: name})
		h.at[name] = i
	default:
		i = h.rarest()
		delete(h.at, h.list[i].Name)
		h.at[name] = i
		h.list[i] = talker{Name: name, Count: h.list[i].Count, Above: h.list[i].Count}
	}
	h.list[i].Count += n
	h.list[i].Bad += bad
}

func (h *heavy) rarest() int {
	least := 0
	for i := range h.list {
		if h.list[i].Count < h.list[least].Count {
			least = i
		}
	}
	return least
}

// top lists the first n names of all tables.
func (t *talkers) top(n int) map[string][]talker {
	out := make(map[string][]talker, numTables)
	for i, name := range tableNames {
		list := slices.Clone(t.now[i].list)
		for _, b := range t.before[i].list {
			if at, ok := t.now[i].at[b.Name]; ok {
				list[at].Count += b.Count
				list[at].Bad += b.Bad
				list[at].Above += b.Above
			} else {
				list = append(list, b)
			}
		}
		slices.SortFunc(list, func(a, b talker) int { return cmp.Or(cmp.Compare(b.Count, a.Count), cmp.Compare(a.Name, b.Name)) })
		out[name] = list[:min(len(list), n):min(len(list), n)]
		if out[name] == nil {
			out[name] = []talker{}
		}
	}
	return out
}
