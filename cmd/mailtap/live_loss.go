package main

import (
	"time"

	"github.com/mailtap/mailtap/alerts"
)

// reassembly is the source that the octets which streams miss are told under:
// no stream belongs to one interface.
const reassembly = "reassembly"

// losses remembers what each source had counted, once a second, a minute long.
type losses map[string]*lossHistory

type lossHistory struct {
	totals [60]alerts.Capture // a ring; zero at first, as the counts are
	next   int
}

// lastMinute takes what a source counted since it began and gives what of it is
// new since a minute ago.
func (l losses) lastMinute(total alerts.Capture) alerts.Capture {
	h := l[total.Source]
	if h == nil {
		h = &lossHistory{}
		l[total.Source] = h
	}
	old := &h.totals[h.next]
	news := total
	news.Packets = since(total.Packets, old.Packets)
	news.Dropped = since(total.Dropped, old.Dropped)
	news.Bytes = since(total.Bytes, old.Bytes)
	news.LostBytes = since(total.LostBytes, old.LostBytes)
	*old = total
	h.next = (h.next + 1) % len(h.totals)
	return news
}

// since is by how much a counter rose. One that went back began anew, and tells
// nothing for a minute.
func since(now, before uint64) uint64 {
	if now < before {
		return 0
	}
	return now - before
}

// lost is what every source lost in the minute before a packet time. Drops are
// told by source, octets that streams miss for all together.
func (w *watch) lost(at time.Time) []alerts.Capture {
	if w.losses == nil {
		w.losses = losses{}
	}
	var out []alerts.Capture
	w.mu.Lock()
	for _, r := range w.pullers {
		if r.second {
			continue
		}
		c := w.sum(r.name)
		out = append(out, w.losses.lastMinute(alerts.Capture{
			Time: at, Source: r.name, Packets: c.Packets, Dropped: c.DroppedKernel + c.DroppedInterface + c.DroppedQueue,
		}))
	}
	w.mu.Unlock()
	s := w.pipeline.stats()
	return append(out, w.losses.lastMinute(alerts.Capture{Time: at, Source: reassembly, Bytes: s.Bytes, LostBytes: s.LostBytes}))
}
