package sessions

import "time"

// Event is a fact of a connection, pushed to handlers as soon as it is known.
// The set is sealed. Events and all they point to are owned by nobody and
// never change: a handler may keep them, a Keeper those that it says.
type Event interface {
	// Of says which connection the event belongs to.
	Of() *Conn
	// At is the packet time of the event.
	At() time.Time
	// Behind is the client that a proxy had told of by then, nil where none had.
	Behind() *Origin
}

// Handler takes events. Handle is called from the packet path: it must not
// block for long.
type Handler interface{ Handle(Event) }

// Keeper is a Handler that keeps few events, and says whether it kept the last.
// One that it did not is changed after that: most events of a session are
// wanted by nobody, and their memory is in a cache.
type Keeper interface{ Kept() bool }

// HandlerFunc lets a function be a Handler.
type HandlerFunc func(Event)

// Handle calls f.
func (f HandlerFunc) Handle(e Event) { f(e) }

// In places an event: which connection, when, for whom.
type In struct {
	Conn   *Conn
	Time   time.Time
	Origin *Origin // nil where no proxy told of another client
}

// Of implements Event.
func (i *In) Of() *Conn { return i.Conn }

// At implements Event.
func (i *In) At() time.Time { return i.Time }

// Behind implements Event.
func (i *In) Behind() *Origin { return i.Origin }

type (
	// Attempt tells how the attempt to connect ended. It comes once a
	// connection whose start was seen.
	Attempt struct {
		In
		Result string // established, refused, unanswered
	}
	// Opened comes with the first octets or the completed handshake of a
	// connection, and for one that was met in mid-stream.
	Opened struct{ In }
	// Greeted is the server's banner.
	Greeted struct {
		In
		Banner Banner
	}
	// Replied pairs a command with its reply. Verb is empty for a reply that
	// answers no command; Code is 0 where the reply was lost or never came.
	Replied struct {
		In
		Verb     string // upper case; a known verb, else OTHER; "." is the end of data
		Code     int
		Enhanced string
		Text     string        // empty where the server may have quoted a secret
		Delay    time.Duration // last octet of the command to first octet of the reply, -1 where unknown
		Argument string        // MAIL, RCPT, VRFY and EXPN: the address; EHLO, HELO and LHLO: the name; empty for all other verbs
	}
	// Secured tells how the encryption of the connection went: with the end
	// of the handshake, and at the end of the session where there was none.
	Secured struct {
		In
		TLS TLS
	}
	// Authenticated is one finished AUTH exchange.
	Authenticated struct {
		In
		Auth    Auth
		TLSMode string
		Helo    Helo // as the session's record has it, so far
	}
	// MailDone is one finished mail transaction.
	MailDone struct {
		In
		Mail    *Mail
		TLSMode string
		Helo    Helo // as the session's record has it, so far
		Number  int  // the connection's first mail that ended is 1
	}
	// Anomaly is something odd; Kind is a name of the table of anomalies. It
	// comes each time, the session's record names each kind once.
	Anomaly struct {
		In
		Kind   string
		Detail string // never octets of a secret or a body
	}
	// Closed is the end of a connection with all that was learned. It is the
	// last event of its connection.
	Closed struct {
		In
		Session *Session
	}
)
