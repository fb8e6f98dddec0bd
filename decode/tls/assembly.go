package tls

// assembly holds what came of handshake messages that are cut into records, and
// records into segments, without regard to each other: of each sender those in
// clear and those under encryption. Where messages come whole there is none.
type assembly struct {
	clear, inner [2]messages
}

// messages puts the handshake messages of one direction together.
type messages struct {
	header  [messageHeader]byte
	nheader uint8
	keep    bool   // the body is wanted
	fact    bool   // and tells of facts
	unsure  bool   // after a loss: what comes may be the middle of a message
	skip    bool   // and is, for the rest of this record
	left    int    // octets of the body still to come
	buf     []byte // the body so far, where it is kept and came in parts
}

// messages are those that are held of a side; nil for none.
func (w *Watch) messages(s *side, inner bool) *messages {
	switch {
	case w.assembly == nil:
		return nil
	case inner:
		return &w.assembly.inner[w.sender(s)]
	}
	return &w.assembly.clear[w.sender(s)]
}

// assembling is messages where some are to be held.
func (w *Watch) assembling(s *side, inner bool) *messages {
	if w.assembly == nil {
		w.assembly = new(assembly)
		w.assembly.clear[w.sender(&w.client)].unsure = w.client.unsure
		w.assembly.clear[w.sender(&w.server)].unsure = w.server.unsure
	}
	return w.messages(s, inner)
}

// release gives the memory back when the handshake in clear is over.
func (w *Watch) release(s *side) {
	m := w.messages(s, false)
	if m == nil {
		return
	}
	s.unsure = m.unsure
	*m = messages{unsure: m.unsure}
	a := w.assembly
	if other := &a.clear[1-w.sender(s)]; other.idle() && a.inner[0].untouched() && a.inner[1].untouched() {
		w.side(1 - w.sender(s)).unsure = other.unsure
		w.assembly = nil
	}
}

// idle says that nothing is known but perhaps unsure.
func (m *messages) idle() bool {
	return m.nheader == 0 && !m.skip && m.buf == nil
}

func (m *messages) untouched() bool { return m.idle() && !m.unsure }

func (m *messages) length() int {
	return int(m.header[1])<<16 | int(m.header[2])<<8 | int(m.header[3])
}

// lose takes a loss inside a record. The message it falls into is passed
// over; one that it goes beyond leaves the place of the next unknown.
func (m *messages) lose(n int) {
	if m.nheader < messageHeader || n > m.left {
		m.restart()
		m.skip = true
		return
	}
	m.left -= n
	m.keep = false
	if m.left == 0 {
		m.nheader = 0
	}
}

// restart expects a message at the start of the next record, if anywhere.
func (m *messages) restart() {
	m.nheader, m.left = 0, 0
	m.keep, m.skip = false, false
	m.unsure = true
}
