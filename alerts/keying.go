package alerts

import (
	"strconv"

	"github.com/dchest/siphash"
	"github.com/expr-lang/expr/vm"
)

// keying is a list of values that tell groups, memories or events apart, with
// its key for the event at hand. Triggers that name the same values share it.
type keying struct {
	values []value
	event  uint64
	key    key
	slot   uint32 // where a table had it last
}

// value is a compiled expression that yields a scalar. What most groups are
// made of is written without the expression machine.
type value struct {
	program *vm.Program
	write   func(dst []byte, v view) []byte // nil: run the program
}

// writer writes what a native expression yields as text() does.
func writer(x any) func([]byte, view) []byte {
	switch x := x.(type) {
	case address:
		return func(dst []byte, v view) []byte {
			a := x(v)
			if a.Zone() != "" || !a.IsValid() {
				return append(dst, Clip(a.String())...)
			}
			return a.AppendTo(dst)
		}
	case words:
		return func(dst []byte, v view) []byte { return append(dst, Clip(x(v))...) }
	case whole:
		return func(dst []byte, v view) []byte { return strconv.AppendInt(dst, int64(x(v)), 10) }
	case real:
		return func(dst []byte, v view) []byte { return append(dst, Number(x(v))...) }
	case truth:
		return func(dst []byte, v view) []byte { return strconv.AppendBool(dst, x(v)) }
	}
	return nil
}

// keyOf hashes values. The seed is random and kept with the state: a peer cannot
// choose user names that fall together to hide a spray.
func (e *Engine) keyOf(t *runningTrigger, k *keying) key {
	if k.event == e.event {
		return k.key
	}
	text := e.scratch[:0]
	for i := range k.values {
		text = append(e.writeValue(t, &k.values[i], text), 0)
	}
	e.scratch = text
	k.event = e.event
	k.key = e.hash(text)
	return k.key
}

// hash is SipHash-2-4 with 128 bits (Aumasson, Bernstein 2012).
func (e *Engine) hash(text []byte) key {
	a, b := siphash.Hash128(e.seed.a, e.seed.b, text)
	return key{a, b}
}

func (e *Engine) writeValue(t *runningTrigger, v *value, dst []byte) []byte {
	if v.write != nil {
		return v.write(dst, e.view)
	}
	return append(dst, e.yield(t, v.program)...)
}

// groupKey is the key of the event's group; triggers of a rule may group by
// different things, so the labels' names tell groups apart too.
func (e *Engine) groupKey(t *runningTrigger) key {
	k := e.keyOf(t, t.groupBy)
	k.b += uint64(t.labelling)
	return k
}

// tag tells events of a group apart.
func (e *Engine) tag(t *runningTrigger, k *keying) uint64 { return e.keyOf(t, k).a }

// list gives values as people read them.
func (e *Engine) list(t *runningTrigger, k *keying) []string {
	out := make([]string, len(k.values))
	for i := range k.values {
		out[i] = string(e.writeValue(t, &k.values[i], e.scratch[:0]))
	}
	return out
}

// yield runs a program that gives a text.
func (e *Engine) yield(t *runningTrigger, p *vm.Program) string {
	v, err := e.vm.Run(p, e.facts.env(t.kind))
	if err != nil {
		t.rule.stats.Errors++
		return ""
	}
	return text(v)
}
