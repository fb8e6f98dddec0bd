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

	// The addresses (addr-spec of RFC 5322, 3.4.1) without names, comments and
	// the names of groups.
	FromAddresses, ToAddresses, CcAddresses, ReplyToAddresses []string
	AddressesCut                                              bool   // MaxAddresses was reached
	Sender                                                    string // its address

	Cc, ReplyTo   string // decoded
	ReturnPath    string // the address; empty for a null path too
	InReplyTo     string
	References    bool   // there are
	OriginatingIP string // X-Originating-IP without brackets
	AutoSubmitted string // the keyword of RFC 3834, 5, lower case
	ListID        string // what stands in the angle brackets (RFC 2919)
	Precedence    string // lower case

	Hops       []Hop       // of the Received fields, the newest first, MaxHops at most
	Verdicts   []Verdict   // of AuthResults
	Signatures []Signature // of the DKIM-Signature fields
	ARC        ARC

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
	f.DateTime = parseDate(h.raw(date))
	h.people(&f)
	h.handling(&f)
	h.trace(&f)
	return f
}

// people tells who wrote to whom.
func (h *HeaderReader) people(f *Fields) {
	f.FromAddresses = h.addresses(f, from)
	f.ToAddresses = h.addresses(f, to)
	f.CcAddresses = h.addresses(f, cc)
	f.ReplyToAddresses = h.addresses(f, replyTo)
	f.Cc, f.ReplyTo = h.words.decode(h.raw(cc)), h.words.decode(h.raw(replyTo))
	if list := h.addresses(f, sender); len(list) > 0 {
		f.Sender = list[0]
	}
	if list := h.addresses(f, returnPath); len(list) > 0 {
		f.ReturnPath = list[0]
	}
}

func (h *HeaderReader) addresses(f *Fields, field known) []string {
	list, cut := addresses(h.raw(field), h.Options.maxAddresses())
	f.AddressesCut = f.AddressesCut || cut
	return list
}

// handling tells how automatic systems are to take the message.
func (h *HeaderReader) handling(f *Fields) {
	f.InReplyTo = clean(h.raw(inReplyTo))
	f.References = h.seen&(1<<references) != 0
	f.OriginatingIP = strings.Trim(clean(h.raw(originatingIP)), "[] ")
	keyword, _, _ := bytes.Cut(h.raw(autoSubmitted), []byte(";"))
	f.AutoSubmitted = strings.ToLower(clean(bytes.TrimSpace(keyword)))
	f.ListID = clean(h.raw(listID))
	if _, id, found := strings.Cut(f.ListID, "<"); found {
		f.ListID, _, _ = strings.Cut(id, ">")
	}
	f.Precedence = strings.ToLower(clean(h.raw(precedence)))
}

// trace tells what the systems on the way wrote.
func (h *HeaderReader) trace(f *Fields) {
	for _, s := range h.hops {
		f.Hops = append(f.Hops, parseHop(h.at(s)))
	}
	if len(f.Hops) > 0 {
		f.NewestReceived = f.Hops[0].Time
	}
	for _, s := range h.results {
		f.Verdicts = appendVerdicts(f.Verdicts, h.at(s))
	}
	for _, s := range h.signatures {
		f.Signatures = append(f.Signatures, Signature{tag(h.at(s), "d"), tag(h.at(s), "s")})
	}
	for _, s := range h.seals {
		f.ARC.add(h.at(s))
	}
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
