package alerts

import (
	"fmt"
	"maps"
	"net/netip"
	"slices"
	"time"

	"github.com/mailtap/mailtap/sessions"
)

// learned is which home addresses were seen to be mail servers, for a site that
// did not name them: those that greeted, or finished a TLS handshake. It is
// written and read by the engine's goroutine alone: what Wants is asked from
// others must not depend on it.
type learned struct {
	servers map[netip.Addr]bool
	max     int
	wait    int64 // packet time until an address can be denied
	since   int64 // of the first event; -1: none came
	now     int64
	full    bool
}

func newLearned(max int, wait int64) *learned {
	return &learned{servers: map[netip.Addr]bool{}, max: max, wait: wait, since: -1}
}

// may holds for a server that answered, and for every address while nothing is
// known: before the first server answered, in the time of learning, and when
// there are more servers than can be remembered.
func (l *learned) may(a netip.Addr) bool {
	return l.servers[a] || len(l.servers) == 0 || l.full || l.now-l.since < l.wait
}

// tick tells the time of learning. A clock that stepped back begins it anew.
func (l *learned) tick(now int64) {
	if l.since < 0 || now < l.since {
		l.since = now
	}
	l.now = now
}

// learn notes the server of an event and says whether it is news.
func (l *learned) learn(a netip.Addr) bool {
	if l.servers[a] || l.full {
		return false
	}
	if len(l.servers) >= l.max {
		l.full = true
		return false
	}
	l.servers[a] = true
	return true
}

// forget begins anew.
func (l *learned) forget() {
	if l != nil {
		*l = *newLearned(l.max, l.wait)
	}
}

// save writes what was learned; nothing where servers are named.
func (l *learned) save(w *encoder) {
	if l == nil {
		l = newLearned(0, 0)
	}
	w.int(l.since)
	w.bool(l.full)
	w.uint(uint64(len(l.servers)))
	for _, a := range slices.SortedFunc(maps.Keys(l.servers), netip.Addr.Compare) {
		w.text(a.String())
	}
}

// restore reads what save wrote, and lets go of it where servers are named now.
func (l *learned) restore(d *decoder) {
	if l == nil {
		l = newLearned(maxLearned, 0)
	}
	l.since, l.full = d.int(), d.bool()
	d.ok(l.since >= -1)
	for range d.count(maxLearned) {
		a, err := netip.ParseAddr(d.text())
		if !d.ok(err == nil) {
			return
		}
		if len(l.servers) < l.max {
			l.servers[a] = true
		}
	}
}

// maxLearned is how many servers a state can tell of.
const maxLearned = 1 << 20

// answers says whether an event shows that a server answers for mail.
func answers(ev sessions.Event) bool {
	switch ev := ev.(type) {
	case *sessions.Greeted:
		return true
	case *sessions.Secured:
		return ev.TLS.Established // also one that speaks TLS from the first octet
	}
	return false
}

// teaches says whether an event may teach which servers are inside. It depends
// on the configuration alone.
func (e *Engine) teaches(ev sessions.Event) bool {
	return e.home.learned != nil && answers(ev) && e.home.hasAddress(ev.Of().Server.Addr())
}

// learn takes what an event teaches, and says once what follows from it.
func (e *Engine) learn(ev sessions.Event) {
	a := ev.Of().Server.Addr().Unmap().WithZone("")
	l := e.home.learned
	if !l.learn(a) {
		return
	}
	if len(l.servers) == 1 {
		e.assume(a, ev.Of().Server.Port())
	}
	if len(l.servers) == l.max {
		e.notice(fmt.Sprintf("%d mail servers are inside, no more are remembered: name them by home.mail_servers", l.max))
	}
}

// assume says what is taken for granted where the site did not tell.
func (e *Engine) assume(a netip.Addr, port uint16) {
	if len(e.options.HomeNetworks) == 0 {
		e.notice(fmt.Sprintf("home.networks is not set: %s answered on port %d, so private addresses are taken for ours", a, port))
	}
	e.notice(fmt.Sprintf("home.mail_servers is not set: %s and whoever else of ours answers on mail ports is taken for a known mail server; "+
		"after %s of watching, others are not", a, short(time.Duration(e.home.learned.wait))))
}

func (e *Engine) notice(text string) {
	if e.options.Notice != nil {
		e.options.Notice(text)
	}
}
