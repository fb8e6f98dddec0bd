package mail

import (
	"bytes"
	"slices"
)

// multipart is one whose delimiters are looked for (RFC 2046, 5.1).
type multipart struct {
	boundary []byte
	kind     string // the media type
	begun    bool   // a delimiter was seen
}

// blanksBehind is how many blanks behind a delimiter (RFC 2046, 5.1.1) are
// put up with: the line is held back while it may be one.
const blanksBehind = 256

func (e *entityReader) push(d *description) {
	switch {
	case len(d.boundary) == 0:
		e.found.odd |= missingBoundary
		return
	case e.depth+len(e.open) >= e.found.options.maxDepth():
		e.found.odd |= depthLimit
		return
	}
	n := len(e.open)
	for i := range e.open {
		if bytes.Equal(e.open[i].boundary, d.boundary) {
			e.found.odd |= conflictingBoundary
		}
	}
	e.open = slices.Grow(e.open, 1)[:n+1]
	e.open[n] = multipart{boundary: append(e.open[n].boundary[:0], d.boundary...), kind: d.mediaType}
	e.longest = max(e.longest, len(d.boundary))
}

// inLine takes octets up to the next line that may be a delimiter.
func (e *entityReader) inLine(b []byte) int {
	n := e.nextLine(b)
	if taken := e.content(b[:n]); taken < n {
		return taken // a header ended here: what opens with it counts from here
	}
	e.lineStart = b[n-1] == '\n'
	return n
}

// nextLine is where the next line begins that may be a delimiter, or the end.
// Hyphens are rarer than lines, and base64 has none.
func (e *entityReader) nextLine(b []byte) int {
	at := 0
	for {
		i := bytes.Index(b[at:], []byte("--"))
		if i < 0 {
			break
		}
		if at += i; at > 0 && b[at-1] == '\n' {
			line, ends := e.lineOf(b[at:])
			if level, _ := e.match(line); level >= 0 || !ends && len(line) == len(b)-at {
				return at
			}
		}
		for at < len(b) && b[at] == '-' {
			at++
		}
	}
	if bytes.HasSuffix(b, []byte("\n-")) {
		return len(b) - 1
	}
	return len(b)
}

// lineOf is the line that b begins with, as far as it may be a delimiter, and
// whether its end was seen.
func (e *entityReader) lineOf(b []byte) (line []byte, ends bool) {
	room := e.longest + len("----") + blanksBehind - len(e.line)
	b = b[:min(len(b), room)]
	if i := bytes.IndexByte(b, '\n'); i >= 0 {
		return b[:i], true
	}
	return b, false
}

// candidate takes octets of a line that may be a delimiter. Where it cannot be
// one, lineStart is no more, and what is still in b is content.
func (e *entityReader) candidate(b []byte) int {
	if len(e.line) == 0 && b[0] != '-' || len(e.line) < 2 && len(e.line)+len(b) >= 2 && b[1-len(e.line)] != '-' {
		return e.release()
	}
	line, ends := e.lineOf(b)
	n := len(line)
	switch {
	case !ends && n < len(b):
		return e.release() // longer than any delimiter
	case !ends:
		e.line = append(e.line, line...)
		return n
	}
	if len(e.line) > 0 {
		line = append(e.line, line...)
	}
	level, closing := e.match(line)
	if level < 0 {
		return e.release()
	}
	e.line = e.line[:0]
	e.lineStart = true
	e.delimiter(level, closing)
	return n + 1
}

// release gives a line that is no delimiter to the content.
func (e *entityReader) release() int {
	line := e.line
	e.line, e.lineStart = nil, false
	if len(line) == 0 {
		return 0
	}
	if n := e.content(line); n < len(line) {
		e.write(line[n:])
	} else if len(e.line) == 0 {
		e.line = line[:0]
	}
	return 0
}

// match finds the open multipart of which a line is a delimiter: the one with
// the longest boundary, and of equal ones the innermost.
func (e *entityReader) match(line []byte) (level int, closing bool) {
	line = bytes.TrimRight(line, " \t\r")
	if len(line) < 2 || line[0] != '-' || line[1] != '-' {
		return -1, false
	}
	line = line[2:]
	for i := len(e.open) - 1; i >= 0; i-- {
		if bytes.Equal(line, e.open[i].boundary) {
			return i, false
		}
	}
	line, closing = bytes.CutSuffix(line, []byte("--"))
	for i := len(e.open) - 1; closing && i >= 0; i-- {
		if bytes.Equal(line, e.open[i].boundary) {
			return i, true
		}
	}
	return -1, false
}

// leave looks at the multiparts that end without their last delimiter. Reports
// return the start of a message only.
func (e *entityReader) leave(level int) {
	for i := level; i < len(e.open); i++ {
		if e.open[i].begun && !e.found.lost && (e.nested == 0 || e.found.report == nil) {
			e.found.odd |= unclosed
		}
	}
}

func (e *entityReader) measure() {
	e.longest = 0
	for i := range e.open {
		e.longest = max(e.longest, len(e.open[i].boundary))
	}
}
