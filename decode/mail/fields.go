package mail

import (
	"bytes"
	"strings"
	"time"
)

// Fields is what of a header section records show. It is a value of its own:
// nothing in it is borrowed. All text is valid UTF-8 without control
// characters, trimmed; a field that is absent is empty.
type Fields struct {
	Subject, From, To string // decoded (RFC 2047)
	MessageID         string
	Date              string // as it stands
	UserAgent         string // User-Agent or X-Mailer
	Received          int    // how many
	AuthResults       []string
	DKIMDomains       []string // d= of each DKIM-Signature (RFC 6376, 3.5), lower case

	NewestReceived time.Time // date of the topmost Received, UTC; zero where there is none or it cannot be read
	DateTime       time.Time // Date, UTC; zero likewise

	// Duplicates names the fields that must be unique but came more often
	// (RFC 5322, 3.6). The first of them counts: readers differ in which they
	// show, which is what such a mail is made for.
	Duplicates []string

	Overlong     bool // a value was longer than MaxField and cut
	LimitReached bool // MaxHeader, MaxResults or the length of a field name was reached: fields may be missing
}

// Fields tells what was read by now. A field whose line has not ended is not
// in it.
func (h *HeaderReader) Fields() Fields {
	f := Fields{
		Subject:      h.words.decode(h.raw(subject)),
		From:         h.words.decode(h.raw(from)),
		To:           h.words.decode(h.raw(to)),
		MessageID:    clean(h.raw(messageID)),
		Date:         clean(h.raw(date)),
		UserAgent:    clean(h.raw(userAgent)),
		Received:     h.received,
		AuthResults:  h.authResults(),
		DKIMDomains:  h.dkimDomains(),
		Duplicates:   h.duplicates(),
		Overlong:     h.overlong,
		LimitReached: h.limited,
	}
	f.NewestReceived = receivedTime(h.raw(received))
	f.DateTime = parseDate(h.raw(date))
	return f
}

func (h *HeaderReader) raw(f known) []byte { return h.at(h.single[f]) }

func (h *HeaderReader) at(s span) []byte { return bytes.TrimSpace(h.buf[s.from:s.to]) }

func (h *HeaderReader) authResults() []string {
	if len(h.results) == 0 {
		return nil
	}
	list := make([]string, len(h.results))
	for i, s := range h.results {
		list[i] = clean(h.at(s))
	}
	return list
}

func (h *HeaderReader) dkimDomains() []string {
	var list []string
	for _, s := range h.signatures {
		if domain := tag(h.at(s), "d"); domain != "" {
			list = append(list, domain)
		}
	}
	return list
}

// tag reads a value of a tag list (RFC 6376, 3.2), which may be folded
// anywhere but within tag names.
func tag(list []byte, name string) string {
	for pair := range bytes.SplitSeq(list, []byte(";")) {
		key, value, found := bytes.Cut(pair, []byte("="))
		if found && string(bytes.TrimSpace(key)) == name {
			return strings.ToLower(strings.ReplaceAll(clean(bytes.TrimSpace(value)), " ", ""))
		}
	}
	return ""
}

func (h *HeaderReader) duplicates() []string {
	if h.twice == 0 {
		return nil
	}
	var list []string
	for _, u := range unique {
		if h.twice&(1<<u.field) != 0 {
			list = append(list, u.name)
		}
	}
	return list
}
