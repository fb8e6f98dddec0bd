package smtp

import "bytes"

// part is a reply that comes in parts, or is above the limit.
type part struct {
	line     []byte // a line that is not complete
	lineAt   int64  // stream offset of the line being read
	lineTime int64  // packet time of its first octet
	text     []byte // lines of the reply so far
	enhanced [16]byte
	enhLen   int
	code     int // 0: none yet
	begin    int64
	time     int64 // packet time of begin
	long     bool
	behind   []byte // a line that was read but belongs to the next reply
}

func (p *part) begun() bool { return p.code != 0 || len(p.line) > 0 }

// assemble reads on in a reply line by line.
func (s *Server) assemble(r *Reply) bool {
	if s.part == nil {
		s.part = new(part)
	}
	for {
		line, ok := s.nextLine()
		if !ok {
			s.in = nil
			return false
		}
		if s.add(line, r) {
			return true
		}
	}
}

// nextLine returns one line without its line end.
func (s *Server) nextLine() ([]byte, bool) {
	p := s.part
	if p.behind != nil {
		line := p.behind
		p.behind = nil
		return line, true
	}
	if len(s.in) == 0 {
		return nil, false
	}
	if len(p.line) == 0 {
		p.lineAt, p.lineTime = s.offset, s.time
	}
	i := bytes.IndexByte(s.in, '\n')
	n := i + 1
	if i < 0 {
		n = len(s.in)
	}
	octets := s.in[:n]
	s.take(n)
	if i >= 0 && len(p.line) == 0 && len(octets) <= s.limit() {
		return trimEnd(octets), true
	}
	if room := s.limit() - len(p.line); len(octets) > room {
		octets = octets[:max(room, 0)]
		p.long = true
	}
	p.line = append(p.line, octets...)
	if i < 0 {
		return nil, false
	}
	line := trimEnd(p.line)
	p.line = p.line[:0]
	return line, true
}

// add joins a line to the reply; true where r is filled.
func (s *Server) add(line []byte, r *Reply) bool {
	p := s.part
	code, more, text, ok := splitReply(line)
	if !ok {
		return s.odd(line, r)
	}
	if p.code == 220 && code != 220 {
		// postscreen's teaser "220-" is never followed by "220 ": the next
		// reply has another code. Elsewhere mixed codes are one reply.
		s.emit(r, p.lineAt)
		s.part = &part{behind: bytes.Clone(line), lineAt: p.lineAt, lineTime: p.lineTime}
		return true
	}
	first := p.code == 0
	if first {
		p.begin, p.time = p.lineAt, p.lineTime
	}
	p.code = code
	p.keep(text, first, s.limit())
	if more {
		return false
	}
	s.emit(r, s.offset)
	return true
}

func (s *Server) odd(line []byte, r *Reply) bool {
	p := s.part
	if p.code != 0 || len(line) == 0 {
		return false // inside a reply, or an empty line: left out
	}
	p.begin, p.time = p.lineAt, p.lineTime
	p.text = append(p.text[:0], line...)
	s.emit(r, s.offset)
	return true
}

func (p *part) keep(text []byte, first bool, limit int) {
	if p.enhLen == 0 {
		p.enhLen = copy(p.enhanced[:], enhancedCode(text, p.code))
	}
	room := limit - len(p.text)
	if room <= 0 {
		p.long = true
		return
	}
	if !first {
		p.text = append(p.text, '\n')
		room--
	}
	if len(text) > room {
		text, p.long = text[:room], true
	}
	p.text = append(p.text, text...)
}

// emit hands the part out: r has it for itself.
func (s *Server) emit(r *Reply, end int64) {
	p := s.part
	*r = Reply{
		Code: p.code, Lines: p.text, Enhanced: p.enhanced[:p.enhLen], Begin: p.begin, End: end, BeginTime: p.time,
		Headless: s.headless, Long: p.long, room: r.room,
	}
	s.part, s.headless = nil, false
}
