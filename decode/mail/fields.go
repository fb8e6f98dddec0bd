package mail

import (
	"bytes"
	"math/bits"
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
func (h *HeaderReader) Fields() (f Fields) {
	var t texts
	t.expect(h.lengthOfTexts())
	f.Subject = h.words.decode(&t, h.raw(subject))
	f.MessageID = t.clean(h.raw(messageID))
	if raw := h.raw(date); len(raw) > 0 {
		f.Date, f.DateTime = t.clean(raw), parseDate(raw)
	}
	f.UserAgent = t.clean(h.raw(userAgent))
	f.References = h.seen&(1<<references) != 0
	f.Received = h.received
	f.Duplicates = h.duplicates()
	f.Overlong, f.LimitReached = h.overlong, h.limited
	h.people(&f, &t)
	if h.told&ofHandling != 0 {
		h.handling(&f, &t)
	}
	if len(h.listed) > 0 {
		h.trace(&f, &t)
	}
	h.scratch.lists(&f.FromAddresses, &f.ToAddresses, &f.CcAddresses, &f.ReplyToAddresses, &f.AuthResults, &f.DKIMDomains)
	h.scratch.reset()
	return f
}

// lengthOfTexts is how many octets the texts will have, about: parts of what
// is listed are told, results besides as they stand.
func (h *HeaderReader) lengthOfTexts() int {
	n := 0
	for told := h.told & (1<<contentType - 1); told != 0; told &= told - 1 {
		at := h.single[bits.TrailingZeros32(told)]
		n += int(at.to - at.from)
	}
	for i := range h.listed {
		at := &h.listed[i]
		switch n += int(at.to-at.from) / 3; at.field {
		case authenticationResults:
			n += int(at.to - at.from)
		case dkimSignature, arcSeal:
			n -= int(at.to-at.from) / 4
		}
	}
	return n
}

// people tells who wrote to whom.
func (h *HeaderReader) people(f *Fields, t *texts) {
	f.From = h.mailboxes(f, t, from)
	f.To = h.mailboxes(f, t, to)
	f.Cc = h.mailboxes(f, t, cc)
	f.ReplyTo = h.mailboxes(f, t, replyTo)
	f.Sender = h.mailbox(f, t, sender)
	f.ReturnPath = h.mailbox(f, t, returnPath)
}

// mailboxes returns the text of a field and makes a list of its addresses.
func (h *HeaderReader) mailboxes(f *Fields, t *texts, field known) (text string) {
	if raw := h.raw(field); len(raw) > 0 {
		text = h.words.decode(t, raw)
		h.addresses(f, t, raw, text)
	}
	h.scratch.endList()
	return text
}

// mailbox returns the first address of a field.
func (h *HeaderReader) mailbox(f *Fields, t *texts, field known) (address string) {
	if raw := h.raw(field); len(raw) > 0 {
		n := len(h.scratch.texts)
		if h.addresses(f, t, raw, ""); len(h.scratch.texts) > n {
			address = h.scratch.texts[n]
		}
		h.scratch.texts = h.scratch.texts[:n]
	}
	return address
}

func (h *HeaderReader) addresses(f *Fields, t *texts, raw []byte, text string) {
	p := addressParser{field: raw, texts: t, limit: h.options().maxAddresses(), list: h.scratch.texts, bare: h.scratch.words[:0]}
	if text == string(raw) {
		p.text = text
	}
	p.parse()
	h.scratch.texts, h.scratch.words = p.list, p.bare[:0]
	f.AddressesCut = f.AddressesCut || p.cut
}

// ofHandling are the fields of handling.
const ofHandling = 1<<inReplyTo | 1<<originatingIP | 1<<autoSubmitted | 1<<listID | 1<<precedence

// handling tells how automatic systems are to take the message.
func (h *HeaderReader) handling(f *Fields, t *texts) {
	f.InReplyTo = t.clean(h.raw(inReplyTo))
	f.OriginatingIP = strings.Trim(t.clean(h.raw(originatingIP)), "[] ")
	keyword, _, _ := bytes.Cut(h.raw(autoSubmitted), []byte(";"))
	f.AutoSubmitted = t.lower(bytes.TrimSpace(keyword))
	f.ListID = t.clean(h.raw(listID))
	if _, id, found := strings.Cut(f.ListID, "<"); found {
		f.ListID, _, _ = strings.Cut(id, ">")
	}
	f.Precedence = t.lower(h.raw(precedence))
}

// trace tells what the systems on the way wrote.
func (h *HeaderReader) trace(f *Fields, t *texts) {
	if n := h.count[received-firstListed]; n > 0 {
		f.Hops = make([]Hop, 0, n)
	}
	if n := h.count[dkimSignature-firstListed]; n > 0 {
		f.Signatures = make([]Signature, 0, n)
	}
	for i := range h.listed {
		raw := h.at(h.listed[i].span)
		switch h.listed[i].field {
		case received:
			f.Hops = append(f.Hops, t.hop(raw))
		case authenticationResults:
			h.scratch.texts = append(h.scratch.texts, t.clean(raw))
			f.Verdicts = h.appendVerdicts(f.Verdicts, t, raw)
		case dkimSignature:
			domain, selector := tags(raw, "d", "s")
			f.Signatures = append(f.Signatures, Signature{t.squeezed(domain), t.squeezed(selector)})
		case arcSeal:
			f.ARC.add(t, raw)
		}
	}
	if len(f.Hops) > 0 {
		f.NewestReceived = f.Hops[0].Time
	}
	h.scratch.endList()
	for i := range f.Signatures {
		if domain := f.Signatures[i].Domain; domain != "" {
			h.scratch.texts = append(h.scratch.texts, domain)
		}
	}
	h.scratch.endList()
}

// raw is the value of a field that is kept once.
func (h *HeaderReader) raw(f known) []byte {
	if h.told&(1<<f) == 0 {
		return nil
	}
	return h.at(h.single[f])
}

func (h *HeaderReader) at(s span) []byte { return bytes.TrimSpace(h.buf[s.from:s.to]) }

func (h *HeaderReader) duplicates() []string {
	if h.twice&ofUnique == 0 {
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
