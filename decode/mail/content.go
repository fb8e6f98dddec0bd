package mail

import (
	"bytes"
	"strings"
	"unicode/utf8"
)

// description is what the header of an entity says of its content (RFC 2045
// and 2183).
type description struct {
	mediaType   string // lower case
	disposition string // lower case
	encoding    encodingName
	odd         oddity
	boundary    []byte   // borrowed from the header
	filename    string   // decoded
	otherNames  []string // that it has as well, with another extension
	charset     string   // of a file
	protocol    string   // of multipart/signed and multipart/encrypted
	smimeType   string
	reportType  string
}

const (
	maxBoundary  = 998 // it must stand in a line
	maxMediaType = 255 // RFC 6838, 4.2: 127 octets each
)

// ofDescription are the fields that describe.
const ofDescription = 1<<contentType | 1<<contentDisposition | 1<<contentEncoding

// describe reads what the header told by now. Without a Content-Type, or with
// one that is none, the content has the standard type (RFC 2045, 5.2).
func (h *HeaderReader) describe(standard string, maxName int) description {
	d := description{mediaType: standard}
	if (h.told|h.twice)&ofDescription == 0 {
		d.odd = h.defects(false)
		return d
	}
	p, q := &h.params[0], &h.params[1]
	value := p.read(h.raw(contentType))
	if slash := strings.IndexByte(value, '/'); slash > 0 && slash < len(value)-1 && len(value) <= maxMediaType {
		d.mediaType = value
	}
	if boundary, _, found := p.find(paramBoundary); found {
		if d.boundary = bytes.TrimRight(boundary, " \t"); len(d.boundary) > maxBoundary {
			d.boundary = nil
		}
	}
	d.protocol, d.smimeType, d.reportType = p.text(paramProtocol), p.text(paramSMIMEType), p.text(paramReportType)

	d.disposition = cutText(q.read(h.raw(contentDisposition)), 32)
	d.filename = h.fileName(q, paramFilename, contentDisposition, maxName, &d.odd)
	if d.filename == "" {
		d.filename = h.fileName(p, paramFile, contentType, maxName, &d.odd)
	}
	if d.filename != "" {
		h.compareNames(&d, q, paramFilename)
		h.compareNames(&d, p, paramFile)
	}
	if d.isAttachment() {
		d.charset = cutText(p.text(paramCharset), longestCharset)
	}
	d.encoding = encodingOf(h.raw(contentEncoding))
	d.odd |= h.contradictions(&d, p, q) | h.defects(d.isMultipart())
	return d
}

// contradictions finds what readers may take for one thing or the other.
func (h *HeaderReader) contradictions(d *description, p, q *params) (odd oddity) {
	if repeated := p.repeated | q.repeated; repeated != 0 {
		if odd |= duplicateParameter; repeated&(1<<paramBoundary) != 0 {
			odd |= conflictingBoundary
		}
	}
	if p.others(paramBoundary) {
		plain, ok := p.section(paramBoundary, -1, false) // besides sections, which only some readers know
		if ok && !bytes.Equal(bytes.TrimRight(plain.value, " \t"), d.boundary) {
			odd |= conflictingBoundary
		}
	}
	if h.twice&(1<<contentType|1<<contentDisposition|1<<contentEncoding) != 0 {
		odd |= duplicateField
	}
	if h.twice&(1<<contentType) != 0 {
		var other params
		other.read(h.raw(contentTypeAgain))
		boundary, _, found := other.find(paramBoundary)
		if found && !bytes.Equal(bytes.TrimRight(boundary, " \t"), d.boundary) {
			odd |= conflictingBoundary
		}
	}
	if d.encoding == unknownName {
		odd |= unknownEncoding
	}
	return odd
}

// defects finds what makes readers see another header than others: a NUL or a
// CR that ends no line, where some cut, and a line that is no field, where the
// header ends for some and goes on for others. In a message without parts such
// a line hides nothing: people forget the empty line.
func (h *HeaderReader) defects(inMultipart bool) (odd oddity) {
	if kept := h.buf[:h.ended]; bytes.IndexByte(kept, 0) >= 0 || bytes.IndexByte(kept, '\r') >= 0 {
		odd |= headerControls
	}
	if h.broken && (h.ofPart || inMultipart) {
		odd |= badHeader
	}
	return odd
}

// compareNames looks at the names that were not taken: name against filename,
// plain against encoded, the second of two. Readers differ in which of them
// they save the file under; where only the charset differs, the extension is
// the same.
func (h *HeaderReader) compareNames(d *description, p *params, param paramName) {
	for i := range p.list {
		v := &p.list[i]
		if v.name != param || v.section > 0 || string(v.value) == d.filename {
			continue
		}
		raw, set := v.value, charset{}
		switch {
		case v.section == 0:
			raw, set, _ = p.find(param)
		case v.extended:
			raw, set = decodeExtended(v.value)
		}
		if !set.unknown() {
			raw = set.append(nil, raw)
		}
		name := strings.TrimSpace(h.words.decode(&texts{}, raw))
		_, ext := cutExtension(trimName(name))
		if _, taken := cutExtension(trimName(d.filename)); ext != taken && ext != "" {
			d.otherNames = append(d.otherNames, name)
			if taken != "" {
				d.odd |= conflictingName
			}
		}
	}
}

// fileName decodes a name: as RFC 2231 says, or as encoded words, which no
// standard allows here and everybody sends.
func (h *HeaderReader) fileName(p *params, param paramName, field known, limit int, odd *oddity) string {
	raw, set, found := p.find(param)
	if !found {
		return ""
	}
	if !set.unknown() {
		raw = set.append(nil, raw)
	}
	for _, c := range raw {
		if c < ' ' || c == 0x7f {
			*odd |= nameControls
		}
	}
	name := strings.TrimSpace(h.words.decode(&texts{}, raw))
	if strings.ContainsAny(name, "\u202a\u202b\u202d\u202e\u2066\u2067\u2068\uFFFD") {
		*odd |= nameControls
	}
	if at := h.single[field]; len(cutText(name, limit)) < len(name) || h.told&(1<<field) != 0 && int(at.to-at.from) >= h.options().maxField() {
		*odd |= nameLimit
	}
	return name
}

// cutText makes a text so many characters long at most.
func cutText(s string, limit int) string {
	if len(s) <= limit || utf8.RuneCountInString(s) <= limit {
		return s
	}
	for i := range s {
		if limit == 0 {
			return s[:i]
		}
		limit--
	}
	return s
}

func (d *description) isMultipart() bool { return strings.HasPrefix(d.mediaType, "multipart/") }

func (d *description) isText() bool { return strings.HasPrefix(d.mediaType, "text/") }

func (d *description) isMessage() bool {
	switch d.mediaType {
	case "message/rfc822", "message/global", "message/news":
		return true
	}
	return false
}

// isAttachment says whether the content is told as a file: it calls itself
// one, has a name, or is no text to be shown.
func (d *description) isAttachment() bool {
	return !d.isMultipart() && (d.disposition == "attachment" || d.filename != "" || !d.isText())
}

// encodingName is a Content-Transfer-Encoding (RFC 2045, 6).
type encodingName uint8

const (
	identityName encodingName = iota // 7bit, 8bit, binary or none
	base64Name
	quotedName
	uuName
	unknownName
)

func encodingOf(raw []byte) encodingName {
	value, _ := cutType(raw)
	switch strings.Trim(value, `"`) {
	case "", "7bit", "8bit", "binary", "7-bit", "8-bit":
		return identityName
	case "base64":
		return base64Name
	case "quoted-printable":
		return quotedName
	case "x-uuencode", "uuencode", "x-uue", "x-uu":
		return uuName
	}
	return unknownName
}
