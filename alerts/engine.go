package alerts

import (
	"math/rand/v2"
	"net/netip"
	"strings"
	"time"

	"github.com/expr-lang/expr/vm"

	"github.com/mailtap/mailtap/sessions"
)

// Options of an engine; the zero value works, but gives alerts to nobody and
// knows no home.
type Options struct {
	Sink     Sink     // takes the alerts; nil: nobody
	Observer Observer // is told what metrics show; nil: nobody

	HomeNetworks      []netip.Prefix // what is_home is judged by; none: private address space
	HomeDomains       []string       // what is_home_domain is judged by; subdomains are home too
	MailServers       []netip.Prefix // what is_mail_server is judged by
	Scanners          []netip.Prefix // what is_scanner is judged by
	MonitoredAccounts []string       // what is_monitored is judged by: user, or user@domain

	// LearnServers adds home addresses that answer as mail servers to MailServers.
	// is_mail_server holds for every address until LearnTime has passed.
	LearnServers bool
	LearnTime    time.Duration // packet time; default 1 h
	MaxServers   int           // learned at most; default 4,096; when there are more, is_mail_server denies nobody

	Masks     []Mask // of the outputs: each alert comes as each of them shows it too
	Receivers string // name of the mask of who remembers alerts, and gives them to Adopt; empty: nothing is hidden
	Earlier   Mask   // of receivers, with the key that was theirs before; nil: there is none

	Notice func(string) // takes sentences for the program's log while the engine runs; nil: nobody

	MaxGroups int           // groups that a rule remembers, and as many entries of each trigger's memory; default 100,000
	MaxSkew   time.Duration // an event this much older than the newest sets the clock back; default 5 min
}

// Observer is told what metrics show. It is called by the engine's goroutine.
type Observer interface {
	// Raised counts an alert that began (not its repeats).
	Raised(rule, severity string)
	// FiringNow says how many alerts of a rule and severity fire now.
	FiringNow(rule, severity string, n int)
}

// Engine judges events by rules. It is used by one goroutine.
type Engine struct {
	options Options
	home    *home
	rules   []*runningRule
	byKind  [kinds][]*runningTrigger
	off     []Off

	interests [kinds]interest
	replies   *replies

	view    view // the event at hand
	event   uint64
	facts   *facts
	vm      vm.VM
	seed    key
	now     int64 // packet time, nanoseconds
	start   int64 // of the first event
	timers  timers
	order   uint64 // of alerts begun: breaks ties between timers
	scratch []byte

	unplaced []Alert // adopted, until packet time is known
	steps    uint64
}

// RuleStats counts for one rule.
type RuleStats struct {
	Rule    string
	Groups  int    // remembered now
	Pending int    // groups whose verdict holds, but not yet for so long as `for` says
	Firing  int    // alerts firing now, storms and inhibited ones among them
	Raised  uint64 // alerts begun
	Pended  uint64 // waits begun
	Folded  uint64 // groups that a storm took up
	Evicted uint64 // groups and memories forgotten: MaxGroups was reached
	Errors  uint64 // expressions that failed on an event; it counted as no match
}

// Stats of an engine.
type Stats struct {
	Rules      []RuleStats // in the rules' order
	ClockSteps uint64      // times that packet time went back by more than MaxSkew
}

// NewEngine compiles the rules that are not disabled. Off tells which of
// them cannot judge for want of a setting.
func NewEngine(set RuleSet, o Options) (*Engine, error) {
	orDefault(&o.MaxGroups, 100_000)
	orDefault(&o.MaxSkew, 5*time.Minute)
	orDefault(&o.LearnTime, time.Hour)
	orDefault(&o.MaxServers, 4096)
	e := &Engine{options: o, home: newHome(o), facts: newFacts(), seed: key{rand.Uint64(), rand.Uint64()}, start: -1}
	c := newCompiler(e.home)
	for i := range set.Rules {
		r := &set.Rules[i]
		if r.Disabled || e.blind(r) {
			continue
		}
		run, err := c.compile(r)
		if err != nil {
			return nil, err
		}
		e.adopt(run)
	}
	e.connect()
	e.facts.reads = c.reads
	e.replies = newReplies(e.interests[kindCommand].conditions)
	return e, nil
}

func orDefault[T int | time.Duration](into *T, def T) {
	if *into <= 0 {
		*into = def
	}
}

// blind leaves out a rule that asks which domains are ours where nobody said:
// no traffic tells that. Which addresses are can be assumed.
func (e *Engine) blind(r *Rule) bool {
	asks := func(word string) bool {
		for _, s := range r.sources() {
			if strings.Contains(s, word) {
				return true
			}
		}
		return false
	}
	if len(e.options.HomeDomains) == 0 && (asks("is_home_domain(") || asks("is_foreign(")) {
		e.off = append(e.off, Off{r.Name, "home.domains"})
		return true
	}
	return false
}

func (r *Rule) sources() []string {
	var out []string
	for _, t := range r.triggers {
		out = append(out, t.when.text, t.severity.text, t.summary.text, t.fire.when.text, t.fire.forgive.text)
		for _, list := range [][]source{t.groupBy, t.fire.field, t.fire.by, t.fire.forgiveBy, {t.fire.other}} {
			for _, s := range list {
				out = append(out, s.text)
			}
		}
	}
	return out
}

// Off is a rule that is off because a setting is missing.
type Off struct{ Rule, Needs string }

// Reason is why it is off.
func (o Off) Reason() string { return "it cannot judge without " + o.Needs }

// Off are the rules that cannot judge, for the program's log and its lists.
func (e *Engine) Off() []Off { return e.off }

// Handle judges one event. It implements sessions.Handler.
func (e *Engine) Handle(ev sessions.Event) {
	e.advance(ev.At())
	if e.teaches(ev) {
		e.learn(ev)
	}
	if r, ok := ev.(*sessions.Replied); ok && !e.replies.may(r) {
		return
	}
	if k, ok := kindOf(ev); ok {
		e.judge(k, ev)
	}
}

// judge holds an event against the triggers of its kind.
func (e *Engine) judge(k kind, ev sessions.Event) {
	if len(e.byKind[k]) == 0 {
		return
	}
	e.event++
	e.view.event = ev
	e.facts.take(ev)
	for _, t := range e.byKind[k] {
		t.judge(e, t)
	}
}

// Advance tells the engine that packet time is now: alerts whose window is
// clean are resolved, those that last are repeated. How often it is called
// changes only when notices come, not which, nor their times.
func (e *Engine) Advance(now time.Time) { e.advance(now) }

// Flush ends the input: what still fires is resolved as of now, so that no
// receiver keeps an alert that nobody will ever end. It is for captures that
// were read to the end, not for a restart.
func (e *Engine) Flush(now time.Time) {
	e.advance(now)
	for len(e.timers) > 0 {
		e.resolve(e.timers.pop(), e.now)
	}
}

// maxTime is the latest packet time (in the year 2116): no sum with a window may
// overflow, whatever a capture says.
const maxTime = 1 << 62

// advance moves the clock and runs the timers that are due.
func (e *Engine) advance(at time.Time) {
	now := min(max(at.UnixNano(), 0), maxTime)
	if now < e.now-int64(e.options.MaxSkew) {
		e.stepBack(now)
		return
	}
	if e.start < 0 {
		e.start = now
	}
	if e.unplaced != nil {
		e.place(now)
	}
	e.now = max(e.now, now)
	e.home.tick(e.now)
	for len(e.timers) > 0 && e.timers[0].due <= e.now {
		e.timer(e.timers.pop())
	}
}

// stepBack sets the clock back: one packet with a time far ahead must not
// freeze all windows. No alert may then wait for a time that is far off.
func (e *Engine) stepBack(now int64) {
	e.steps++
	e.now = now
	e.home.tick(now)
	e.start = min(e.start, now)
	for _, f := range e.timers {
		f.until = min(f.until, now+int64(f.window))
		f.repeatAt = min(f.repeatAt, now+int64(f.rule.repeat))
		f.silentUntil = min(f.silentUntil, now)
	}
	e.timers.reorder()
}

// Stats of the engine now.
func (e *Engine) Stats() Stats {
	s := Stats{ClockSteps: e.steps}
	for _, r := range e.rules {
		r.stats.Groups, r.stats.Firing, r.stats.Pending = len(r.groups.keys.entries), r.firingNow(), r.pendingNow(e.now)
		s.Rules = append(s.Rules, r.stats)
	}
	return s
}
