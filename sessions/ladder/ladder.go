// Package ladder turns the events of one connection into the steps of a
// conversation that people read from top to bottom: who said what, when, and how
// long the answer took, with what was learned of TLS, logins, mails and oddities
// between. It owns the order of the steps, their bounds, and their form as text;
// cmd/mailtap and the live page make and show ladders. It never sees a packet: a
// secret cannot come into a ladder, because no event holds one.
//
// Commands are told by the events of their replies. A pipelined command stands
// where it was sent, which is before the replies of those ahead of it. What was
// never answered is not in a ladder.
package ladder

import (
	"cmp"
	"slices"
	"time"

	"github.com/mailtap/mailtap/sessions"
)

// Kinds of step. A command is the client's, a greeting and a reply are the
// server's; all others are what mailtap says and have no side.
const (
	Command  = "command"
	Greeting = "greeting"
	Reply    = "reply"
	Opening  = "opening"
	TLS      = "tls"
	Login    = "login"
	Mail     = "mail"
	Anomaly  = "anomaly"
	End      = "end"
)

// Step is one line of a ladder.
type Step struct {
	At       Seconds  `json:"at"` // since the first packet of the connection
	Kind     string   `json:"kind"`
	Verb     string   `json:"verb,omitempty"`     // of a command: upper case, OTHER for unknown ones, "." for the end of data
	Argument string   `json:"argument,omitempty"` // an address, a name, a mechanism; never a secret
	Code     int      `json:"code,omitempty"`
	Enhanced string   `json:"enhanced,omitempty"`
	Text     string   `json:"text,omitempty"`
	Delay    Seconds  `json:"delay,omitzero"`    // of a reply or greeting: how long the other side waited for it; negative where unknown
	Result   string   `json:"result,omitempty"`  // of a login, a mail, TLS
	Exposed  bool     `json:"exposed,omitempty"` // a login whose reusable secret crossed the wire in clear
	More     []string `json:"more,omitempty"`    // further lines
}

// octets is what a step holds, about.
func (s *Step) octets() int {
	n := 160 + len(s.Argument) + len(s.Text)
	for _, m := range s.More {
		n += 16 + len(m)
	}
	return n
}

// Options bounds a ladder. The zero value works.
type Options struct {
	Steps int // default 200; what comes later is counted, and the end stands all the same
	Text  int // octets of one text; default 512
}

// usualSteps is how many a session of one mail has.
const usualSteps = 24

// Ladder takes the events of one connection. The zero value works.
type Ladder struct {
	Options Options

	conn   *sessions.Conn
	origin *sessions.Origin
	steps  []Step
	left   int // steps that found no room
	octets int
	last   string // verb of the last reply
	asked  bool   // the last reply was a 334: the client's next line is an answer
	auth   int    // place of the open AUTH command, 0 for none

	ended, partial bool
	end            string
	duration       Seconds
}

// Handle implements sessions.Handler, for the events of one connection.
func (l *Ladder) Handle(e sessions.Event) {
	if l.conn == nil {
		l.conn = e.Of()
		l.steps = make([]Step, 0, usualSteps)
	}
	if o := e.Behind(); o != nil && l.origin == nil {
		l.origin = o
		l.note(e, Opening, "A proxy speaks for "+originText(o))
	}
	switch e := e.(type) {
	case *sessions.Attempt:
		l.attempt(e)
	case *sessions.Greeted:
		l.add(Step{At: l.since(e.Time), Kind: Greeting, Code: e.Banner.Code, Text: e.Banner.Text, Delay: Seconds(e.Banner.Delay)})
	case *sessions.Replied:
		l.replied(e)
	case *sessions.Secured:
		l.secured(e)
	case *sessions.Authenticated:
		l.login(e)
	case *sessions.MailDone:
		l.mail(e)
	case *sessions.Anomaly:
		l.add(Step{At: l.since(e.Time), Kind: Anomaly, Result: e.Kind, Text: anomalyText(e)})
	case *sessions.Closed:
		l.closed(e)
	}
}

func (l *Ladder) attempt(e *sessions.Attempt) {
	text := "The connection stands"
	switch e.Result {
	case "refused":
		text = "The server refuses the connection"
	case "unanswered":
		text = "The server does not answer"
	}
	l.add(Step{At: l.since(e.Time), Kind: Opening, Text: text, Result: e.Result})
}

// replied tells a command and its reply.
func (l *Ladder) replied(e *sessions.Replied) {
	again := e.Verb == "." && l.last == "." // a reply for each recipient (RFC 2033, 4.2)
	if e.Verb != "" && !again {
		l.command(e)
	}
	l.last, l.asked = e.Verb, e.Verb == "AUTH" && e.Code == 334
	l.add(Step{At: l.since(e.Time), Kind: Reply, Code: e.Code, Enhanced: e.Enhanced, Text: e.Text, Delay: Seconds(e.Delay)})
}

func (l *Ladder) command(e *sessions.Replied) {
	c := Step{At: l.since(e.Time.Add(-max(e.Delay, 0))), Kind: Command, Verb: e.Verb, Argument: e.Argument}
	if l.asked && e.Verb == "AUTH" {
		c.Text = "(an answer, which is not kept)"
	}
	at := l.add(c)
	if e.Verb == "AUTH" && !l.asked {
		l.auth = at
	}
}

// add puts a step behind all that were before it in time and returns its place,
// 0 where there is no room.
func (l *Ladder) add(s Step) int {
	steps := cmp.Or(l.Options.Steps, 200)
	if len(l.steps) >= steps-1 && s.Kind != End { // the last place is the end's
		l.left++
		return 0
	}
	if s.Kind != Reply && s.Kind != Greeting {
		s.Delay = -1
	}
	limit := cmp.Or(l.Options.Text, 512)
	s.Argument, s.Text = Clean(s.Argument, limit), Clean(s.Text, limit)
	for i := range s.More {
		s.More[i] = Clean(s.More[i], limit)
	}
	l.octets += s.octets()
	at := len(l.steps)
	for at > 0 && l.steps[at-1].At > s.At {
		at--
	}
	l.steps = slices.Insert(l.steps, at, s)
	if l.auth >= at && l.auth > 0 {
		l.auth++
	}
	return at
}

func (l *Ladder) note(e sessions.Event, kind, text string) {
	l.add(Step{At: l.since(e.At()), Kind: kind, Text: text})
}

func (l *Ladder) since(t time.Time) Seconds { return Seconds(max(t.Sub(l.conn.Start), 0)) }

// Octets is the memory that the ladder holds, about.
func (l *Ladder) Octets() int { return l.octets }

// Conn is the connection, nil before its first event.
func (l *Ladder) Conn() *sessions.Conn { return l.conn }

// Ended says whether the connection has ended.
func (l *Ladder) Ended() bool { return l.ended }

// Steps are the steps so far, oldest first. They belong to the ladder.
func (l *Ladder) Steps() []Step { return l.steps }
