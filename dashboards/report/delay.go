package report

import (
	"cmp"
	"maps"
	"math/bits"
	"net/netip"
	"slices"
	"time"
)

// delays is a distribution of durations in bounded memory: four steps for each
// power of two of microseconds, so that a quantile is right to a tenth.
type delays struct {
	counts [4 * 36]uint32 // up to 19 hours
	n      int
	worst  time.Duration
}

func (d *delays) add(v time.Duration) {
	d.counts[stepOf(v)]++
	d.n++
	d.worst = max(d.worst, v)
}

func stepOf(v time.Duration) int {
	us := uint64(max(v, 0) / time.Microsecond)
	if us < 4 {
		return int(us)
	}
	e := bits.Len64(us) - 1 // us has its highest bit there; the two below it are the quarter
	return min(4*(e-1)+int(us>>(e-2)&3), 4*36-1)
}

// middleOf is the middle of a step.
func middleOf(step int) time.Duration {
	if step < 4 {
		return time.Duration(step) * time.Microsecond
	}
	e := step/4 + 1
	low := uint64(4+step%4) << (e - 2)
	return time.Duration(low+uint64(1)<<(e-2)/2) * time.Microsecond
}

// quantile gives the duration that a share of all do not exceed.
func (d *delays) quantile(share float64) time.Duration {
	left := int(share * float64(d.n))
	for step, n := range d.counts {
		if left -= int(n); left < 0 {
			return min(middleOf(step), d.worst)
		}
	}
	return d.worst
}

func (d *delays) merge(from *delays) {
	for i, n := range from.counts {
		d.counts[i] += n
	}
	d.n += from.n
	d.worst = max(d.worst, from.worst)
}

// maxServers is how many servers have a distribution of their own.
const maxServers = 500

// servers are the servers' delays of replies. Where they grow too many, those
// with few replies are put together.
type servers struct {
	delays map[netip.AddrPort]*server
	rest   delays
	more   int // servers that were given up, at least

	last   *server // that was asked for: replies of a server come together
	lastAt netip.AddrPort
}

type server struct {
	name string
	delays
}

func (s *servers) add(at netip.AddrPort, name string, v time.Duration) {
	if s.last != nil && s.lastAt == at {
		s.last.add(v)
		return
	}
	d := s.delays[at]
	if d == nil {
		if s.delays == nil {
			s.delays = make(map[netip.AddrPort]*server)
		}
		if len(s.delays) >= maxServers {
			s.prune()
		}
		d = &server{name: clip(name)}
		s.delays[at] = d
	}
	s.last, s.lastAt = d, at
	d.add(v)
}

func (s *servers) prune() {
	busiest := slices.SortedFunc(maps.Keys(s.delays), func(a, b netip.AddrPort) int {
		return cmp.Or(cmp.Compare(s.delays[b].n, s.delays[a].n), a.Compare(b))
	})
	for _, at := range busiest[maxServers/2:] {
		s.rest.merge(&s.delays[at].delays)
		s.more++
		delete(s.delays, at)
	}
}

// slowest lists servers by their median delay, slowest first. One that
// answered less than a handful of times comes behind all others.
func (s *servers) slowest(n int) (list []Server, more int) {
	for at, d := range s.delays {
		list = append(list, Server{Address: at.String(), Name: d.name, Replies: d.n, Median: d.quantile(0.5), Slow: d.quantile(0.95), Worst: d.worst})
	}
	slices.SortFunc(list, func(a, b Server) int {
		return cmp.Or(cmp.Compare(min(b.Replies, fewReplies), min(a.Replies, fewReplies)),
			cmp.Compare(b.Median, a.Median), cmp.Compare(b.Worst, a.Worst), cmp.Compare(a.Address, b.Address))
	})
	if len(list) > n {
		list, more = list[:n], len(list)-n
	}
	if s.more > 0 {
		list = append(list, Server{Replies: s.rest.n, Median: s.rest.quantile(0.5), Slow: s.rest.quantile(0.95), Worst: s.rest.worst})
	}
	return list, more
}

// fewReplies tell little of a server.
const fewReplies = 5

// Server is how long a server takes to answer.
type Server struct {
	Address, Name string // both empty: all servers that were too many to be told apart
	Replies       int
	// Half of the replies come within Median, 95 of a hundred within Slow.
	Median, Slow, Worst time.Duration
}
