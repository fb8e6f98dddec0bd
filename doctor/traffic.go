package doctor

import (
	"math/rand/v2"
	"net/netip"
	"slices"
	"time"

	"github.com/mailtap/mailtap/capture"
	"github.com/mailtap/mailtap/capture/packet"
	"github.com/mailtap/mailtap/sessions"
)

// Bounds of what is remembered while listening.
const (
	maxFlows = 1 << 16
	maxTags  = 32
)

// flow is a connection of a mail port, by what came of each side.
type flow struct{ client, server uint64 }

// traffic is what was seen. It counts connections with mail's own tracker, so
// that what is called lost here is what run would call lost.
type traffic struct {
	decoder packet.Decoder
	clock   sessions.Clock
	tracker *sessions.Tracker
	copies  packet.Copies
	due     int64

	packets, mail, other uint64 // captured, of mail ports, of other TCP ports
	octets, mailOctets   uint64
	copied, cut, giant   uint64
	ignored              []uint64 // by reason less one
	flows                map[[2]netip.AddrPort]*flow
	tags                 map[string]uint64
	newest               int64
	late                 time.Duration // the newest packet's time against the clock, at the end
	segment              packet.Segment

	span                         time.Duration
	frames                       uint64 // that the interface counted, of whatever kind; 0: not known
	droppedKernel, droppedDevice uint64
	stats                        sessions.Stats
}

type nobody struct{}

// Handle implements sessions.Handler.
func (nobody) Handle(sessions.Event) {}

func newTraffic(ports []uint16) *traffic {
	set := &packet.PortSet{}
	set.Add(ports...)
	var roles []sessions.PortRole
	for _, p := range ports {
		roles = append(roles, sessions.PortRole{Port: p, Role: sessions.RoleRelay})
	}
	return &traffic{
		decoder: packet.Decoder{Ports: set, OtherPorts: true},
		tracker: sessions.NewTracker(sessions.Options{Sensor: "doctor", Ports: roles, HeadersOnly: true, Memory: 64 << 20}, nobody{}),
		copies:  packet.Copies{Seed: rand.Uint64()},
		ignored: make([]uint64, len(packet.Reasons())),
		flows:   make(map[[2]netip.AddrPort]*flow),
		tags:    make(map[string]uint64),
	}
}

// longFrame is more than an Ethernet frame with tags and a tunnel has, and less
// than a jumbo frame: what is longer was joined by a card, or comes from a net of jumbo frames.
const longFrame = 1700

func (t *traffic) take(batch []capture.Packet) {
	for i := range batch {
		p := &batch[i]
		t.packets++
		t.octets += uint64(p.Length)
		t.newest = max(t.newest, p.Time)
		if p.Length > len(p.Data) {
			t.cut++
		}
		if p.Length > longFrame {
			t.giant++
		}
		t.decode(p)
	}
}

func (t *traffic) decode(p *capture.Packet) {
	s := &t.segment
	reason := t.decoder.Decode(p, s)
	switch reason {
	case packet.OK, packet.OtherPort:
	case packet.Held:
		return
	default:
		t.ignored[reason-1]++
		return
	}
	t.pass(s)
	if t.copies.Has(s) {
		t.copied++
		s.Copy = true
	} else {
		s.Copy = false
	}
	if reason == packet.OtherPort {
		t.other++
		return
	}
	t.mail++
	t.mailOctets += uint64(p.Length)
	t.side(s)
	s.Clock = t.clock.At(p.Time)
	if p.Time >= t.due {
		t.tracker.Advance(s.Clock)
		t.due = p.Time + int64(time.Second)
	}
	t.tracker.Segment(s)
}

// pass notes the tags and tunnels on a segment's way.
func (t *traffic) pass(s *packet.Segment) {
	for _, v := range s.VLANs[:s.VLANCount] {
		t.tag(sprintVLAN(v))
	}
	for _, tunnel := range s.Tunnels[:s.TunnelCount] {
		t.tag(tunnel.String())
	}
}

func (t *traffic) tag(name string) {
	if _, known := t.tags[name]; known || len(t.tags) < maxTags {
		t.tags[name]++
	}
}

// side counts a packet for its side of its connection. The server's side is that of
// the mail port.
func (t *traffic) side(s *packet.Segment) {
	from, to := s.From(), s.To()
	client := t.decoder.Ports.Has(s.DstPort)
	if client && t.decoder.Ports.Has(s.SrcPort) {
		client = s.SrcPort > s.DstPort
	}
	key := [2]netip.AddrPort{from, to}
	if !client {
		key = [2]netip.AddrPort{to, from}
	}
	f := t.flows[key]
	if f == nil {
		if len(t.flows) == maxFlows {
			return
		}
		f = &flow{}
		t.flows[key] = f
	}
	switch {
	case s.Flags&packet.RST != 0: // an answer to nobody
	case !client:
		f.server++
	case s.Flags&packet.SYN == 0: // attempts that nobody answers are no direction that is missing
		f.client++
	}
}

func (t *traffic) end(now time.Time) {
	t.tracker.Close()
	t.stats = t.tracker.Stats()
	if t.newest > 0 {
		t.late = now.Sub(time.Unix(0, t.newest))
	}
}

// sides counts connections by the directions that were seen of them.
func (t *traffic) sides() (both, clients, servers int) {
	for _, f := range t.flows {
		switch {
		case f.client > 0 && f.server > 0:
			both++
		case f.client > 0:
			clients++
		case f.server > 0:
			servers++
		}
	}
	return both, clients, servers
}

// reasons lists why packets were left out, the most frequent first.
func (t *traffic) reasons() []counted {
	var out []counted
	for i, n := range t.ignored {
		if n > 0 {
			out = append(out, counted{packet.Reason(i + 1).String(), n})
		}
	}
	slices.SortStableFunc(out, more)
	return out
}
