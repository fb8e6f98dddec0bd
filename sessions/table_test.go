package sessions

import (
	"testing"

	"github.com/mailtap/mailtap/capture/packet"
)

// TestFlowTable holds the table against a map over adds and deletes.
func TestFlowTable(t *testing.T) {
	table := newFlowTable(1)
	oracle := map[flowKey]*entry{}
	find := func(k *flowKey, turn bool) *entry {
		s := packet.Segment{Src: k.a, Dst: k.b, SrcPort: uint16(k.ports >> 16), DstPort: uint16(k.ports), V6: k.v6}
		if turn {
			s.Turn()
		}
		e, fromA := table.find(&s, table.hashOf(&s))
		if e != nil && fromA == turn && k.a != k.b {
			t.Fatalf("%v is found from the wrong end", k)
		}
		return e
	}
	key := func(i int) flowKey {
		return flowKey{a: packet.Address{Lo: uint64(i % 977)}, b: packet.Address{Lo: uint64(i % 31)}, ports: uint32(i * 7919), v6: i%5 == 0}
	}
	for i := range 20000 {
		k := key(i * i % 5003)
		switch e := find(&k, i%2 == 0); {
		case e != oracle[k]:
			t.Fatalf("step %d: the table has %v, the map %v", i, e, oracle[k])
		case e == nil:
			oracle[k] = table.put(&k, table.hash(&k))
		case i%3 == 0:
			table.remove(e)
			delete(oracle, k)
		}
		if table.count != len(oracle) {
			t.Fatalf("step %d: %d in the table, %d in the map", i, table.count, len(oracle))
		}
	}
	n := 0
	for f := range table.all {
		if oracle[f.key] != f {
			t.Fatalf("%v is not in the map", f.key)
		}
		n++
	}
	if n != len(oracle) {
		t.Fatalf("%d of %d listed", n, len(oracle))
	}
}
