package smtp

import "bytes"

// Reply is one reply of the server (RFC 5321, 4.2), its lines joined. What it
// points to is borrowed until the next Next. One Reply serves all servers, and
// lines are joined in it: a copy of it is for reading only.
type Reply struct {
	Code      int    // 0 for a line that is no reply
	Lines     []byte // texts of the lines behind code and separator, joined by LF
	Enhanced  []byte // enhanced status code of the first line that has one (RFC 2034)
	Lost      int64  // octets lost: a gap, no reply
	Raw       []byte // octets behind STARTTLS or of another protocol
	Begin     int64  // stream offset of the first octet
	End       int64  // stream offset behind the last octet
	BeginTime int64  // packet time of the first octet, nanoseconds
	Headless  bool   // the first lines may be missing: it follows a gap
	Long      bool   // cut at the limit

	room []byte // for lines that are joined
}

// Server cuts the server's direction into replies. The zero value works. What
// it holds between replies is 64 octets; the octets of a reply are held only
// where it comes in parts.
type Server struct {
	in       []byte
	offset   int64
	time     int64
	part     *part // of a reply that is not complete
	pending  int64
	raw      bool
	headless bool // the lines before may have been lost

	Limit uint32 // octets of one reply that are kept; default 64 KiB
}

// SetRaw makes all that follows opaque.
func (s *Server) SetRaw() { s.raw, s.part, s.headless = true, nil, false }

// Partial says whether a reply has begun and is not complete.
func (s *Server) Partial() bool { return s.part != nil && s.part.begun() }

// Held is the memory that a reply takes of which the end has not come.
func (s *Server) Held() int {
	if s.part == nil {
		return 0
	}
	return cap(s.part.line) + cap(s.part.text) + cap(s.part.behind)
}

// Feed adds octets, seen at a packet time. They are borrowed: all replies must
// be pulled before they change.
func (s *Server) Feed(b []byte, offset, time int64) {
	s.in, s.offset, s.time = b, offset, time
}

// Gap says that n octets were lost. A reply that was not complete is lost with
// them.
func (s *Server) Gap(n int64) { s.pending += n }

// Next pulls the next reply; false where more octets are needed: then r means
// nothing.
func (s *Server) Next(r *Reply) bool {
	ahead := s.part != nil && s.part.behind != nil
	switch {
	case s.pending > 0 && !ahead:
		return s.lost(r)
	case len(s.in) == 0 && !ahead:
		s.in = nil
		return false
	case s.raw:
		return s.nextRaw(r)
	case s.part == nil && s.whole(r):
		return true
	case len(s.in) == 0 && s.part == nil: // empty lines
		return false
	}
	return s.assemble(r)
}

func (s *Server) lost(r *Reply) bool {
	*r = Reply{Lost: s.pending, Begin: s.offset, End: s.offset, room: r.room}
	s.pending, s.part, s.headless = 0, nil, true
	return true
}

func (s *Server) nextRaw(r *Reply) bool {
	*r = Reply{Raw: s.in, Begin: s.offset, BeginTime: s.time, room: r.room}
	s.offset += int64(len(s.in))
	r.End = s.offset
	s.in = nil
	return true
}

func (s *Server) limit() int {
	if s.Limit > 0 {
		return int(s.Limit)
	}
	return 64 << 10
}

// whole reads a reply that stands whole in the feed, as nearly all do; it is
// not copied. Where there is another, nothing but empty lines was read.
func (s *Server) whole(r *Reply) bool {
	*r = Reply{BeginTime: s.time, room: r.room[:0]}
	limit := s.limit()
	for at := 0; ; {
		n := bytes.IndexByte(s.in[at:], '\n') + 1
		if n == 0 || at+n > limit {
			return false
		}
		line := trimEnd(s.in[at : at+n])
		code, more, text, ok := splitReply(line)
		switch {
		case ok && r.Code == 220 && code != 220:
			return false // the end of postscreen's teaser
		case ok:
			r.join(code, text, at > 0)
		case at > 0: // inside a reply: left out
			more = true
		case len(line) > 0:
			r.Lines = line
		default:
			s.take(n)
			continue
		}
		if at += n; more {
			continue
		}
		r.Begin, r.Headless = s.offset, s.headless
		s.headless = false
		s.take(at)
		r.End = s.offset
		return true
	}
}

// join adds the text of a line. One line is borrowed; with a second one the
// room is used.
func (r *Reply) join(code int, text []byte, second bool) {
	r.Code = code
	if len(r.Enhanced) == 0 {
		r.Enhanced = enhancedCode(text, code)
	}
	if !second {
		r.Lines = text
		return
	}
	if len(r.room) == 0 {
		r.room = append(r.room, r.Lines...)
	}
	r.room = append(append(r.room, '\n'), text...)
	r.Lines = r.room
}

func (s *Server) take(n int) {
	s.in = s.in[n:]
	s.offset += int64(n)
}

func trimEnd(b []byte) []byte {
	for len(b) > 0 && (b[len(b)-1] == '\n' || b[len(b)-1] == '\r') {
		b = b[:len(b)-1]
	}
	return b
}

// splitReply takes a reply line apart: three digits, a separator, text. A
// code alone is a whole reply (RFC 5321, 4.2.1).
func splitReply(line []byte) (code int, more bool, text []byte, ok bool) {
	if len(line) < 3 {
		return 0, false, nil, false
	}
	for _, c := range line[:3] {
		if c < '0' || c > '9' {
			return 0, false, nil, false
		}
		code = code*10 + int(c-'0')
	}
	if code < 100 {
		return 0, false, nil, false
	}
	if len(line) == 3 {
		return code, false, nil, true
	}
	switch line[3] {
	case '-':
		return code, true, line[4:], true
	case ' ', '\t':
		return code, false, line[4:], true
	}
	return 0, false, nil, false
}

// IsReply says whether a line is one of a reply.
func IsReply(line []byte) bool {
	_, _, _, ok := splitReply(trimEnd(line))
	return ok
}

// enhancedCode finds class.subject.detail at the begin of a reply's text
// (RFC 3463, 2); its class must be the reply's (RFC 2034, 4). Cisco ESA writes
// "#" before it.
func enhancedCode(text []byte, code int) []byte {
	if len(text) > 0 && text[0] == '#' {
		text = text[1:]
	}
	if len(text) < 5 || text[1] != '.' || code/100 != int(text[0]-'0') || text[0] != '2' && text[0] != '4' && text[0] != '5' {
		return nil
	}
	n := digits(text[2:])
	i := 2 + n
	if n == 0 || i >= len(text) || text[i] != '.' {
		return nil
	}
	n = digits(text[i+1:])
	i += 1 + n
	if n == 0 {
		return nil
	}
	if i < len(text) {
		switch text[i] {
		case ' ', '\t', ':', ';', ',':
		default:
			return nil
		}
	}
	return text[:i]
}

// digits counts the digits at the begin, at most the three that a number has
// (RFC 3463, 2).
func digits(b []byte) int {
	n := 0
	for n < len(b) && n < 3 && isDigit(b[n]) {
		n++
	}
	return n
}
