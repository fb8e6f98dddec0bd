package mail

// Message reads one message after the other: the header, and the parts of the
// body as far as it takes to tell which files the message carries. The zero
// value is ready; set Options before the first Write. It is not safe for
// concurrent use.
//
// It keeps its memory, some ten kilobytes behind a message with parts, for the
// next message: who waits for one should hold none.
type Message struct {
	Options Options

	header HeaderReader
	inBody bool
	plain  armor         // of a body that is nothing but text
	parts  *entityReader // of any other body; nil where there is none
	found  findings

	idle  *entityReader // memory of the parts before
	files []Attachment  // and of their list
}

// findings is what the readers of one message's parts found.
type findings struct {
	options     *Options
	attachments []Attachment
	report      *Report
	reportRead  bool // its part for programs was seen
	protection  string
	odd         oddity
	sound       oddity // before octets were lost
	count       int    // parts
	octets      int    // of what is told, about, with the header
	lost        bool   // octets were: what is missing may have been among them
	over        bool   // a limit was reached: the rest counts as octets only
}

// maxIdleFiles is how many files the list may have that Reset keeps.
const maxIdleFiles = 8

// Reset makes the reader ready for the next message. Memory that was small
// enough is used again, so a message costs what is told of it.
func (m *Message) Reset() {
	m.header.Reset()
	m.inBody, m.plain, m.parts = false, armor{}, nil
	if list := m.found.attachments; cap(list) > 0 && cap(list) <= maxIdleFiles {
		clear(list)
		m.files = list[:0]
	}
	m.found = findings{}
}

// Write takes the next octets of the message's content.
func (m *Message) Write(b []byte) {
	if !m.inBody {
		m.header.shared = &m.Options
		n := m.header.Write(b)
		if !m.header.Done() {
			return
		}
		m.begin()
		m.body(m.header.Leftover())
		b = b[n:]
	}
	m.body(b)
}

// begin looks at the header, which is over, for how the body is to be read.
func (m *Message) begin() {
	m.inBody = true
	m.found.octets = len(m.header.buf)
	if m.Options.HeadersOnly {
		return
	}
	m.found.options = &m.Options
	d := m.header.describe(plainText, m.Options.maxName())
	m.found.odd |= d.odd
	if !d.isMultipart() && !d.isAttachment() {
		m.plain.reset()
		return
	}
	if m.idle == nil {
		m.idle = new(entityReader)
	}
	m.found.attachments, m.files = m.files, nil
	m.parts = m.idle
	m.parts.reset(&m.found, 0, 0)
	m.parts.enter(&d, m.header.cut)
	m.parts.lineStart = !m.header.cut
}

func (m *Message) body(b []byte) {
	switch {
	case m.parts != nil:
		m.parts.write(b)
	case m.found.protection == "" && !m.Options.HeadersOnly:
		m.found.protection = m.plain.find(b)
	}
}

// Lost says that n octets of the content were never seen. What they cut is
// not read on: a header ends, and a file has no SHA-256. The parts behind
// them, of which the delimiter is seen, count.
func (m *Message) Lost(n int64) {
	if n <= 0 {
		return
	}
	if !m.found.lost {
		m.found.sound = m.odd()
	}
	if !m.inBody {
		m.header.shared = &m.Options
		m.header.Stop()
		m.begin()
	}
	m.found.lost = true
	if m.parts != nil {
		m.parts.lost()
	}
	m.plain.stop()
}

// End says that the message is whole. Without it the file that was being read
// is told as truncated.
func (m *Message) End() {
	if !m.inBody {
		m.header.Stop()
		m.inBody = true
		m.found.octets = len(m.header.buf)
		return
	}
	if m.parts != nil {
		m.parts.end()
	}
}

// Held is the memory, in octets, that what was found takes by now, about: it grows
// with what a message says.
func (m *Message) Held() int {
	if m.inBody {
		return m.found.octets
	}
	return len(m.header.buf) + len(m.header.name)
}

// HeaderDone says whether the header section is over.
func (m *Message) HeaderDone() bool { return m.header.Done() }

// Fields tells what the message's own header told by now.
func (m *Message) Fields() Fields { return m.header.Fields() }

// Attachments lists the files that began by now, in the order in which they
// stand in the message; those in a forwarded message follow it. The list is
// the caller's.
func (m *Message) Attachments() []Attachment {
	if len(m.found.attachments) == 0 {
		return nil
	}
	for e := m.parts; e != nil && e.state == readingLeaf; e = e.leaf.child {
		e.leaf.sniff()
	}
	return append([]Attachment(nil), m.found.attachments...)
}

// Report is what a report (RFC 6522) tells, nil for any other message. It is
// the caller's.
func (m *Message) Report() *Report {
	if m.found.report == nil || m.found.report.Kind == "" {
		return nil
	}
	r := *m.found.report
	r.Recipients = append([]Recipient(nil), r.Recipients...)
	return &r
}

// Protection says how the outermost part that is signed or encrypted is so:
// "smime-signed", "smime-encrypted", "pgp-signed", "pgp-encrypted", or empty.
func (m *Message) Protection() string { return m.found.protection }

// Oddities lists the Odd… names of what stands out, sorted.
func (m *Message) Oddities() []string { return m.odd().names() }

// Malformed lists those of the Oddities that a message may be given to hide a
// part from who looks for it, sorted. Where octets were lost only those before
// count: the others may be of the loss.
func (m *Message) Malformed() []string {
	odd := m.odd()
	if m.found.lost {
		odd = m.found.sound
	}
	return (odd & hiding).names()
}

func (m *Message) odd() oddity {
	odd := m.found.odd
	if h := &m.header; h.limited || h.overlong {
		odd |= headerLimit
	}
	if m.header.twice&ofUnique != 0 {
		odd |= duplicateHeader
	}
	return odd
}
