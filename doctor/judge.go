package doctor

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/mailtap/mailtap/capture/packet"
)

// counted is something and how often it was.
type counted struct {
	name string
	n    uint64
}

func more(a, b counted) int { return cmp.Compare(b.n, a.n) }

// counts writes the most frequent ones.
func counts(list []counted) string {
	var words []string
	for i, c := range list {
		if i == 5 {
			words = append(words, fmt.Sprintf("and %d more", len(list)-i))
			break
		}
		words = append(words, fmt.Sprintf("%s (%d)", c.name, c.n))
	}
	return strings.Join(words, ", ")
}

func sprintVLAN(v uint16) string { return "VLAN " + strconv.Itoa(int(v)) }

// percent of a whole that may be nothing.
func percent(part, whole uint64) float64 {
	if whole == 0 {
		return 0
	}
	return 100 * float64(part) / float64(whole)
}

// judge says what was seen of an interface, and what is wrong with it.
func (t *traffic) judge(name string) []Finding {
	out := []Finding{t.amount(name)}
	if t.packets == 0 {
		return append(out, t.dropped(name)...)
	}
	if t.mail > 0 {
		out = append(out, t.directions(name))
	}
	out = append(out, t.dropped(name)...)
	for _, f := range []func(string) (Finding, bool){t.missing, t.duplicates, t.truncated, t.way, t.joined, t.unread, t.times} {
		if found, there := f(name); there {
			out = append(out, found)
		}
	}
	return out
}

func (t *traffic) amount(name string) Finding {
	switch {
	case t.packets == 0 && t.frames == 0:
		return ok("traffic", name, "no packet in %s", t.span).as(Problem, "nothing is mirrored here",
			"look at the mirror session: its destination must be this port, its source ports or VLANs must be up (docs/mirror.md)")
	case t.packets == 0:
		return ok("traffic", name, "%d frames in %s, none of TCP", t.frames, t.span).as(Problem, "broadcasts and the like come: the cable is right, no connection is mirrored",
			"look at the source of the mirror session, and whether the mirror is promiscuous (virtual switches)")
	case t.mail == 0:
		return ok("traffic", name, "%d packets in %s, none of a mail port", t.packets, t.span).as(Problem, "other traffic is mirrored, or no mail came meanwhile",
			"listen longer (--listen 5m), send a mail through, look at capture.ports; mail on other ports is found with --capture.all_ports")
	}
	seconds := max(t.span.Seconds(), 0.001)
	return ok("traffic", name, "%d packets of mail in %s (%.0f a second, %.2f Mbit/s), %.1f %% of %d packets",
		t.mail, t.span, float64(t.mail)/seconds, float64(t.mailOctets)*8/1e6/seconds, percent(t.mail, t.packets), t.packets)
}

func (t *traffic) directions(name string) Finding {
	both, clients, servers := t.sides()
	one := clients + servers
	f := ok("directions", name, "%d mail connections, %d with both directions", both+one, both)
	missing := "what servers say: acceptance is assumed, no reply, refusal or login result is known"
	if servers > clients {
		missing = "what clients say: no command, address or mail is known"
	}
	const do = "mirror both directions of the servers' ports (rx and tx, \"both\"); with asymmetric routing mirror the other link too, and watch both interfaces (docs/mirror.md)"
	switch {
	case one == 0 && both == 0:
		return ok("directions", name, "only attempts to connect that nobody answers").as(Note, "a scan, or only what clients send is mirrored", do)
	case both == 0:
		return f.as(Problem, "one direction is missing: "+missing, do)
	case one*10 > both:
		return f.as(Problem, fmt.Sprintf("of %d one direction is missing: %s", one, missing), do)
	case one > 0:
		return f.as(Note, fmt.Sprintf("of %d one direction is missing: they may just have begun or ended", one), "listen longer")
	}
	return f
}

// dropped is what did not come as far as the reader while it listened.
func (t *traffic) dropped(name string) []Finding {
	if t.droppedKernel == 0 && t.droppedDevice == 0 {
		return nil
	}
	return []Finding{ok("drops", name, "%d packets lost in the ring, %d before it, while listening", t.droppedKernel, t.droppedDevice).as(Problem,
		"this machine is too slow for the traffic, or its buffers are too small", "capture.buffer, more cores, less in the mirror (docs/sizing.md)")}
}

// missing is what the ends acknowledged and nobody saw here.
func (t *traffic) missing(name string) (Finding, bool) {
	if both, clients, servers := t.sides(); both == 0 || (clients+servers)*10 > both || t.mail == 0 {
		return Finding{}, false // the direction that is missing is told already
	}
	lost := t.stats.LostBytes
	f := ok("loss", name, "%d of %d octets of mail connections were never seen", lost, t.stats.Bytes+lost)
	switch share := percent(lost, t.stats.Bytes+lost); {
	case lost == 0:
		return ok("loss", name, "no hole in any mail connection"), true
	case share > 1:
		return f.as(Problem, "the mirror loses packets: more than its port can carry goes through it", "mirror less, or into a faster port; look at the switch's drop counter of the destination port"), true
	}
	return f.as(Note, "the mirror loses a little", "look at the switch's drop counter of the destination port"), true
}

func (t *traffic) duplicates(name string) (Finding, bool) {
	if t.copied == 0 {
		return Finding{}, false
	}
	f := ok("duplicates", name, "%d packets (%.0f %%) came twice", t.copied, percent(t.copied, t.packets))
	return f.as(Note, "each counts once, but they take room in the mirror", "mirror each packet at one place: one port or VLAN, not both ends of its way; not the same VLAN rx and tx"), true
}

func (t *traffic) truncated(name string) (Finding, bool) {
	broken := t.ignored[packet.Truncated-1]
	switch {
	case t.cut > 0:
		return ok("truncated", name, "%d packets are longer than capture.snap_length", t.cut).as(Problem, "the rest of them is lost: commands, headers and attachments are cut", "capture.snap_length: 262144"), true
	case broken > 0:
		return ok("truncated", name, "%d packets end inside their headers", broken).as(Problem, "the mirror cuts packets", "switch truncation off at the mirror (ERSPAN, packet brokers: truncate, slice)"), true
	}
	return Finding{}, false
}

func (t *traffic) way(name string) (Finding, bool) {
	if len(t.tags) == 0 {
		return Finding{}, false
	}
	var list []counted
	for _, tag := range slices.Sorted(maps.Keys(t.tags)) {
		list = append(list, counted{tag, t.tags[tag]})
	}
	slices.SortStableFunc(list, more)
	return ok("tags", name, "%s", counts(list)).meaning("mail inside is read"), true
}

func (t *traffic) joined(name string) (Finding, bool) {
	if t.giant == 0 {
		return Finding{}, false
	}
	return ok("giants", name, "%d frames of more than %d octets", t.giant, longFrame).meaning("the card joins them (GRO, LRO) or they are jumbo frames: mailtap takes both"), true
}

// unread is what cannot be made sense of; other protocols are ordinary.
func (t *traffic) unread(name string) (Finding, bool) {
	var odd []counted
	var sum uint64
	for _, c := range t.reasons() {
		if !slices.Contains([]string{packet.NotIP.String(), packet.NotTCP.String(), packet.Truncated.String()}, c.name) {
			odd = append(odd, c)
			sum += c.n
		}
	}
	if sum == 0 {
		return Finding{}, false
	}
	f := ok("unread", name, "%s", counts(odd))
	if sum*100 > t.packets {
		return f.as(Problem, "more than 1 % of the packets cannot be read; bad_ip_header also means that the mirror cuts them", "docs/metrics.md names the reasons; capture some with tcpdump"), true
	}
	return f.as(Note, "a few packets cannot be read", "docs/metrics.md names the reasons"), true
}

// times holds the packets' clock against the system's.
func (t *traffic) times(name string) (Finding, bool) {
	if t.late < -time.Second || t.late > t.span+5*time.Second {
		return ok("times", name, "the newest packet is %s old by this machine's clock", t.late.Round(time.Millisecond)).as(Problem,
			"packets carry another clock", "let the card's time stamps follow the system's clock, or switch them off"), true
	}
	return Finding{}, false
}
