package sessions

// This file keeps the connections within their number and their memory. What
// goes first is what is of the least use: a flood of attempts that nobody
// answers must not push out sessions.

// What things take of memory, in octets, about: the entry with its share of the
// index, and a flow with what its session usually has beside it.
const (
	entryCost = 224
	flowCost  = 2048
	mailCost  = 1024
)

// maxLooks bounds how many entries one eviction looks at while there are attempts
// to be found or nothing was found that is of less use than a session that talks,
// and fewLooks else. The hand goes on from there the next time.
const (
	maxLooks = 1024
	fewLooks = 32
)

// use orders entries by what would be lost with them.
type use uint8

const (
	unanswered use = iota // an attempt that nobody has answered
	over                  // its session was written
	oneSided              // only one side of a start in the middle was seen
	silentUse             // open, and the client has said nothing
	talking
)

func (t *Tracker) useOf(e *entry) use {
	switch {
	case e.done:
		return over
	case e.state == opening: // even if octets came with the SYN: nobody took them
		return unanswered
	case e.midway && (e.packets[client] == 0 || e.packets[server] == 0):
		return oneSided
	case t.talkers.of(e) == nil, e.octets[client] == 0:
		return silentUse
	}
	return talking
}

// memory is what connections hold, in octets, about.
func (t *Tracker) memory() int {
	return t.flows.count*entryCost + t.talkers.inUse()*flowCost + t.mails*mailCost + t.held + t.kept
}

// makeRoom lets connections go until one more has room, or one of them that begins
// to talk or keeps more, which stays unless it is that which keeps the most.
func (t *Tracker) makeRoom(begins *entry) {
	for t.flows.count > 0 {
		counter := &t.stats.EvictedMemory
		var e *entry
		switch {
		case begins == nil && t.flows.count >= t.opts.Limits.Connections:
			counter, e = &t.stats.EvictedTable, t.leastUse(nil)
		case t.memory() <= t.opts.Memory:
			return
		case t.parkNext():
			continue
		default:
			if e = t.hoarder(); e == nil {
				e = t.leastUse(begins)
			}
		}
		if e == nil {
			return
		}
		*counter++
		if !e.done {
			t.flowOf(e).finish(EndEvicted)
		}
		t.remove(e)
	}
}

// parkNext parks one that was greeted, so that no connection is lost for it: a flood
// that waits behind its greeting must not fill a small budget with flows.
func (t *Tracker) parkNext() bool {
	p := &t.parking
	was := p.parked
	for p.first < len(p.latest) && p.parked == was {
		t.parkEntry(p.latest[p.first])
		p.first++
	}
	return p.parked > was
}

// hoarder is a connection that keeps more than most, where what is kept takes much
// of the memory; nil else.
func (t *Tracker) hoarder() *entry {
	if t.kept <= t.opts.Memory/keptShare {
		return nil
	}
	f := t.hoarders.largest()
	if f == nil {
		return nil
	}
	return f.entry
}

// leastUse finds an entry that is of less use than most, and is not begins. A
// session that talks goes only when a whole round of the hand found nothing of
// less use: sessions that began together lie together, and a flood beside them
// must not push them out. Until then it finds none, and as many connections more
// than the budget has room for come in as there are thousands of sessions.
func (t *Tracker) leastUse(begins *entry) *entry {
	var least *entry
	all := uint32(len(t.flows.slabs)) << slabBits
	most := fewLooks
	if t.stats.Opening > 0 {
		most = maxLooks
	}
	others := t.flows.count
	if begins != nil && t.talkers.of(begins) == nil {
		others-- // it talks soon, and is none to be found
	}
	if t.barren >= all && others > t.talkers.inUse() {
		t.barren = 0
	}
	for looks, seen := 0, 0; looks < maxLooks && (seen < most || t.barren < all && t.useOf(least) == talking); looks++ {
		t.hand = (t.hand + 1) % all
		e := t.flows.at(t.hand)
		t.barren++
		if !e.filed || e == begins {
			continue
		}
		seen++
		u := t.useOf(e)
		if u < talking {
			t.barren = 0
		}
		if u == unanswered {
			return e
		}
		if least == nil || u < t.useOf(least) || u == t.useOf(least) && e.active < least.active {
			least = e
		}
	}
	if least != nil && t.barren < all && t.useOf(least) == talking {
		return nil
	}
	return least
}
