package smtp

import "bytes"

// Reply is one reply of the server (RFC 5321, 4.2), its lines joined. What it
// points to is borrowed until the next Next.
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
}

// Server cuts the server's direction into replies. The zero value works.
type Server struct {
	Limit int // octets of one reply that are kept; default 64 KiB

	raw      bool
	in       []byte
	offset   int64
	time     int64
	line     []byte // a line that is not complete
	lineAt   int64  // stream offset of the line being read
	lineTime int64  // packet time of its first octet
	text     []byte // lines of the reply so far
	enhanced [16]byte
	enhLen   int
	code     int // of the reply that is not complete; 0: none
	begin    int64
	begun    int64 // packet time of begin
	long     bool
	headless bool
	emitted  bool
	pending  int64
	behind   []byte // a line that was read but belongs to the next reply
}

// SetRaw makes all that follows opaque.
func (s *Server) SetRaw() { s.raw = true; s.reset() }

// Partial says whether a reply has begun and is not complete.
func (s *Server) Partial() bool { return s.code != 0 || len(s.line) > 0 }

// Feed adds octets, seen at a packet time. They are borrowed: all replies must
// be pulled before they change.
func (s *Server) Feed(b []byte, offset, time int64) {
	s.in, s.offset, s.time = b, offset, time
}

// Gap says that n octets were lost. A reply that was not complete is lost with
// them.
func (s *Server) Gap(n int64) { s.pending += n }

// Next pulls the next reply; false where more octets are needed.
func (s *Server) Next(r *Reply) bool {
	*r = Reply{}
	if s.emitted {
		s.reset()
	}
	if s.pending > 0 && s.behind == nil {
		return s.lost(r)
	}
	if s.raw {
		return s.nextRaw(r)
	}
	for {
		line, ok := s.nextLine()
		if !ok {
			return false
		}
		if s.add(line, r) {
			return true
		}
	}
}

func (s *Server) lost(r *Reply) bool {
	r.Lost, r.Begin, r.End = s.pending, s.offset, s.offset
	s.pending = 0
	s.reset()
	s.line = s.line[:0]
	s.headless = true
	return true
}

func (s *Server) nextRaw(r *Reply) bool {
	if len(s.in) == 0 {
		return false
	}
	r.Raw, r.Begin, r.BeginTime = s.in, s.offset, s.time
	s.offset += int64(len(s.in))
	r.End = s.offset
	s.in = nil
	return true
}

func (s *Server) limit() int {
	if s.Limit > 0 {
		return s.Limit
	}
	return 64 << 10
}

// nextLine returns one line without its line end.
func (s *Server) nextLine() ([]byte, bool) {
	if s.behind != nil {
		line := s.behind
		s.behind = nil
		return line, true
	}
	if len(s.in) == 0 {
		return nil, false
	}
	if len(s.line) == 0 {
		s.lineAt, s.lineTime = s.offset, s.time
	}
	i := bytes.IndexByte(s.in, '\n')
	n := i + 1
	if i < 0 {
		n = len(s.in)
	}
	part := s.in[:n]
	s.in = s.in[n:]
	s.offset += int64(n)
	if i >= 0 && len(s.line) == 0 && len(part) <= s.limit() {
		return trimEnd(part), true
	}
	if room := s.limit() - len(s.line); len(part) > room {
		part = part[:max(room, 0)]
		s.long = true
	}
	s.line = append(s.line, part...)
	if i < 0 {
		return nil, false
	}
	line := trimEnd(s.line)
	s.line = s.line[:0]
	return line, true
}

func trimEnd(b []byte) []byte {
	for len(b) > 0 && (b[len(b)-1] == '\n' || b[len(b)-1] == '\r') {
		b = b[:len(b)-1]
	}
	return b
}

// add joins a line to the reply; true where r is filled.
func (s *Server) add(line []byte, r *Reply) bool {
	code, more, text, ok := splitReply(line)
	if !ok {
		return s.odd(line, r)
	}
	if s.code == 220 && code != 220 {
		// postscreen's teaser "220-" is never followed by "220 ": the next
		// reply has another code. Elsewhere mixed codes are one reply.
		s.behind = append([]byte(nil), line...)
		return s.emit(r, s.lineAt)
	}
	first := s.code == 0
	if first {
		s.begin, s.begun = s.lineAt, s.lineTime
	}
	s.code = code
	s.keep(text, first)
	if more {
		return false
	}
	return s.emit(r, s.offset)
}

func (s *Server) odd(line []byte, r *Reply) bool {
	if s.code != 0 || len(line) == 0 {
		return false // inside a reply, or an empty line: left out
	}
	s.begin, s.begun = s.lineAt, s.lineTime
	s.text = append(s.text[:0], line...)
	return s.emit(r, s.offset)
}

func (s *Server) keep(text []byte, first bool) {
	if s.enhLen == 0 {
		s.enhLen = copy(s.enhanced[:], enhancedCode(text, s.code))
	}
	room := s.limit() - len(s.text)
	if room <= 0 {
		s.long = true
		return
	}
	if !first {
		s.text = append(s.text, '\n')
		room--
	}
	if len(text) > room {
		text, s.long = text[:room], true
	}
	s.text = append(s.text, text...)
}

func (s *Server) emit(r *Reply, end int64) bool {
	*r = Reply{Code: s.code, Lines: s.text, Enhanced: s.enhanced[:s.enhLen], Begin: s.begin, End: end, BeginTime: s.begun, Headless: s.headless, Long: s.long}
	s.emitted = true
	return true
}

func (s *Server) reset() {
	s.text, s.enhLen, s.code = s.text[:0], 0, 0
	s.long, s.headless, s.emitted = false, false, false
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
