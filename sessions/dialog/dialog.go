// Package dialog turns a written mail conversation into TCP segments, so that
// tests read as what was said: the project's own, and the tests of alert rules
// that mailtap rules test runs. What is said may be a secret: no error repeats it.
//
// A conversation is text, a line each:
//
//	C: EHLO client.example        the client sends the line and CR LF
//	S: 250 mail.example           so does the server
//	C" "A\n.\n"                   a Go string, sent as it is
//	!S: 354 go on                 sent, but never captured
//	wait 30s                      time passes
//	ack C                         acknowledges what the other side sent; also: ack S
//	close C                       FIN; also: close S, reset C, reset S
//	# remark
//
// Lines of one side that follow each other travel in one segment, unless an
// empty line stands between them. Time advances 10 ms a segment.
package dialog

import (
	"errors"
	"fmt"
	"net/netip"
	"strconv"
	"strings"
	"time"

	"github.com/mailtap/mailtap/capture/packet"
)

// Options says how a conversation travels. The zero value works.
type Options struct {
	Client, Server netip.AddrPort                // default 192.0.2.1:40000 and 192.0.2.25:25
	Start          time.Time                     // default 2026-01-02 03:04:05 UTC
	ISN            [2]uint32                     // of client and server; default 1000 and 5000
	Cut            func(payload []byte) [][]byte // splits the payload of a segment; default whole
	NoHandshake    bool                          // the capture begins after the SYNs
}

func (o Options) withDefaults() Options {
	if !o.Client.IsValid() {
		o.Client = netip.MustParseAddrPort("192.0.2.1:40000")
	}
	if !o.Server.IsValid() {
		o.Server = netip.MustParseAddrPort("192.0.2.25:25")
	}
	if o.Start.IsZero() {
		o.Start = time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	}
	if o.ISN == [2]uint32{} {
		o.ISN = [2]uint32{1000, 5000}
	}
	if o.Cut == nil {
		o.Cut = func(b []byte) [][]byte { return [][]byte{b} }
	}
	return o
}

type player struct {
	o    Options
	now  time.Time
	next [2]uint32
	out  []packet.Segment
	buf  []byte
	side int
	lost bool
}

// Segments plays a conversation and returns its segments in order.
func Segments(text string, o Options) ([]packet.Segment, error) {
	o = o.withDefaults()
	p := &player{o: o, now: o.Start, next: o.ISN}
	p.open()
	for n, line := range strings.Split(text, "\n") {
		if err := p.line(strings.TrimSuffix(line, "\r")); err != nil {
			return nil, fmt.Errorf("line %d: %w", n+1, err)
		}
	}
	p.flush()
	return p.out, nil
}

func (p *player) open() {
	segments := []struct {
		side  int
		flags uint8
	}{{0, packet.SYN}, {1, packet.SYN | packet.ACK}, {0, packet.ACK}}
	for _, s := range segments {
		if !p.o.NoHandshake {
			p.emit(s.side, s.flags, nil)
		}
		if s.flags&packet.SYN != 0 {
			p.next[s.side]++
		}
	}
	p.now = p.now.Add(10 * time.Millisecond)
}

func (p *player) line(line string) error {
	rest, lost := strings.CutPrefix(line, "!")
	switch {
	case line == "":
		p.flush()
		return nil
	case line[0] == '#':
		return nil
	case strings.HasPrefix(rest, "C: "), strings.HasPrefix(rest, "C:"):
		p.say(0, []byte(strings.TrimPrefix(rest[2:], " ")+"\r\n"), lost)
		return nil
	case strings.HasPrefix(rest, "S: "), strings.HasPrefix(rest, "S:"):
		p.say(1, []byte(strings.TrimPrefix(rest[2:], " ")+"\r\n"), lost)
		return nil
	case strings.HasPrefix(rest, `C" `), strings.HasPrefix(rest, `S" `):
		raw, err := strconv.Unquote(rest[3:])
		if err != nil {
			return errors.New("no Go string behind " + rest[:2])
		}
		p.say(strings.IndexByte("CS", rest[0]), []byte(raw), lost)
		return nil
	}
	return p.order(line)
}

func (p *player) order(line string) error {
	p.flush()
	word, arg, _ := strings.Cut(line, " ")
	side := strings.Index("CS", arg)
	switch {
	case word == "wait":
		d, err := time.ParseDuration(arg)
		if err != nil || d < 0 {
			return errors.New("wait takes a time with its unit, such as 30s")
		}
		p.now = p.now.Add(d)
		return nil
	case word == "ack" && side >= 0:
		p.emit(side, packet.ACK, nil)
	case word == "close" && side >= 0:
		p.emit(side, packet.FIN|packet.ACK, nil)
		p.next[side]++
		p.emit(1-side, packet.ACK, nil)
	case word == "reset" && side >= 0:
		p.emit(side, packet.RST|packet.ACK, nil)
	default:
		return errors.New("no line of a conversation; it begins with C: or S:, or is wait, ack, close or reset")
	}
	p.now = p.now.Add(10 * time.Millisecond)
	return nil
}

func (p *player) say(side int, b []byte, lost bool) {
	if len(p.buf) > 0 && (p.side != side || p.lost != lost) {
		p.flush()
	}
	p.side, p.lost = side, lost
	p.buf = append(p.buf, b...)
}

func (p *player) flush() {
	if len(p.buf) == 0 {
		return
	}
	if p.lost {
		p.next[p.side] += uint32(len(p.buf))
	} else {
		for _, part := range p.o.Cut(p.buf) {
			p.emit(p.side, packet.ACK|packet.PSH, part)
			p.next[p.side] += uint32(len(part))
		}
	}
	p.buf = nil
	p.now = p.now.Add(10 * time.Millisecond)
}

func (p *player) emit(side int, flags uint8, payload []byte) {
	s := packet.Segment{
		Time: p.now.UnixNano(), Flags: flags, TTL: 64,
		Seq: p.next[side], Payload: payload, Length: len(payload),
	}
	s.SetEnds(p.o.Client, p.o.Server)
	if side == 1 {
		s.Turn()
	}
	if flags&packet.ACK != 0 {
		s.Ack = p.next[1-side]
	}
	p.out = append(p.out, s)
}
