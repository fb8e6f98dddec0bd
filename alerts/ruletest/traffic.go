package ruletest

import (
	"encoding/base64"
	"fmt"
	"net/netip"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"

	"github.com/mailtap/mailtap/capture/packet"
	"github.com/mailtap/mailtap/sessions/dialog"
)

// Limits of the traffic of one test: what is written small must not become large.
const (
	maxTalks  = 1000
	maxRepeat = 10_000
	maxLines  = 200_000  // of all conversations, repetitions counted
	maxOctets = 32 << 20 // the same
)

// talk is a conversation, and how often it is held.
type talk struct {
	line           int // of its text in the file
	start, every   time.Duration
	repeat         int
	client, server ends
	attempt        string // refused, unanswered: nobody answers; empty: text is said
	text           string
}

// ends is where a side stands: each repetition takes the next address.
type ends struct {
	network netip.Prefix
	port    uint16 // 0: the default
}

func newTalk(line int) talk {
	one := func(a string) netip.Prefix { return netip.PrefixFrom(netip.MustParseAddr(a), 32) }
	return talk{line: line, repeat: 1, client: ends{network: one("192.0.2.1")}, server: ends{network: one("192.0.2.25"), port: 25}}
}

func (r *reader) talks(n *yaml.Node, into *[]talk) error {
	if n.Kind != yaml.SequenceNode || len(n.Content) == 0 || len(n.Content) > maxTalks {
		return r.errorf(n, "conversations must be a list of 1 to %d conversations", maxTalks)
	}
	for _, item := range n.Content {
		t := newTalk(item.Line)
		said := 0
		err := r.mapping(item, "a conversation", table{
			"start":   func(n *yaml.Node) error { return r.duration(n, "start", &t.start) },
			"every":   func(n *yaml.Node) error { return r.duration(n, "every", &t.every) },
			"repeat":  func(n *yaml.Node) error { return r.whole(n, "repeat", 1, maxRepeat, &t.repeat) },
			"client":  func(n *yaml.Node) error { return r.ends(n, "client", &t.client) },
			"server":  func(n *yaml.Node) error { return r.ends(n, "server", &t.server) },
			"dialog":  func(n *yaml.Node) error { said++; return r.dialog(n, &t) },
			"attempt": func(n *yaml.Node) error { said++; return r.attempt(n, &t) },
		})
		if err != nil {
			return err
		}
		if said != 1 {
			return r.errorf(item, "a conversation has either dialog or attempt")
		}
		*into = append(*into, t)
	}
	return nil
}

// ends reads an address, an address with a port, or a network.
func (r *reader) ends(n *yaml.Node, what string, into *ends) error {
	if n.Kind == yaml.ScalarNode {
		if p, err := prefixOf(n.Value); err == nil {
			into.network = p
			return nil
		}
		if a, err := netip.ParseAddrPort(n.Value); err == nil && a.Port() > 0 && a.Addr().Zone() == "" {
			*into = ends{netip.PrefixFrom(a.Addr(), a.Addr().BitLen()), a.Port()}
			return nil
		}
	}
	return r.errorf(n, "%s must be an address (192.0.2.1), one with a port (192.0.2.1:25), or a network whose addresses the repetitions take in turn", what)
}

func (r *reader) attempt(n *yaml.Node, t *talk) error {
	if n.Value != "refused" && n.Value != "unanswered" {
		return r.errorf(n, "attempt must be refused or unanswered")
	}
	t.attempt = n.Value
	return nil
}

func (r *reader) dialog(n *yaml.Node, t *talk) error {
	if n.Kind != yaml.ScalarNode {
		return r.errorf(n, "dialog must be a text, lines that begin with C: or S:")
	}
	t.text, t.line = n.Value, n.Line
	if n.Style&(yaml.LiteralStyle|yaml.FoldedStyle) != 0 {
		t.line++ // the text begins below the sign
	}
	return nil
}

// check finds what is no conversation, and what is too much, before anything runs.
func (t *Test) check() error {
	lines, octets := 0, 0
	for i := range t.talks {
		k := &t.talks[i]
		lines += k.repeat * (4 + strings.Count(k.text, "\n"))
		octets += k.repeat * (64 + 2*len(k.text))
		if lines > maxLines || octets > maxOctets {
			return fmt.Errorf("%s:%d: the conversations of a test have at most %d lines and %d MiB, repetitions counted", t.file, k.line, maxLines, maxOctets>>20)
		}
		if k.client.network.Addr().Is4() != k.server.network.Addr().Is4() {
			return fmt.Errorf("%s:%d: client and server are of different IP versions", t.file, k.line)
		}
		if time.Duration(k.repeat-1)*k.every+k.start > maxTime {
			return fmt.Errorf("%s:%d: the repetitions last longer than 744h", t.file, k.line)
		}
		if _, err := k.segments(0, 0, start); err != nil {
			return fmt.Errorf("%s:%d: dialog: %w", t.file, k.line, err)
		}
	}
	return nil
}

// start is the time of the first packet at offset 0.
var start = time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)

// Segments plays the written conversations of a test, in the order of time.
// Each repetition has a client's port of its own.
func (t *Test) Segments() ([]packet.Segment, error) {
	var out []packet.Segment
	n := 0
	for i := range t.talks {
		k := &t.talks[i]
		for j := range k.repeat {
			list, err := k.segments(j, n, start.Add(k.start+time.Duration(j)*k.every))
			if err != nil {
				return nil, fmt.Errorf("%s:%d: dialog: %w", t.file, k.line, err)
			}
			out = append(out, list...)
			n++
		}
	}
	slices.SortStableFunc(out, func(a, b packet.Segment) int { return int(min(max(a.Time-b.Time, -1), 1)) })
	return out, nil
}

// segments plays repetition j, the nth conversation of the test.
func (k *talk) segments(j, n int, at time.Time) ([]packet.Segment, error) {
	o := dialog.Options{Client: k.client.at(j, uint16(20000+n%40000)), Server: k.server.at(j, 25), Start: at}
	text, err := fill(k.text, j+1)
	if err != nil {
		return nil, err
	}
	if k.attempt == "" {
		list, err := dialog.Segments(text, o)
		if err != nil {
			return nil, err
		}
		if last := list[len(list)-1].Time; last > at.Add(maxTime).UnixNano() || last < at.UnixNano() {
			return nil, fmt.Errorf("it lasts longer than 744h")
		}
		return list, nil
	}
	list, err := dialog.Segments("reset S", o) // SYN, SYN ACK, ACK, RST
	if err != nil || k.attempt == "unanswered" {
		return list[:1], err
	}
	reset := list[3]
	reset.Seq, reset.Time = 0, list[0].Time+int64(time.Millisecond) // RFC 9293, 3.10.7.1: the answer to a SYN at a closed port
	return []packet.Segment{list[0], reset}, nil
}

// at is the address of a repetition: of a network its hosts in turn.
func (e ends) at(j int, port uint16) netip.AddrPort {
	if e.port != 0 {
		port = e.port
	}
	a := e.network.Addr()
	if e.network.IsSingleIP() {
		return netip.AddrPortFrom(a, port)
	}
	hosts := maxRepeat * 2
	if free := a.BitLen() - e.network.Bits(); free < 14 {
		hosts = max(1<<free-2, 1)
	}
	b := a.As16()
	for i, add := 15, j%hosts+1; add > 0; i-- {
		add += int(b[i])
		b[i], add = byte(add), add>>8
	}
	next := netip.AddrFrom16(b)
	if a.Is4() {
		next = next.Unmap()
	}
	return netip.AddrPortFrom(next, port)
}

var base64Hole = regexp.MustCompile(`\{base64 ([^}\n]*)\}`)

// fill writes what differs between repetitions: {n} is their number, and
// {base64 text} the encoding of a text in which \0 is NUL, as AUTH PLAIN has it.
func fill(text string, n int) (string, error) {
	text = strings.ReplaceAll(text, "{n}", strconv.Itoa(n))
	text = base64Hole.ReplaceAllStringFunc(text, func(hole string) string {
		inner := base64Hole.FindStringSubmatch(hole)[1]
		return base64.StdEncoding.EncodeToString([]byte(strings.ReplaceAll(inner, `\0`, "\x00")))
	})
	if i := strings.Index(text, "{base64"); i >= 0 {
		return "", fmt.Errorf("line %d: write {base64 text}", 1+strings.Count(text[:i], "\n"))
	}
	return text, nil
}
