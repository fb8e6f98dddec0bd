package tls

// reader takes fields off a message. Where there are too few octets short is
// set and what is returned is zero, then and ever after.
type reader struct {
	b     []byte
	short bool
}

func (r *reader) more() bool { return !r.short && len(r.b) > 0 }

// spent says that the fields taken were the whole message.
func (r *reader) spent() bool { return !r.short && len(r.b) == 0 }

func (r *reader) take(n int) []byte {
	if r.short || n > len(r.b) {
		r.short = true
		return nil
	}
	b := r.b[:n]
	r.b = r.b[n:]
	return b
}

// number reads a big-endian number of so many octets.
func (r *reader) number(octets int) int {
	n := 0
	for _, b := range r.take(octets) {
		n = n<<8 | int(b)
	}
	return n
}

// vector takes a field behind its length, which has so many octets.
func (r *reader) vector(octets int) []byte { return r.take(r.number(octets)) }

// list is a vector to be read on.
func (r *reader) list(octets int) reader { return reader{b: r.vector(octets)} }

// extensions returns the extensions of a hello, which may have none.
func (r *reader) extensions() reader {
	if !r.more() {
		return reader{}
	}
	return r.list(2)
}

func (r *reader) extension() (kind int, body []byte) {
	kind = r.number(2)
	return kind, r.vector(2)
}

// printable makes a string of what should be ASCII; other octets become
// question marks, so that no log or terminal meets them.
func printable(b []byte) string {
	const longest = 255 // RFC 1035, 2.3.4; RFC 7301, 3.1
	var room [longest]byte
	clean := room[:copy(room[:], b)]
	for i, c := range clean {
		if c < ' ' || c > '~' {
			clean[i] = '?'
		}
	}
	return string(clean)
}
