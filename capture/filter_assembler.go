package capture

import "golang.org/x/net/bpf"

// assembler writes a classic BPF program with named places. A conditional jump
// of cBPF reaches 255 instructions only and none goes back, so each is written
// as a short one over a long, unconditional one.
type assembler struct {
	code   []bpf.Instruction
	places map[string]int
	open   map[int]string // jumps that wait for their place
}

func (a *assembler) add(ins ...bpf.Instruction) { a.code = append(a.code, ins...) }

// place names the next instruction.
func (a *assembler) place(name string) {
	if a.places == nil {
		a.places = make(map[string]int)
	}
	a.places[name] = len(a.code)
}

// jump goes on at a place further down.
func (a *assembler) jump(to string) {
	if a.open == nil {
		a.open = make(map[int]string)
	}
	a.open[len(a.code)] = to
	a.add(bpf.Jump{})
}

// when jumps where the accumulator passes a test against v, and goes on else.
func (a *assembler) when(test bpf.JumpTest, v uint32, to string) {
	a.add(bpf.JumpIf{Cond: test, Val: v, SkipFalse: 1})
	a.jump(to)
}

// equal jumps where the accumulator is one of the values.
func (a *assembler) equal(to string, values ...uint32) {
	for _, v := range values {
		a.when(bpf.JumpEqual, v, to)
	}
}

// forward moves X on by n octets.
func (a *assembler) forward(n uint32) {
	a.add(bpf.TXA{}, bpf.ALUOpConstant{Op: bpf.ALUOpAdd, Val: n}, bpf.TAX{})
}

// program resolves the places.
func (a *assembler) program() []bpf.Instruction {
	for at, name := range a.open {
		a.code[at] = bpf.Jump{Skip: uint32(a.places[name] - at - 1)}
	}
	return a.code
}
