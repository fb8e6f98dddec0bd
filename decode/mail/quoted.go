package mail

import "bytes"

// quotedDecoder reads quoted-printable as mail readers do (RFC 2045, 6.7): an
// escape that is none stays as it stands.
type quotedDecoder struct {
	held []byte // the start of an escape, or blanks that may end a line
	odd  bool
}

// maxHeld is how many blanks are held back: a line has 76 octets (RFC 2045, 6.7).
const maxHeld = 998

func (d *quotedDecoder) decode(out, b []byte) []byte {
	for len(b) > 0 {
		if len(d.held) == 0 {
			out, b = decodeQuotedLines(out, b)
		}
		for inLine := true; inLine && len(b) > 0; { // what the lines left, octet by octet
			if len(d.held) == 0 {
				n := plainRun(b)
				out = append(out, b[:n]...)
				if b = b[n:]; len(b) == 0 {
					break
				}
			}
			inLine = b[0] != '\n'
			out = d.octet(out, b[0])
			b = b[1:]
		}
	}
	return out
}

// decodeQuotedLines decodes the lines that have their end in b and are as the
// encoding makes them. It returns what it did not take.
func decodeQuotedLines(out, b []byte) (decoded, rest []byte) {
	for {
		end := bytes.IndexByte(b, '\n')
		if end < 0 {
			return out, b
		}
		n := end
		if n > 0 && b[n-1] == '\r' {
			n--
		}
		if n > 0 && (b[n-1] == ' ' || b[n-1] == '\t') {
			return out, b
		}
		at := 0 // what is before has been taken
		for {
			i := bytes.IndexByte(b[at:n], '=')
			if i < 0 {
				out = append(out, b[at:end+1]...)
				break
			}
			out = append(out, b[at:at+i]...)
			if at += i; at == n-1 { // a soft line break
				break
			}
			if at+2 >= n || hexDigit(b[at+1])|hexDigit(b[at+2]) > 15 {
				return out, b[at:]
			}
			out = append(out, hexDigit(b[at+1])<<4|hexDigit(b[at+2]))
			at += 3
		}
		b = b[end+1:]
	}
}

// plainRun is how many octets at the start stand for themselves, whatever
// comes behind them.
func plainRun(b []byte) int {
	i := 0
	for i < len(b) {
		switch c := b[i]; {
		case c == '=' || c == '\r':
			return i
		case (c == ' ' || c == '\t') && (i+1 == len(b) || b[i+1] <= ' '):
			return i
		}
		i++
	}
	return i
}

// octet takes one octet where the one before may matter, or this one itself.
func (d *quotedDecoder) octet(out []byte, c byte) []byte {
	if len(d.held) > 0 && d.held[0] == '=' {
		return d.escape(out, c)
	}
	switch {
	case c == '\n': // blanks at the end of a line were added on the way
		if bytes.HasSuffix(d.held, []byte("\r")) {
			out = append(out, '\r')
		}
		d.held = d.held[:0]
		return append(out, '\n')
	case (c == ' ' || c == '\t' || c == '\r') && len(d.held) < maxHeld && !bytes.HasSuffix(d.held, []byte("\r")):
		d.held = append(d.held, c)
		return out
	}
	out = d.release(out)
	if c == '=' || c == ' ' || c == '\t' || c == '\r' {
		d.held = append(d.held, c)
		return out
	}
	return append(out, c)
}

// release gives what was held as it stands.
func (d *quotedDecoder) release(out []byte) []byte {
	out = append(out, d.held...)
	d.held = d.held[:0]
	return out
}

// escape takes an octet behind =: one of two digits, or of a soft line break,
// before whose end blanks may have been added.
func (d *quotedDecoder) escape(out []byte, c byte) []byte {
	last := d.held[len(d.held)-1]
	inBreak := len(d.held) > 1 && isBlank(last)
	switch {
	case c == '\n':
		if len(d.held) == 1 || inBreak {
			d.held = d.held[:0]
			return out
		}
	case (c == ' ' || c == '\t' || c == '\r') && (len(d.held) == 1 || inBreak) && last != '\r' && len(d.held) < maxHeld:
		d.held = append(d.held, c)
		return out
	case hexDigit(c) < 16 && len(d.held) == 1:
		d.held = append(d.held, c)
		return out
	case hexDigit(c) < 16 && !inBreak:
		out = append(out, hexDigit(last)<<4|hexDigit(c))
		d.held = d.held[:0]
		return out
	}
	d.odd = true
	return d.octet(d.release(out), c)
}

// end gives what was held: a = at the very end is a soft line break.
func (d *quotedDecoder) end(out []byte) []byte {
	if len(d.held) > 0 && d.held[0] == '=' && (len(d.held) == 1 || isBlank(d.held[1])) {
		d.held = d.held[:0]
		return out
	}
	if blanks := bytes.TrimRight(d.held, " \t"); len(d.held) > 0 && len(blanks) == 0 {
		d.held = d.held[:0] // the line break behind them went with the delimiter
		return out
	}
	return d.release(out)
}
