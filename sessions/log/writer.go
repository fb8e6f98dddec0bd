package log

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/mailtap/mailtap/sessions"
)

// Record is one encoded record on its way to a sink.
type Record struct {
	Line []byte // JSON without a line end; borrowed until Write returns
	// Time is the packet time at which the record was finished. For a session
	// that is its end, while the line's own time is its start: records come
	// nearly in order of Time, as log stores want them.
	Time                   time.Time
	Event, Role, Direction string // Role and Direction are empty where unknown
}

// Sink takes records. Write may be called by several goroutines at once and,
// live, must not wait for anything outside the process but a local file.
type Sink interface{ Write(rec Record) }

// Counts is what became of a sink's records since its start. What was given
// to Write is always Written + Dropped + Waiting.
type Counts struct {
	Written uint64 // left the process: the file took it, or Loki said 2xx
	Dropped uint64 // given up
	Retried uint64 // sent once more
	Waiting int    // in the queue or under way
}

// Options of a Writer. The zero value writes every kind, to nowhere.
type Options struct {
	Sensor string   // name of this tap; default none
	Kinds  []string // which kinds of records are written; default all of Kinds
	Sinks  []Sink
}

// Writer encodes the events that have a record and gives the lines to its
// sinks. It has one buffer and no lock: each goroutine has its own.
type Writer struct {
	encoder                    Encoder
	session, mail, auth, alert bool
	sinks                      []Sink
	buf                        []byte
}

// maxKept is how large a buffer stays for the next record: one mail with very
// many recipients must not hold its memory for ever.
const maxKept = 1 << 20

// NewWriter checks the options and makes a Writer.
func NewWriter(o Options) (*Writer, error) {
	kinds := o.Kinds
	if len(kinds) == 0 {
		kinds = Kinds[:]
	}
	for _, k := range kinds {
		if !slices.Contains(Kinds[:], k) {
			return nil, fmt.Errorf("log: unknown kind of record %q, want any of %s", k, strings.Join(Kinds[:], ", "))
		}
	}
	return &Writer{
		encoder: Encoder{Sensor: o.Sensor},
		session: slices.Contains(kinds, KindSession),
		mail:    slices.Contains(kinds, KindMail),
		auth:    slices.Contains(kinds, KindAuth),
		alert:   slices.Contains(kinds, KindAlert),
		sinks:   o.Sinks,
	}, nil
}

// Handle implements sessions.Handler.
func (w *Writer) Handle(e sessions.Event) {
	kind, wanted := "", false
	switch e.(type) {
	case *sessions.Closed:
		kind, wanted = KindSession, w.session
	case *sessions.MailDone:
		kind, wanted = KindMail, w.mail
	case *sessions.Authenticated:
		kind, wanted = KindAuth, w.auth
	}
	if !wanted {
		return
	}
	w.buf = w.encoder.Append(w.buf[:0], e)
	c := e.Of()
	w.give(Record{Line: w.buf, Time: e.At(), Event: kind, Role: c.Role, Direction: c.Direction})
}

// Alert writes the record of an alert.
func (w *Writer) Alert(a *AlertRecord) {
	if !w.alert {
		return
	}
	w.buf = w.encoder.AppendAlert(w.buf[:0], a)
	rec := Record{Line: w.buf, Time: a.Time, Event: KindAlert}
	if a.Ended.After(a.Time) {
		rec.Time = a.Ended
	}
	if a.Conn != nil {
		rec.Role, rec.Direction = a.Conn.Role, a.Conn.Direction
	}
	w.give(rec)
}

func (w *Writer) give(rec Record) {
	for _, s := range w.sinks {
		s.Write(rec)
	}
	if cap(w.buf) > maxKept {
		w.buf = nil
	}
}
