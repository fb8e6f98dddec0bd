package capture

import (
	"slices"

	"golang.org/x/net/bpf"
)

// What tests of the programs look at; they use capture/packet, so they cannot
// be inside.

// FilterProgram is the filter of a link layer, nil where none is generated.
func FilterProgram(link LinkType, o LiveOptions) []bpf.Instruction {
	l, ok := layoutOf(link)
	if !ok {
		return nil
	}
	return filterProgram(l, o.withDefaults().filter())
}

// CookedProgram is the filter of a socket that gives no link headers, for a
// packet that the kernel says is of this EtherType.
func CookedProgram(etherType uint32, o LiveOptions) []bpf.Instruction {
	return onPaper(filterProgram(kernelLayout, o.withDefaults().filter()), etherType)
}

// FanoutProgram is the fan-out for an incoming packet of this EtherType.
func FanoutProgram(etherType uint32, shards int) []bpf.Instruction {
	return onPaper(fanoutProgram(shards), etherType)
}

// onPaper answers what only a kernel can answer: bpf.VM does not.
func onPaper(code []bpf.Instruction, etherType uint32) []bpf.Instruction {
	code = slices.Clone(code)
	for i, ins := range code {
		switch ins {
		case bpf.LoadExtension{Num: bpf.ExtProto}:
			code[i] = bpf.LoadConstant{Dst: bpf.RegA, Val: etherType}
		case bpf.LoadExtension{Num: bpf.ExtType}:
			code[i] = bpf.LoadConstant{Dst: bpf.RegA} // to this host
		}
	}
	return code
}

// FilterExpression is what libpcap gets for other link layers.
var FilterExpression = filterExpression
