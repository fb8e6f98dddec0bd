package alerts

import (
	"net/netip"
	"time"

	"github.com/mailtap/mailtap/sessions"
)

// view is the event at hand as native conditions read it: straight from the
// event, nothing is copied out of it. It is passed by value, so that reading
// needs no memory and any number of goroutines may read at once.
type view struct {
	event sessions.Event
	item  any // inside any(), all() and none(): a pointer to the element at hand
}

// What a native expression yields. Text that is an address is kept as one, so
// that it need not be written to be compared.
type (
	truth   = func(view) bool
	words   = func(view) string
	whole   = func(view) int
	real    = func(view) float64
	moment  = func(view) time.Time
	span    = func(view) time.Duration
	address = func(view) netip.Addr
	texts   = func(view) []string
	counted = func(view) []sessions.Count
)

// list is what any(), all(), none() and len() can be asked about.
type list struct {
	size whole
	some func(v view, test truth) bool // whether test holds for an element
	of   fields                        // of an element; "." is the element itself
	text texts                         // the list where it is one of texts, else nil
}

func (v view) attempt() *sessions.Attempt     { return v.event.(*sessions.Attempt) }
func (v view) replied() *sessions.Replied     { return v.event.(*sessions.Replied) }
func (v view) login() *sessions.Auth          { return &v.event.(*sessions.Authenticated).Auth }
func (v view) mail() *sessions.Mail           { return v.event.(*sessions.MailDone).Mail }
func (v view) handshake() *sessions.TLS       { return &v.event.(*sessions.Secured).TLS }
func (v view) anomaly() *sessions.Anomaly     { return v.event.(*sessions.Anomaly) }
func (v view) session() *sessions.Session     { return v.event.(*sessions.Closed).Session }
func (v view) sessionTLS() *sessions.TLS      { return &v.event.(*sessions.Closed).Session.TLS }
func (v view) itemText() string               { return *v.item.(*string) }
func (v view) itemVerdict() *sessions.Verdict { return v.item.(*sessions.Verdict) }
func (v view) itemRejection() *sessions.Rejection {
	return v.item.(*sessions.Rejection)
}
func (v view) itemFile() *sessions.Attachment { return v.item.(*sessions.Attachment) }
func (v view) itemDanger() *sessions.Danger   { return v.item.(*sessions.Danger) }
func (v view) itemLogin() *sessions.Auth      { return v.item.(*sessions.Auth) }
func (v view) itemMail() *sessions.Mail       { return *v.item.(**sessions.Mail) }

// listOf reads a list whose elements are told by their fields.
func listOf[T any](get func(view) []T, of fields) list {
	return list{
		size: func(v view) int { return len(get(v)) },
		some: func(v view, test truth) bool { return some(get(v), v, test) },
		of:   of,
	}
}

// listOfTexts reads a list of texts; its element is a text itself.
func listOfTexts(get texts) list {
	l := listOf(get, fields{".": words(view.itemText)})
	l.text = get
	return l
}

func some[T any](elements []T, v view, test truth) bool {
	for i := range elements {
		v.item = &elements[i]
		if test(v) {
			return true
		}
	}
	return false
}
