package sessions

// mails are those in the record of a session: what a server accepted stays until the
// connection ends, and clients can have it accept a lot.
type mails struct {
	all    []*Mail
	open   int   // octets that the open one takes
	beyond *Mail // the open one, where it is not in the record
	first  [1]*Mail
}

// What things in a record take beside their octets.
const (
	textCost      = 24
	rejectionCost = 64
	optionsCost   = 64
)

func newMails() *mails {
	m := &mails{}
	m.all = m.first[:0]
	return m
}

func (l *mails) list() []*Mail {
	if l == nil {
		return nil
	}
	return l.all
}

// keepOpen keeps a mail that is open from now on.
func (s *session) keepOpen(m *Mail) {
	if !s.keepMail(m) {
		s.mails.beyond = m
	}
	s.records(m.opening())
}

// records reckons octets of the open mail.
func (s *session) records(n int) {
	s.recorded += n
	s.mails.open += n
}

// recordsEnded takes the open mail out where it is not in the session's record: it is
// told, and gone.
func (s *session) recordsEnded(m *Mail) {
	if s.mails.beyond == m {
		s.recorded -= s.mails.open
		s.mails.beyond = nil
	} else {
		s.recorded += len(m.Reply)
	}
	s.mails.open = 0
}

// opening is what a mail takes that MAIL told.
func (m *Mail) opening() int {
	n := len(m.From)
	for _, p := range m.Parameters {
		n += textCost + len(p)
	}
	return n
}

func (o *RecipientOptions) cost() int { return optionsCost + len(o.Notify) + len(o.Original) }
