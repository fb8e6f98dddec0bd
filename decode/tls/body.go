package tls

// body is that of the record being read, where it is to be opened.
type body struct {
	fed    int64  // octets of the direction so far, lost ones included
	take   bool   // it is to be opened
	spoilt bool   // octets of it were lost
	part   []byte // what came of it, where it came in parts
	whole  []byte // all of it when it has ended: part, or borrowed from the feed
}

// collect puts the body together. One that comes in one piece is not copied.
func (y *body) collect(length int, b []byte) {
	y.fed += int64(len(b))
	switch {
	case !y.take || y.spoilt:
		return
	case len(b) == length:
		y.whole = b
		return
	}
	if cap(y.part) < length {
		y.part = append(make([]byte, 0, length), y.part...)
	}
	y.part = append(y.part, b...)
	y.whole = y.part
}

// letGo ends the hold of a body. The buffer stays while records are long.
func (y *body) letGo(length int) {
	y.giveUp()
	if cap(y.part) > shortText && length <= shortText {
		y.part = nil
	}
}

func (y *body) giveUp() { y.part, y.whole, y.take = y.part[:0], nil, false }
