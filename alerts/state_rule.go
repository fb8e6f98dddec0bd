package alerts

// keeper is a trigger's own memory that outlives a restart. Its octets are its
// own affair: Save puts them under their length.
type keeper interface {
	save(dst []byte) []byte
	restore(src []byte) error // src comes from a file: anything is possible
}

// keeper of a trigger; nil: it has none.
func (t *runningTrigger) keeper() keeper {
	if t.fire.how == fireSpike {
		return spikeKeeper{t.spikes}
	}
	return nil
}

func (e *Engine) saveRule(w *encoder, r *runningRule) {
	g := &r.groups
	saveSlots(w, &g.keys)
	for slot := range uint32(len(g.keys.entries)) {
		g.saveSlot(w, slot)
	}
	w.uint(uint64(r.storms))
	e.saveFiring(w, r)
	for _, s := range r.inhibits {
		saveSlots(w, &s.upheld.keys)
		for slot := range uint32(len(s.upheld.keys.entries)) {
			w.int(*s.upheld.values.at(slot))
		}
	}
	for _, t := range r.triggers {
		t.saveMemory(w)
	}
}

func (e *Engine) restoreRule(d *decoder, r *runningRule) {
	g := &r.groups
	restoreSlots(d, &g.keys)
	for slot := range uint32(len(g.keys.entries)) {
		g.restoreSlot(d, slot)
	}
	r.storms = uint32(d.uint())
	e.restoreFiring(d, r)
	for _, s := range r.inhibits {
		restoreSlots(d, &s.upheld.keys)
		for slot := range uint32(len(s.upheld.keys.entries)) {
			*s.upheld.values.at(slot) = d.int()
		}
	}
	for _, t := range r.triggers {
		t.restoreMemory(d)
	}
}

// saveSlots writes keys by slot, then the slots of both lists, used last first.
func saveSlots(w *encoder, t *slots) {
	w.uint(uint64(len(t.entries)))
	for i := range t.entries {
		w.key(t.entries[i].key)
	}
	for _, l := range t.lists {
		w.uint(uint64(l.n))
		for slot := l.head; slot != none; slot = t.entries[slot].next {
			w.uint(uint64(slot))
		}
	}
}

func restoreSlots(d *decoder, t *slots) {
	n := d.count(int(t.max))
	for range n {
		k := d.key()
		if _, twice := t.find(k); !d.ok(!twice) {
			return
		}
		t.add(k)
	}
	t.lists = newSlots(1).lists
	placed := make([]bool, n)
	var order [2][]uint32
	for again := range order {
		for range d.count(n) {
			slot := d.uint()
			if !d.ok(slot < uint64(n) && !placed[slot]) {
				break
			}
			placed[slot] = true
			order[again] = append(order[again], uint32(slot))
		}
	}
	d.ok(len(order[0])+len(order[1]) == n)
	for again, list := range order {
		for i := len(list) - 1; i >= 0; i-- {
			t.push(list[i], again == 1)
		}
	}
}

func (g *groups) saveSlot(w *encoder, slot uint32) {
	for _, c := range g.marks {
		saveMarks(w, c.at(slot))
	}
	for _, c := range g.shares {
		c.at(slot).save(w)
	}
	for _, c := range g.pending {
		p := c.at(slot)
		w.int(p.since)
		w.int(p.until)
	}
	s := g.sessions.at(slot)
	w.uint(uint64(s.member.storm))
	w.int(s.member.until)
	w.texts(s.list)
}

func (g *groups) restoreSlot(d *decoder, slot uint32) {
	if d.err != nil {
		return
	}
	for _, c := range g.marks {
		restoreMarks(d, c.at(slot))
	}
	for _, c := range g.shares {
		c.at(slot).restore(d)
	}
	for _, c := range g.pending {
		*c.at(slot) = pending{d.int(), d.int()}
	}
	s := g.sessions.at(slot)
	s.member = folded{uint32(d.uint()), d.int()}
	s.list = append(s.list, d.texts(MaxSessions)...)
}

func saveMarks(w *encoder, m *marks) {
	w.uint(uint64(len(m.list)))
	for _, x := range m.list {
		w.int(x.at)
		w.word(x.tag)
	}
}

func restoreMarks(d *decoder, m *marks) {
	for range d.count(MaxThreshold) {
		m.list = append(m.list, mark{d.int(), d.word()})
	}
}

func (s *share) save(w *encoder) {
	w.int(s.head)
	for i := range s.all {
		w.uint(uint64(s.all[i]))
		w.uint(uint64(s.of[i]))
	}
}

func (s *share) restore(d *decoder) {
	s.head = max(d.int(), 0)
	for i := range s.all {
		s.all[i], s.of[i] = uint32(d.uint()), uint32(d.uint())
	}
}

func (c *contrast) save(w *encoder) {
	for _, list := range [][]fared{c.had[:], c.lacks[:]} {
		for _, x := range list {
			w.int(x.at)
			w.word(x.tag)
			w.uint(uint64(x.times))
			w.bool(x.known)
		}
	}
}

func (c *contrast) restore(d *decoder) {
	for _, list := range [][]fared{c.had[:], c.lacks[:]} {
		for i := range list {
			list[i] = fared{at: d.int(), tag: d.word(), times: uint32(d.uint()), known: d.bool()}
		}
	}
}

func (t *runningTrigger) saveMemory(w *encoder) {
	if t.before != nil {
		saveSlots(w, &t.before.keys)
		for slot := range uint32(len(t.before.keys.entries)) {
			saveMarks(w, t.before.values.at(slot))
		}
	}
	if t.others != nil {
		saveSlots(w, &t.others.keys)
		for slot := range uint32(len(t.others.keys.entries)) {
			t.others.values.at(slot).save(w)
		}
	}
	if t.waits != nil {
		saveSlots(w, &t.waits.keys)
		for slot := range uint32(len(t.waits.keys.entries)) {
			x := t.waits.values.at(slot)
			w.int(x.first)
			w.int(x.last)
		}
	}
	if k := t.keeper(); k != nil {
		w.part(func(w *encoder) { w.b = k.save(w.b) })
	}
}

func (t *runningTrigger) restoreMemory(d *decoder) {
	if t.before != nil {
		restoreSlots(d, &t.before.keys)
		for slot := range uint32(len(t.before.keys.entries)) {
			restoreMarks(d, t.before.values.at(slot))
		}
	}
	if t.others != nil {
		restoreSlots(d, &t.others.keys)
		for slot := range uint32(len(t.others.keys.entries)) {
			t.others.values.at(slot).restore(d)
		}
	}
	if t.waits != nil {
		restoreSlots(d, &t.waits.keys)
		for slot := range uint32(len(t.waits.keys.entries)) {
			*t.waits.values.at(slot) = wait{first: d.int(), last: d.int()}
		}
	}
	if k := t.keeper(); k != nil {
		if p := d.part(); p.err != nil || k.restore(p.b) != nil {
			d.fail()
		}
	}
}
