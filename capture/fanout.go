package capture

import "golang.org/x/net/bpf"

// shardFactor spreads what the addresses and ports of connections have in
// common: 2^32 over the golden ratio, odd.
const shardFactor = 0x9e3779b1

// ShardOf says which of the shards a connection belongs to, the same for both
// of its directions. The addresses are in two halves each, as netip.Addr.As16
// has them; an IPv4 address may as well stand alone in the low 32 bits. The
// kernel computes the same without ports, as if they were 0, for TCP of OpenShards,
// behind up to three tags too beside the one that it takes off, and gives tunnels and
// all else to shard 0: a later fragment has no ports, and must not come by another ring
// than the rest of its connection. It is no secret: a sender who wants one shard to
// have all of his connections can have that.
func ShardOf(srcHi, srcLo, dstHi, dstLo uint64, srcPort, dstPort uint16, shards int) int {
	if shards <= 1 {
		return 0
	}
	words := srcHi ^ srcLo ^ dstHi ^ dstLo
	h := uint32(words>>32) ^ uint32(words) ^ uint32(srcPort^dstPort)
	h ^= h >> 16 // the product's high bits depend on all that is below them
	h *= shardFactor
	return int((h >> 16) % uint32(shards))
}

// netOffset stands for the network header in a load's place (SKF_NET_OFF in
// linux/filter.h).
const netOffset = 0xfff00000

// packetOutgoing is the type of what this machine sends (linux/if_packet.h).
const packetOutgoing = 4

// fanoutProgram computes ShardOf in the kernel for TCP over IPv4, and over IPv6, behind
// extension headers too, in one piece or in several, and 0 for anything else. What
// comes in begins at its network header or a tag that the kernel left there, and loads
// from there reach into pages that a driver keeps beside; what goes out begins at its
// link header, so that the network header must be asked for, where no tag is.
func fanoutProgram(shards int) []bpf.Instruction {
	a := &assembler{}
	a.add(bpf.LoadConstant{Dst: bpf.RegX}, bpf.LoadExtension{Num: bpf.ExtType})
	a.equal("out", packetOutgoing)
	a.add(bpf.LoadExtension{Num: bpf.ExtProto})
	a.walkTags(0)
	a.jump("typed")

	a.place("out")
	a.add(bpf.LoadConstant{Dst: bpf.RegX, Val: netOffset}, bpf.LoadExtension{Num: bpf.ExtProto})
	a.equal("version", tagTypes[:]...)
	a.jump("typed")
	a.place("version")
	a.version(layout{})
	a.place("typed")
	a.equal("ipv4", etherIPv4)
	a.equal("ipv6", etherIPv6)
	a.place("stop")
	a.add(bpf.RetConstant{})

	a.place("ipv4")
	a.add(bpf.LoadIndirect{Off: 9, Size: 1}, bpf.JumpIf{Cond: bpf.JumpEqual, Val: 6, SkipTrue: 1}, bpf.RetConstant{})
	a.xorWords(12, 16)
	a.jump("fold")

	a.place("ipv6")
	a.add(bpf.LoadIndirect{Off: 6, Size: 1})
	a.equal("addresses", 6)
	a.equal("addresses", extensionHeaders[:]...)
	a.add(bpf.RetConstant{})
	a.place("addresses")
	a.xorWords(8, 12, 16, 20, 24, 28, 32, 36)

	a.place("fold")
	a.add(bpf.LoadScratch{Dst: bpf.RegA, N: cellSum}, bpf.TAX{}, bpf.ALUOpConstant{Op: bpf.ALUOpShiftRight, Val: 16}, bpf.ALUOpX{Op: bpf.ALUOpXor},
		bpf.ALUOpConstant{Op: bpf.ALUOpMul, Val: shardFactor},
		bpf.ALUOpConstant{Op: bpf.ALUOpShiftRight, Val: 16},
		bpf.ALUOpConstant{Op: bpf.ALUOpMod, Val: uint32(max(shards, 1))},
		bpf.RetA{})
	return a.program()
}

// Cells of the program's memory.
const (
	cellSum  = iota // exclusive or of the address words
	cellBase        // X, while it is needed for something else
)

// xorWords leaves the exclusive or of the words at these places behind X in
// the memory's cellSum.
func (a *assembler) xorWords(places ...uint32) {
	a.add(bpf.StoreScratch{Src: bpf.RegX, N: cellBase})
	for i, at := range places {
		a.add(bpf.LoadIndirect{Off: at, Size: 4})
		if i > 0 {
			a.add(bpf.LoadScratch{Dst: bpf.RegX, N: cellSum}, bpf.ALUOpX{Op: bpf.ALUOpXor}, bpf.LoadScratch{Dst: bpf.RegX, N: cellBase})
		}
		a.add(bpf.StoreScratch{Src: bpf.RegA, N: cellSum})
	}
}
