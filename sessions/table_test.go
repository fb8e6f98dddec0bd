package sessions

import (
	"testing"
)

// TestFlowTable holds the table against a map over adds and deletes.
func TestFlowTable(t *testing.T) {
	table := newFlowTable(1)
	oracle := map[flowKey]*flow{}
	key := func(i int) flowKey {
		return flowKey{aLo: uint64(i % 977), bLo: uint64(i % 31), ports: uint32(i * 7919)}
	}
	for i := range 20000 {
		k := key(i * i % 5003)
		switch f := table.get(k); {
		case f != oracle[k]:
			t.Fatalf("step %d: the table has %v, the map %v", i, f, oracle[k])
		case f == nil:
			f = &flow{key: k}
			table.put(f)
			oracle[k] = f
		case i%3 == 0:
			table.remove(f)
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
