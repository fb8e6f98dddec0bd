package mail

import (
	"crypto/sha256"
	"encoding/hex"
	"hash"
)

// leaf reads the content of a part that is no multipart: it decodes a file
// and counts, hashes and looks into it. Any other content passes by.
type leaf struct {
	found  *findings
	at     int  // among the attachments; -1 where it is none
	wanted bool // somebody reads the octets
	holed  bool // octets were lost: only a forwarded message is read on

	held    [2]byte // a line end that may belong to the delimiter behind it (RFC 2046, 5.1.1)
	holding int

	decoder transferDecoder
	scratch []byte
	hash    hash.Hash
	head    []byte // the start, for the sniffer
	archive zipReader
	rar     rarReader
	tar     tarReader
	tnef    tnefReader
	ole     compoundReader
	volume  volumeReader

	armor  armor
	child  *entityReader // of a forwarded message
	idle   *entityReader // memory of the one before
	report *reportReader
	sum    [sha256.Size]byte
}

const (
	headSize  = 3072    // what the sniffer looks at
	chunkSize = 2 << 10 // octets decoded at a time
)

// begin takes a content that the entity's header described.
func (l *leaf) begin(e *entityReader, d *description) {
	l.found, l.at, l.holed, l.holding = e.found, -1, false, 0
	l.armor, l.child, l.report = armor{}, nil, nil
	l.decoder.reset(d.encoding)
	inReport := len(e.open) > 0 && e.open[len(e.open)-1].kind == "multipart/report"
	switch {
	case e.nested == 0 && isReportType(d.mediaType):
		l.report = e.found.reportPart(d.mediaType)
	case inReport && (d.mediaType == "text/rfc822-headers" || d.mediaType == "message/global-headers"):
		l.forwarded(e, messageHead)
	case d.isMessage():
		l.forwarded(e, message)
	}
	ofReport := inReport && (l.report != nil || l.child != nil) && d.filename == "" && d.disposition != "attachment"
	if d.isAttachment() && !ofReport {
		l.attach(e, d)
	} else if e.nested == 0 && d.isText() && e.found.protection == "" {
		l.armor.reset()
	}
	l.wanted = l.at >= 0 || l.armor.left > 0 || l.child != nil || l.report != nil
}

// forwarded reads a message in the message as one of its own.
func (l *leaf) forwarded(e *entityReader, kind childKind) {
	depth := e.depth + len(e.open) + 1
	if depth > e.found.options.maxDepth() || e.nested >= e.found.options.maxForwarded() {
		e.found.odd |= depthLimit
		return
	}
	l.child = l.idle
	if l.child == nil {
		l.child = new(entityReader)
	}
	if e.nested == 0 { // deeper ones are rare
		l.idle = l.child
	}
	l.child.reset(e.found, depth, e.nested+1)
	l.child.beginHead(kind)
}

// attachmentCost is what one takes beside its names.
const attachmentCost = 320

func (l *leaf) attach(e *entityReader, d *description) {
	if len(l.found.attachments) >= l.found.options.maxAttachments() {
		l.found.odd |= attachmentsLimit
		return
	}
	l.at = len(l.found.attachments)
	a := Attachment{
		Filename: cutText(d.filename, l.found.options.maxName()), ContentType: d.mediaType, Disposition: d.disposition, Charset: d.charset,
		Forwarded: e.nested, Truncated: true,
	}
	l.found.attachments = append(l.found.attachments, a)
	l.found.octets += attachmentCost + len(a.Filename)
	if l.hash == nil {
		l.hash = sha256.New()
	}
	l.hash.Reset()
	l.head = l.head[:0]
	l.archive.reset()
	l.rar.reset()
	l.tar.reset()
	l.tnef.reset()
	l.ole.reset()
	l.volume.reset()
	l.judgeNames(d)
	if _, ext := cutExtension(trimName(d.filename)); isZip(ext) {
		l.archive.expect()
	}
}

// file is the attachment being read.
func (l *leaf) file() *Attachment { return &l.found.attachments[l.at] }

// write takes octets. In a multipart a line end is held back until it is known
// whether a delimiter follows, to which it belongs.
func (l *leaf) write(b []byte, inMultipart bool) {
	if !l.wanted || len(b) == 0 {
		return
	}
	if !inMultipart {
		l.octets(b)
		return
	}
	if l.holding == 1 && l.held[0] == '\r' && b[0] == '\n' {
		l.held[1], l.holding = '\n', 2
		if b = b[1:]; len(b) == 0 {
			return
		}
	}
	l.release()
	n := len(b) - lineEnd(b)
	l.octets(b[:n])
	l.holding = copy(l.held[:], b[n:])
}

// lineEnd is how many octets at the end are a line end, or may become one.
func lineEnd(b []byte) int {
	n := len(b)
	switch {
	case b[n-1] == '\n' && n > 1 && b[n-2] == '\r':
		return 2
	case b[n-1] == '\n' || b[n-1] == '\r':
		return 1
	}
	return 0
}

// release gives a line end that was held back.
func (l *leaf) release() {
	n := l.holding
	l.holding = 0
	if n > 0 {
		l.octets(l.held[:n])
	}
}

// octets takes what belongs to the content for sure.
func (l *leaf) octets(b []byte) {
	if l.armor.left > 0 && l.found.protection == "" {
		l.found.protection = l.armor.find(b)
	}
	if l.decoder.identity() {
		l.data(b)
		return
	}
	if l.at < 0 && l.child == nil && l.report == nil {
		return
	}
	for len(b) > 0 {
		n := min(len(b), chunkSize)
		l.scratch = l.decoder.decode(l.scratch[:0], b[:n])
		l.data(l.scratch)
		b = b[n:]
	}
	if l.decoder.odd() {
		l.found.odd |= badEncoding
	}
}

// data takes decoded octets.
func (l *leaf) data(b []byte) {
	if len(b) == 0 {
		return
	}
	if l.child != nil {
		l.child.write(b)
	}
	if l.holed {
		return
	}
	if l.report != nil {
		l.report.write(b)
	}
	if l.at < 0 {
		return
	}
	at := l.file().Size
	l.file().Size = at + int64(len(b))
	l.hash.Write(b)
	l.head = append(l.head, b[:min(len(b), headSize-len(l.head))]...)
	l.archive.write(l, b)
	l.rar.write(l, b)
	l.tar.write(l, b)
	l.tnef.write(l, b)
	l.ole.write(l, b)
	l.volume.write(l, b, at)
}

// sniff looks at the first octets.
func (l *leaf) sniff() {
	if l.at < 0 || len(l.head) == 0 {
		return
	}
	if l.file().Sniffed == "" {
		l.file().Sniffed = sniff(l.head)
	}
	l.judgeContent()
	if name := gzipName(l.head); len(name) > 0 && len(l.file().Names) == 0 {
		l.addName(clean(name))
	}
}

// lost ends the file: what comes may be of another part. In a forwarded
// message that stands as it is, delimiters are still to be found.
func (l *leaf) lost() {
	if !l.wanted {
		return
	}
	l.sniff()
	l.holed, l.holding = true, 0
	l.report = nil
	l.armor.stop()
	if l.child != nil {
		l.child.lost()
	}
	l.wanted = l.child != nil && l.decoder.identity()
}

// end says that the part is over, and whether nothing of it is missing.
func (l *leaf) end(whole bool) {
	l.holding = 0
	if !l.wanted && !l.holed {
		return
	}
	if !l.holed {
		l.scratch = l.decoder.end(l.scratch[:0])
		l.data(l.scratch)
	}
	if l.child != nil {
		l.child.end()
	}
	if l.report != nil {
		l.report.end()
	}
	l.sniff()
	if l.at >= 0 && whole && !l.holed {
		a := l.file()
		a.Truncated = false
		if l.archive.cut() {
			l.found.odd |= badArchive
		}
		a.SHA256 = hexOf(l.hash.Sum(l.sum[:0]))
	}
	l.child, l.report = nil, nil
}

func hexOf(sum []byte) string {
	var text [2 * sha256.Size]byte
	return string(text[:hex.Encode(text[:], sum)])
}
