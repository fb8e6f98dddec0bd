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
	Session, CommunityID   string // of its connection; empty where there is none
}

// Sink takes records. Write may be called by several goroutines at once and,
// live, must not wait for anything outside the process.
type Sink interface{ Write(rec Record) }

// Options of a Writer. The zero value writes every kind, to nowhere.
type Options struct {
	Sensor  string   // name of this tap; default none
	Format  string   // one of Formats; default json
	Version string   // of the program, where the format names it
	Kinds   []string // which kinds of records are written; default all of Kinds
	Mask    Mask     // hides what the sinks must not show; nil: nothing. Of this Writer alone
	Sinks   []Sink
}

// Mask gives an event as the sinks may show it.
type Mask interface {
	Event(e sessions.Event) sessions.Event
}

// Writer encodes the events that have a record and gives the lines to its
// sinks. It has one buffer and no lock: each goroutine has its own. Where several
// goroutines have events and one order of records is wanted, each of them
// encodes with the Append of its own Writer, and one that orders the records
// writes them with the Give of another.
type Writer struct {
	encoder                    Encoder
	form                       form // nil: mailtap's own
	mask                       Mask
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
	f, ok := formOf(o.Format, o.Sensor, o.Version)
	if !ok {
		return nil, fmt.Errorf("log: unknown format %q, want any of %s", o.Format, strings.Join(Formats[:], ", "))
	}
	return &Writer{
		form:    f,
		mask:    o.Mask,
		encoder: Encoder{Sensor: o.Sensor, known: new(connLines)},
		session: slices.Contains(kinds, KindSession),
		mail:    slices.Contains(kinds, KindMail),
		auth:    slices.Contains(kinds, KindAuth),
		alert:   slices.Contains(kinds, KindAlert),
		sinks:   o.Sinks,
	}, nil
}

// Handle implements sessions.Handler.
func (w *Writer) Handle(e sessions.Event) {
	line, rec, ok := w.Append(w.buf[:0], e)
	if !ok {
		return
	}
	w.buf = line
	w.give(rec)
}

// Append encodes the record of an event behind b, without a line end, and
// gives it to no sink. The record's Line is the new part of out and is borrowed
// from it. ok is false, and nothing is appended, for an event that has no record
// or one that is not wanted.
func (w *Writer) Append(b []byte, e sessions.Event) (out []byte, rec Record, ok bool) {
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
		return b, Record{}, false
	}
	if w.mask != nil {
		e = w.mask.Event(e)
	}
	if w.form == nil {
		out = w.encoder.Append(b, e)
	} else if out = w.form.event(b, e); len(out) == len(b) {
		return b, Record{}, false
	}
	c := e.Of()
	return out, Record{
		Line: out[len(b):], Time: e.At(), Event: kind, Role: c.Role, Direction: c.Direction, Session: c.ID, CommunityID: c.CommunityID,
	}, true
}

// Give writes a record that an Append made. Its Line may be reused behind it.
func (w *Writer) Give(rec Record) {
	for _, s := range w.sinks {
		s.Write(rec)
	}
}

// Alert writes the record of an alert.
func (w *Writer) Alert(a *AlertRecord) {
	if !w.alert {
		return
	}
	if w.form == nil {
		w.buf = w.encoder.AppendAlert(w.buf[:0], a)
	} else if w.buf = w.form.alert(w.buf[:0], a); len(w.buf) == 0 {
		return
	}
	rec := Record{Line: w.buf, Time: a.Time, Event: KindAlert}
	if a.Ended.After(a.Time) {
		rec.Time = a.Ended
	}
	if a.Conn != nil {
		rec.Role, rec.Direction = a.Conn.Role, a.Conn.Direction
		rec.Session, rec.CommunityID = a.Conn.ID, a.Conn.CommunityID
	}
	w.give(rec)
}

// give writes a record of the Writer's own buffer.
func (w *Writer) give(rec Record) {
	w.Give(rec)
	if cap(w.buf) > maxKept {
		w.buf = nil
	}
}
