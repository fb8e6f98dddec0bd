package capture

import (
	"slices"

	"golang.org/x/net/bpf"
)

// The filter runs in the kernel for each packet of the interface. It passes
// what capture/packet may find mail in, and a little more: what it cannot walk
// with few instructions, it passes, because the decoder looks again and a packet
// that the filter stops is lost without a trace.

// filterOptions says what to pass.
type filterOptions struct {
	ports       []uint16 // of TCP; none: all
	tunnels     bool     // pass encapsulations that may carry TCP, whole
	tunnelPorts []uint16 // of UDP
	snaplen     int      // octets to keep of a packet
}

// assignedTunnelPorts are those of VXLAN, VXLAN-GPE, Geneve, GTP, Teredo and
// L2TP, which packet.Decoder reads by default.
var assignedTunnelPorts = [...]uint16{4789, 8472, 4790, 6081, 2152, 3544, 1701}

// layout says where a link layer has what the filter looks for.
type layout struct {
	etherType uint32 // place of the EtherType
	payload   uint32 // place of what follows the link header
	typed     bool   // there is an EtherType; else the IP version tells
	kernel    bool   // the kernel is asked for the EtherType: no link header is there
}

// layoutOf knows the link layers that Linux interfaces have.
func layoutOf(link LinkType) (layout, bool) {
	switch link {
	case LinkEthernet:
		return layout{etherType: 12, payload: 14, typed: true}, true
	case LinkLinuxSLL:
		return layout{etherType: 14, payload: 16, typed: true}, true
	case LinkSLL2:
		return layout{etherType: 0, payload: 20, typed: true}, true
	case LinkRaw, LinkRawBSD, LinkIPv4, LinkIPv6:
		return layout{}, true
	}
	return layout{}, false
}

// kernelLayout is that of a packet socket without link headers.
var kernelLayout = layout{typed: true, kernel: true}

// EtherTypes, as the filter needs them.
const (
	etherIPv4, etherIPv6  = 0x0800, 0x86dd
	etherVLAN, etherQinQ  = 0x8100, 0x88a8
	etherMPLS, etherMPLSM = 0x8847, 0x8848
	etherPPPoE, etherPBB  = 0x8864, 0x88e7
	etherBridged          = 0x6558
)

// tagTypes are the EtherTypes of tags; the last three are the service tag of
// makers from before it was standard.
var tagTypes = [...]uint32{etherVLAN, etherQinQ, 0x9100, 0x9200, 0x9300}

// extensionHeaders are those of IPv6 behind which TCP may stand: hop-by-hop, routing,
// fragment, authentication and destination options (RFC 8200, 4.1; RFC 4302).
var extensionHeaders = [...]uint32{0, 43, 44, 51, 60}

// walkedTags is how many VLAN tags the filter walks, beside the one that the
// kernel takes off before. Frames with more pass as they are.
const walkedTags = 3

// filterProgram is the filter for a link layer. X holds how far the tags and
// the IP header have moved what follows. Every place is given from the link
// header on: libpcap can then move it where the kernel has no link header.
func filterProgram(l layout, o filterOptions) []bpf.Instruction {
	a := &assembler{}
	a.add(bpf.LoadConstant{Dst: bpf.RegX})
	switch {
	case l.kernel:
		a.add(bpf.LoadExtension{Num: bpf.ExtProto})
	case l.typed:
		a.add(bpf.LoadAbsolute{Off: l.etherType, Size: 2})
	}
	if l.typed {
		a.etherType(l, o.tunnels)
	} else {
		a.version(l)
	}
	a.ipv4(l, o.tunnels)
	a.ipv6(l, o.tunnels)
	pass := bpf.RetConstant{Val: uint32(o.snaplen)}
	a.place("tcp")
	if len(o.ports) == 0 {
		a.add(pass)
	} else {
		a.ports(l, o.ports, pass)
	}
	a.place("udp")
	a.ports(l, o.tunnelPorts, pass)
	a.place("stop")
	a.add(bpf.RetConstant{})
	a.place("pass")
	a.add(pass)
	return a.program()
}

// version tells IPv4 from IPv6 where nothing else does.
func (a *assembler) version(l layout) {
	a.add(bpf.LoadIndirect{Off: l.payload, Size: 1}, bpf.ALUOpConstant{Op: bpf.ALUOpShiftRight, Val: 4})
	a.equal("ipv4", 4)
	a.equal("ipv6", 6)
	a.jump("stop")
}

// etherType walks over tags and judges the type behind them.
func (a *assembler) etherType(l layout, tunnels bool) {
	a.walkTags(l.payload)
	a.equal("pass", tagTypes[:]...)
	a.place("typed")
	a.equal("ipv4", etherIPv4)
	a.equal("ipv6", etherIPv6)
	if tunnels {
		a.equal("pass", etherMPLS, etherMPLSM, etherPPPoE, etherPBB, etherBridged)
	}
	a.jump("stop")
}

// walkTags moves the EtherType in the accumulator on from tags to what is
// behind them, and X with it; there it jumps to typed.
func (a *assembler) walkTags(payload uint32) {
	for range walkedTags {
		for i, t := range tagTypes {
			a.add(bpf.JumpIf{Cond: bpf.JumpEqual, Val: t, SkipTrue: uint8(len(tagTypes) - i)})
		}
		a.jump("typed")
		a.add(bpf.LoadIndirect{Off: payload + 2, Size: 2}, bpf.StoreScratch{Src: bpf.RegA})
		a.forward(4)
		a.add(bpf.LoadScratch{Dst: bpf.RegA})
	}
}

// ipv4 passes every later fragment of what may hold mail; the first one and
// whole packets as their ports tell.
func (a *assembler) ipv4(l layout, tunnels bool) {
	a.place("ipv4")
	a.add(bpf.LoadIndirect{Off: l.payload + 9, Size: 1}, bpf.StoreScratch{Src: bpf.RegA})
	a.equal("ipv4 ports", 6)
	if tunnels {
		a.equal("pass", 4, 41, 47)
		a.equal("ipv4 ports", 17)
	}
	a.jump("stop")
	a.place("ipv4 ports")
	a.add(bpf.LoadIndirect{Off: l.payload + 6, Size: 2})
	a.when(bpf.JumpBitsSet, 0x1fff, "pass")
	a.add(
		bpf.LoadIndirect{Off: l.payload, Size: 1},
		bpf.ALUOpConstant{Op: bpf.ALUOpAnd, Val: 0x0f},
		bpf.ALUOpConstant{Op: bpf.ALUOpShiftLeft, Val: 2},
		bpf.ALUOpX{Op: bpf.ALUOpAdd},
		bpf.TAX{},
		bpf.LoadScratch{Dst: bpf.RegA})
	a.equal("udp", 17)
	a.jump("tcp")
}

// ipv6 passes what stands behind extension headers whole: it is rare.
func (a *assembler) ipv6(l layout, tunnels bool) {
	a.place("ipv6")
	a.add(bpf.LoadIndirect{Off: l.payload + 6, Size: 1}, bpf.StoreScratch{Src: bpf.RegA})
	a.equal("pass", extensionHeaders[:]...)
	a.equal("ipv6 ports", 6)
	if tunnels {
		a.equal("pass", 4, 41, 47)
		a.equal("ipv6 ports", 17)
	}
	a.jump("stop")
	a.place("ipv6 ports")
	a.forward(40)
	a.add(bpf.LoadScratch{Dst: bpf.RegA})
	a.equal("udp", 17)
}

// ports passes a packet whose source or destination is one of the ports, and
// stops any other.
func (a *assembler) ports(l layout, ports []uint16, pass bpf.RetConstant) {
	ranges := portRanges(ports, maxPortRanges)
	for _, place := range []uint32{l.payload, l.payload + 2} {
		a.add(bpf.LoadIndirect{Off: place, Size: 2})
		for _, r := range ranges {
			if r.first == r.last {
				a.add(bpf.JumpIf{Cond: bpf.JumpEqual, Val: uint32(r.first), SkipFalse: 1}, pass)
				continue
			}
			a.add(
				bpf.JumpIf{Cond: bpf.JumpGreaterOrEqual, Val: uint32(r.first), SkipFalse: 2},
				bpf.JumpIf{Cond: bpf.JumpGreaterThan, Val: uint32(r.last), SkipTrue: 1},
				pass)
		}
	}
	a.add(bpf.RetConstant{})
}

type portRange struct{ first, last uint16 }

// maxPortRanges keeps the program below what the kernel takes: 4096
// instructions, and 20 kB of option memory (net.core.optmem_max) on older ones.
const maxPortRanges = 200

// portRanges joins neighbouring ports. Where there are more ranges than most,
// those with the least between them are joined too: the decoder leaves out
// what then passes beside.
func portRanges(ports []uint16, most int) []portRange {
	ports = slices.Compact(slices.Sorted(slices.Values(ports)))
	gap := uint16(1)
	for {
		var out []portRange
		for _, p := range ports {
			if n := len(out) - 1; n >= 0 && p-out[n].last <= gap {
				out[n].last = p
			} else {
				out = append(out, portRange{p, p})
			}
		}
		if len(out) <= most {
			return out
		}
		gap *= 2
	}
}
