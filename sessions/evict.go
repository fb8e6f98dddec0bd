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
// to be found, and fewLooks while there are none. The hand goes on from there the
// next time.
const (
	maxLooks = 1024
	fewLooks = 32
)

// use orders entries by what would be lost with them.
type use uint8

const (
	unanswered use = iota // an attempt that nobody has answered
	over                  // its session was written
	silentUse             // open, and nothing was said since the greeting, or only one side of a start in the middle was seen
	talking
)

func (t *Tracker) useOf(e *entry) use {
	switch {
	case e.done:
		return over
	case e.state == opening: // even if octets came with the SYN: nobody took them
		return unanswered
	case t.talkers.of(e) == nil, e.midway && (e.packets[client] == 0 || e.packets[server] == 0):
		return silentUse
	}
	return talking
}

// memory is what connections hold, in octets, about.
func (t *Tracker) memory() int {
	return t.flows.count*entryCost + t.talkers.inUse()*flowCost + t.mails*mailCost + t.held
}

// makeRoom lets connections go until one more has room.
func (t *Tracker) makeRoom() {
	for t.flows.count > 0 {
		counter := &t.stats.EvictedTable
		if t.flows.count < t.opts.Limits.Connections {
			if t.memory() <= t.opts.Memory {
				return
			}
			counter = &t.stats.EvictedMemory
		}
		e := t.leastUse()
		*counter++
		if !e.done {
			t.flowOf(e).finish(EndEvicted)
		}
		t.remove(e)
	}
}

// leastUse finds an entry that is of less use than most.
func (t *Tracker) leastUse() *entry {
	var least *entry
	all := uint32(len(t.flows.slabs)) << slabBits
	most := fewLooks
	if t.stats.Opening > 0 {
		most = maxLooks
	}
	for looks, seen := 0, 0; least == nil || looks < maxLooks && seen < most; looks++ {
		t.hand = (t.hand + 1) % all
		e := t.flows.at(t.hand)
		if !e.filed {
			continue // free
		}
		seen++
		u := t.useOf(e)
		if u == unanswered {
			return e
		}
		if least == nil || u < t.useOf(least) || u == t.useOf(least) && e.active < least.active {
			least = e
		}
	}
	return least
}
