package alerts

// contrast remembers for one server, say, which clients had something lately and
// which had not. Clients are tags; each list holds the newest ones only.
type contrast struct {
	had   [maxLeast + 1]fared // one more: the client at hand does not count
	lacks [2]fared
}

// maxLeast is the most others that unlike can ask for.
const maxLeast = 4

type fared struct {
	at    int64
	tag   uint64
	times uint32 // in a row
	known bool
}

// find is the place of a client, or the one to give to it: that of the client
// noted longest ago.
func find(list []fared, tag uint64) *fared {
	into := 0
	for i, have := range list {
		if have.known && have.tag == tag {
			return &list[i]
		}
		if !have.known || list[into].known && have.at < list[into].at {
			into = i
		}
	}
	list[into] = fared{tag: tag}
	return &list[into]
}

// note remembers how a client fared. That it lacked it once is not forgotten when
// it has it: others are told apart from a server that is not the same to all.
func (c *contrast) note(tag uint64, had bool, now int64) {
	list := c.lacks[:]
	if had {
		for i := range list {
			if list[i].tag == tag {
				list[i].times = 0
			}
		}
		list = c.had[:]
	}
	x := find(list, tag)
	x.at, x.times, x.known = now, x.times+1, true
}

// unlike says whether a client that lacks it stands alone: so many others had it
// in the window, no other lacked it, and it is so for the given number of times
// in a row, this one included. Where another lacks it too, or it comes and goes,
// the server treats its clients in several ways or was changed: that says
// nothing of this one.
func (c *contrast) unlike(tag uint64, f *fire, now int64) bool {
	window := int64(f.window)
	if others(c.lacks[:], tag, now, window) > 0 || others(c.had[:], tag, now, window) < f.least {
		return false
	}
	times := 1
	for _, x := range c.lacks {
		if x.known && x.tag == tag && x.at > now-window && x.at <= now {
			times += int(x.times)
		}
	}
	return times >= f.times
}

func others(list []fared, tag uint64, now, window int64) (n int) {
	for _, x := range list {
		if x.known && x.tag != tag && x.at > now-window && x.at <= now {
			n++
		}
	}
	return n
}
