package mail

import "bytes"

// entityReader reads an entity (RFC 2045, 2.4): the message's own body, or a
// forwarded message with its header. It looks for the delimiters of all
// multiparts that are open, so a parent's closes its children, and gives
// what stands between to the reader of a header or of a content.
type entityReader struct {
	found  *findings
	depth  int // multiparts and messages around this entity
	nested int // messages around it

	open   []multipart
	state  entityState
	header HeaderReader
	child  childKind // whether the header is that of a forwarded message
	leaf   leaf

	lineStart bool
	line      []byte // a line that may be a delimiter, of which the end has not come
	longest   int    // of the open boundaries
}

// childKind tells a part of the entity from a message that is the entity.
type childKind uint8

const (
	noChild     childKind = iota
	message               // a forwarded message
	messageHead           // the header of one (RFC 6522, 4)
)

type entityState uint8

const (
	skipping    entityState = iota // preamble, epilogue, or what cannot be read
	readingHead                    // the header of a part
	readingLeaf                    // its content
)

const plainText = "text/plain"

// reset begins another entity with the memory of the one before.
func (e *entityReader) reset(found *findings, depth, nested int) {
	e.found, e.depth, e.nested = found, depth, nested
	e.open, e.line = e.open[:0], e.line[:0]
	e.state, e.child, e.lineStart, e.longest = skipping, noChild, false, 0
}

// write takes the next octets of the entity.
func (e *entityReader) write(b []byte) {
	for len(b) > 0 && !e.found.over {
		switch {
		case len(e.open) == 0 && e.state == skipping:
			return
		case len(e.open) == 0:
			b = b[e.content(b):]
			continue
		case len(e.line) > 0 || e.lineStart:
			b = b[e.candidate(b):]
			if e.lineStart || len(b) == 0 {
				continue
			}
		}
		b = b[e.inLine(b):]
	}
}

// delimiter ends the part before it, and the multiparts in it, and begins the
// next part.
func (e *entityReader) delimiter(level int, closing bool) {
	e.endPart(true)
	e.leave(level + 1)
	if closing {
		e.open = e.open[:level]
		e.measure()
		return
	}
	e.open = e.open[:level+1]
	e.open[level].begun = true
	e.measure()
	if e.found.count >= e.found.options.maxParts() {
		e.found.odd |= partsLimit
		e.found.over = true
		return
	}
	e.found.count++
	e.beginHead(noChild)
}

// beginHead expects the header of a part or of a forwarded message.
func (e *entityReader) beginHead(child childKind) {
	e.header.ofPart = true
	e.header.shared = e.found.options
	e.header.Reset()
	e.child = child
	e.state = readingHead
}

// endPart ends what was being read. A header without content is a part too.
func (e *entityReader) endPart(whole bool) {
	switch e.state {
	case readingHead:
		if !e.header.Done() {
			e.header.Stop()
			e.header.cut = !whole
			e.headEnded()
			e.endPart(whole)
		}
	case readingLeaf:
		e.leaf.end(whole)
	}
	e.state = skipping
}

// content gives octets to what is being read and says how many were taken: a
// header may end among them.
func (e *entityReader) content(b []byte) int {
	switch e.state {
	case readingLeaf:
		e.leaf.write(b, len(e.open) > 0)
	case readingHead:
		n := e.header.Write(b)
		if e.header.Done() {
			cut := e.header.cut
			e.headEnded()
			e.lineStart = !cut
			if rest := e.header.Leftover(); len(rest) > 0 {
				e.write(bytes.Clone(rest))
			}
		}
		return n
	}
	return len(b)
}

func (e *entityReader) headEnded() {
	standard := plainText
	if n := len(e.open); n > 0 && e.open[n-1].kind == "multipart/digest" {
		standard = "message/rfc822" // RFC 2046, 5.1.5
	}
	if e.header.limited || e.header.overlong {
		e.found.odd |= partHeaderLimit
	}
	d := e.header.describe(standard, e.found.options.maxName())
	e.found.odd |= d.odd
	if e.child != noChild {
		e.found.original(&e.header, e.nested)
	}
	if e.state = skipping; e.child != messageHead {
		e.enter(&d, e.header.cut)
	}
}

// enter begins a content. Behind a header that was cut nothing but a
// multipart's delimiters can be told from it.
func (e *entityReader) enter(d *description, cut bool) {
	e.state = skipping
	if e.nested == 0 {
		e.found.protect(d)
	}
	switch {
	case d.isMultipart():
		e.found.reportBegins(d, e.nested)
		if d.encoding == base64Name || d.encoding == quotedName || d.encoding == uuName {
			e.found.odd |= badEncoding // RFC 2045, 6.4
		}
		e.push(d)
	case !cut:
		e.state = readingLeaf
		e.leaf.begin(e, d)
	}
}

// lost makes the part that was being read end here, as far as can be told.
func (e *entityReader) lost() {
	e.line, e.lineStart = e.line[:0], false // it may have been a delimiter
	switch e.state {
	case readingHead:
		e.header.Stop()
		e.headEnded()
	case readingLeaf:
		e.leaf.lost()
	}
}

// end says that the entity is whole.
func (e *entityReader) end() {
	if len(e.line) > 0 && !e.found.over {
		if level, closing := e.match(e.line); level >= 0 {
			e.line = e.line[:0]
			e.delimiter(level, closing)
		} else {
			e.release()
		}
	}
	if !e.found.over {
		e.leave(0)
	}
	if e.state == readingLeaf {
		e.leaf.release() // a line end that no delimiter claimed
	}
	e.endPart(!e.found.over)
	e.open = e.open[:0]
}
