package packet

import (
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/netip"
	"path/filepath"
	"testing"

	"github.com/google/gopacket"
	"github.com/google/gopacket/layers"

	"github.com/mailtap/mailtap/capture"
)

// gopacket's decoders of these layers are the oracle: well-formed packets must
// read the same.

// oracle decodes an Ethernet frame with gopacket; "" stands for a frame that
// holds no whole TCP segment.
func oracle(frame []byte) string {
	var (
		e    layers.Ethernet
		tagL layers.Dot1Q
		v4   layers.IPv4
		v6   layers.IPv6
		t    layers.TCP
		src  net.IP
		dst  net.IP
		ttl  uint8
		vlan []uint16
		left int // octets of the IP packet's payload on the wire
	)
	if e.DecodeFromBytes(frame, gopacket.NilDecodeFeedback) != nil {
		return ""
	}
	next, rest := e.NextLayerType(), e.Payload
	for next == layers.LayerTypeDot1Q {
		if tagL.DecodeFromBytes(rest, gopacket.NilDecodeFeedback) != nil {
			return ""
		}
		if tagL.VLANIdentifier != 0 {
			vlan = append(vlan, tagL.VLANIdentifier)
		}
		next, rest = tagL.NextLayerType(), tagL.Payload
	}
	switch next {
	case layers.LayerTypeIPv4:
		if v4.DecodeFromBytes(rest, gopacket.NilDecodeFeedback) != nil || v4.Flags&layers.IPv4MoreFragments != 0 || v4.FragOffset != 0 {
			return ""
		}
		src, dst, ttl, next, rest = v4.SrcIP, v4.DstIP, v4.TTL, v4.NextLayerType(), v4.Payload
		left = int(v4.Length) - int(v4.IHL)*4
	case layers.LayerTypeIPv6:
		if v6.DecodeFromBytes(rest, gopacket.NilDecodeFeedback) != nil {
			return ""
		}
		src, dst, ttl, next, rest = v6.SrcIP, v6.DstIP, v6.HopLimit, v6.NextLayerType(), v6.Payload
		left = int(v6.Length)
	default:
		return ""
	}
	if next != layers.LayerTypeTCP || t.DecodeFromBytes(rest, gopacket.NilDecodeFeedback) != nil {
		return ""
	}
	a, _ := netip.AddrFromSlice(src)
	b, _ := netip.AddrFromSlice(dst)
	return fmt.Sprintf("%v>%v ttl %d seq %d ack %d flags %d window %d vlans %v %d of %d %x",
		netip.AddrPortFrom(a, uint16(t.SrcPort)), netip.AddrPortFrom(b, uint16(t.DstPort)), ttl, t.Seq, t.Ack, rest[13], t.Window,
		vlan, len(t.Payload), left-int(t.DataOffset)*4, t.Payload)
}

// ours renders a decoded frame the same way.
func ours(d *Decoder, p *capture.Packet) string {
	var s Segment
	if d.Decode(p, &s) != OK || s.TunnelCount > 0 { // the oracle does not look into tunnels
		return ""
	}
	return fmt.Sprintf("%v>%v ttl %d seq %d ack %d flags %d window %d vlans %v %d of %d %x",
		s.From(), s.To(), s.TTL, s.Seq, s.Ack, s.Flags, s.Window, s.VLANs[:s.VLANCount], len(s.Payload), s.Length, s.Payload)
}

// randomFrame builds a well-formed packet, padded as Ethernet would.
func randomFrame(r *rand.Rand) ([]byte, error) {
	random := func(n int) []byte {
		b := make([]byte, n)
		for i := range b {
			b[i] = byte(r.Uint32())
		}
		return b
	}
	var stack []gopacket.SerializableLayer
	var ip gopacket.NetworkLayer
	etherType := layers.EthernetTypeIPv4
	if r.IntN(2) == 0 {
		v4 := &layers.IPv4{Version: 4, TTL: uint8(r.Uint32()), Id: uint16(r.Uint32()), Protocol: layers.IPProtocolTCP, SrcIP: random(4), DstIP: random(4)}
		if r.IntN(3) == 0 {
			v4.Options = []layers.IPv4Option{{OptionType: 7, OptionLength: 7, OptionData: random(5)}}
		}
		ip, stack = v4, append(stack, v4)
	} else {
		v6 := &layers.IPv6{Version: 6, HopLimit: uint8(r.Uint32()), NextHeader: layers.IPProtocolTCP, SrcIP: random(16), DstIP: random(16), TrafficClass: uint8(r.Uint32())}
		ip, stack, etherType = v6, append(stack, v6), layers.EthernetTypeIPv6
	}
	t := &layers.TCP{SrcPort: layers.TCPPort(r.Uint32()), DstPort: layers.TCPPort(r.Uint32()), Seq: r.Uint32(), Ack: r.Uint32(),
		SYN: r.IntN(2) == 0, ACK: r.IntN(2) == 0, FIN: r.IntN(2) == 0, RST: r.IntN(2) == 0, PSH: r.IntN(2) == 0, URG: r.IntN(2) == 0, Window: uint16(r.Uint32())}
	for range r.IntN(3) {
		t.Options = append(t.Options, layers.TCPOption{OptionType: 8, OptionLength: 10, OptionData: random(8)})
	}
	if err := t.SetNetworkLayerForChecksum(ip); err != nil {
		return nil, err
	}
	stack = append(stack, t, gopacket.Payload(random(r.IntN(60))))
	for range r.IntN(4) {
		stack = append([]gopacket.SerializableLayer{&layers.Dot1Q{VLANIdentifier: uint16(r.IntN(4096)), Priority: uint8(r.IntN(8)), Type: etherType}}, stack...)
		etherType = layers.EthernetTypeDot1Q
	}
	stack = append([]gopacket.SerializableLayer{&layers.Ethernet{SrcMAC: random(6), DstMAC: random(6), EthernetType: etherType}}, stack...)
	out := gopacket.NewSerializeBuffer()
	err := gopacket.SerializeLayers(out, gopacket.SerializeOptions{FixLengths: true}, stack...)
	frame := append([]byte(nil), out.Bytes()...)
	if len(frame) < 60 {
		frame = append(frame, random(60-len(frame))...)
	}
	return frame, err
}

func TestOracleRandom(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	var d Decoder
	compared := 0
	for range 20_000 {
		b, err := randomFrame(r)
		if err != nil {
			t.Fatal(err)
		}
		length := len(b)
		if r.IntN(3) == 0 { // the snap length, within the payload
			b = b[:len(b)-r.IntN(min(len(b)-53, 20))]
		}
		got := ours(&d, &capture.Packet{Data: b, Length: length, Link: ether})
		want := oracle(b)
		if want == "" { // gopacket wants the whole TCP options, we do not
			continue
		}
		if compared++; got != want {
			t.Fatalf("frame %x\ngot  %s\nwant %s", b, got, want)
		}
	}
	if compared < 15_000 {
		t.Errorf("gopacket decoded only %d frames", compared)
	}
}

// captures lists the packaged captures and, where it lies beside the
// repository, the whole corpus.
func captures(t *testing.T) []string {
	var out []string
	for _, pattern := range []string{"testdata/*.pcap", "../testdata/*", "../../../shared/corpus/*/*.pcap", "../../../shared/corpus/*/*.pcapng"} {
		m, err := filepath.Glob(pattern)
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, m...)
	}
	return out
}

func TestOracleCaptures(t *testing.T) {
	for _, path := range captures(t) {
		f, err := capture.Open(path, capture.FileOptions{})
		if err != nil {
			t.Error(err)
			continue
		}
		var p capture.Packet
		segments := 0
		for err = f.Next(&p); err == nil; err = f.Next(&p) {
			if p.Link != ether {
				continue
			}
			want := oracle(p.Data)
			var d Decoder // a new one, for the oracle joins no fragments
			if got := ours(&d, &p); got != want {
				t.Errorf("%s, byte %d:\ngot  %s\nwant %s", path, f.Offset(), got, want)
				break
			}
			if want != "" {
				segments++
			}
		}
		var damage *capture.DamageError
		if err != nil && err != io.EOF && !errors.As(err, &damage) {
			t.Error(err)
		}
		t.Logf("%s: %d segments", path, segments)
		if err := f.Close(); err != nil {
			t.Error(err)
		}
	}
}

// Segments and octets of payload are what tshark counts.
func TestCaptures(t *testing.T) {
	for name, want := range map[string]string{
		"sll.pcap":       "map[not_tcp:2 ok:76] 5680",
		"ipv6.pcap":      "map[not_tcp:4 ok:79] 7445",
		"fragments.pcap": "map[held:406 not_tcp:2 ok:108] 37362",
		"../../testdata/qinq_big_endian_nano.pcap": "map[not_tcp:2 ok:76] 5680",
	} {
		f, err := capture.Open(filepath.Join("testdata", name), capture.FileOptions{})
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		d := Decoder{Ports: mailPorts()}
		counts, octets := map[string]int{}, 0
		var p capture.Packet
		var s Segment
		for f.Next(&p) == nil {
			r := d.Decode(&p, &s)
			counts[r.String()]++
			if r == OK {
				octets += s.Length
			}
		}
		if got := fmt.Sprint(counts, octets); got != want {
			t.Errorf("%s: %s, want %s", name, got, want)
		}
	}
}
