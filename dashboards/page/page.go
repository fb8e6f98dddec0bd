// Package page is the live page: what is on the wire now, in a browser. It owns
// what the page shows (rates of the last hour, top talkers, the last sessions as
// ladders), its JSON under /api/v1/, the stream of updates, and the page itself,
// embedded with all that it needs. cmd/mailtap gives it events in packet order,
// packet time, and a call a second to publish, and serves it. It never writes a
// file, asks no other host for anything, and never waits for a browser: its state
// stands behind a mutex that is held for microseconds, and a browser that reads
// too slowly is dropped.
//
// Everything is bounded by Options, and so is its cost: connections above
// Options.Rate a second of packet time are counted, but only one of 2, 4, 8… of
// them is followed step by step.
package page

import (
	"cmp"
	"sync"
	"sync/atomic"
	"time"

	"github.com/mailtap/mailtap/sessions"
)

// Options says what the page shows, and bounds it. The zero value works.
type Options struct {
	Sensor, Version string
	Roles           []string                            // of connections; any other counts as "other"
	Show            func(sessions.Event) sessions.Event // an event as the page may show it, of the same connection; nil: as it is
	Firing          func() []Alert                      // what fires now, most severe first; nil: nothing ever does

	Sessions int // last ones that are kept; default 500
	Steps    int // of a ladder; default 200
	Octets   int // of all ladders, about; default 16 MiB
	Open     int // connections followed at once; default 2,000
	Rate     int // connections a second that are followed; default 100
	Talkers  int // counters of a table of talkers; default 200
	Streams  int // browsers that get updates at once; default 64
}

func (o Options) withDefaults() Options {
	if o.Show == nil {
		o.Show = func(e sessions.Event) sessions.Event { return e }
	}
	if o.Firing == nil {
		o.Firing = func() []Alert { return nil }
	}
	o.Sessions, o.Steps, o.Octets = cmp.Or(o.Sessions, 500), cmp.Or(o.Steps, 200), cmp.Or(o.Octets, 16<<20)
	o.Open, o.Rate = cmp.Or(o.Open, 2000), cmp.Or(o.Rate, 100)
	o.Talkers, o.Streams = cmp.Or(o.Talkers, 200), cmp.Or(o.Streams, 64)
	return o
}

// Alert is an alert that fires, as the page shows it.
type Alert struct {
	Rule     string    `json:"rule"`
	Severity string    `json:"severity"` // info, warning, critical
	Key      string    `json:"key"`      // the group, e.g. the client's address
	Summary  string    `json:"summary"`
	Started  time.Time `json:"started"`
	Sessions []string  `json:"sessions,omitempty"`
}

// Page is the state of one live page. Wants may be called by several goroutines at
// once, Handle and Advance by one at a time; the rest by anyone.
type Page struct {
	options Options
	assets  map[string]asset
	streams streams
	mask    atomic.Uint32 // which connections are followed: those whose hash has none of these bits

	published uint64 // number of the newest session that was; of Publish alone

	mu       sync.Mutex // of all below
	now      time.Time  // packet time
	rates    rates
	talkers  talkers
	follower follower
}

// New makes a page.
func New(o Options) *Page {
	o = o.withDefaults()
	p := &Page{options: o, assets: readAssets(), rates: newRates(o.Roles), talkers: newTalkers(o.Talkers), follower: newFollower(o)}
	p.streams.init(o.Streams)
	return p
}

// Wants says whether the page needs an event beside those that end something. It
// takes no lock.
func (p *Page) Wants(e sessions.Event) bool {
	if a, ok := e.(*sessions.Attempt); ok && a.Result != "established" {
		return false // its end tells the same, and a flood of them is not to be told twice
	}
	return chosen(e.Of(), p.mask.Load())
}

// chosen says whether a connection is among those that are followed: by the
// nanosecond of its first packet, which no peer can choose. It is asked of every
// event, and the id would be one more piece of memory to wait for.
func chosen(c *sessions.Conn, mask uint32) bool {
	if mask == 0 {
		return true
	}
	const golden = 0x9e3779b97f4a7c15 // 2^64 by the golden ratio spreads near numbers (Knuth, 6.4)
	h := (uint64(c.Start.UnixNano()) + uint64(c.Client.Port())) * golden
	return uint32(h>>48)&mask == 0
}

// maxMask is the widest mask: chosen looks at 16 bits.
const maxMask = 1<<16 - 1

// Handle takes an event. Those that nobody wanted may be given too.
func (p *Page) Handle(e sessions.Event) {
	mask := p.mask.Load()
	counted := p.rates.counts(e)
	if !counted && !p.Wants(e) {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if counted {
		p.rates.count(e)
	}
	if !chosen(e.Of(), mask) {
		return
	}
	shown := p.options.Show(e)
	p.talkers.count(shown, int(mask)+1)
	if p.follower.take(e, shown, mask) > p.options.Rate {
		p.sample(min(mask<<1|1, maxMask))
	}
}

// Forget drops what is shown of connections, open ones too: it was shown under other
// terms than those that hold from now on.
func (p *Page) Forget() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.talkers = newTalkers(p.options.Talkers)
	p.follower.forgetAll()
}

// sample changes which connections are followed. What is open and not among them
// any more is given up.
func (p *Page) sample(mask uint32) {
	p.mask.Store(mask)
	p.follower.keep(mask)
}

// Advance says that packet time has come to now. It is called about once a second.
func (p *Page) Advance(now time.Time) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.now = now
	p.rates.advance(now)
	p.talkers.advance(now)
	if mask := p.mask.Load(); p.follower.second() < p.options.Rate/4 && mask != 0 {
		p.sample(mask >> 1)
	}
}
