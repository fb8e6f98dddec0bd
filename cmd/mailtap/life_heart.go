package main

import (
	"context"
	"fmt"
	"time"
)

// heart knows whether the packet path turns: each puller's loop, and loads through
// all shards and the merge. A path without packets turns too.
type heart struct {
	parts []part
}

// part is one loop: it counts its turns.
type part struct {
	name  string
	turns func() uint64
	last  uint64
	at    time.Time // when it had turned
}

func (w *watch) heart(now time.Time) *heart {
	h := &heart{parts: []part{{name: "the merge", turns: w.pipeline.merged.Load, at: now}}}
	for _, r := range w.pullers {
		h.parts = append(h.parts, part{name: fmt.Sprintf("the reader %d of %s", r.index+1, r.name), turns: r.turns.Load, at: now})
	}
	return h
}

// stuck names a part that has not turned for a time; empty: all do.
func (h *heart) stuck(now time.Time, patience time.Duration) (name string) {
	for i := range h.parts {
		p := &h.parts[i]
		if n := p.turns(); n != p.last {
			p.last, p.at = n, now
		} else if now.Sub(p.at) > patience {
			name = p.name
		}
	}
	return name
}

// Of the notices to the service manager.
const (
	leastPatience = 2 * time.Second // the merge turns once a second at least
	statusEvery   = 10 * time.Second
)

// watch feeds the manager's watchdog while the packet path turns, and shows how the
// run is, until ctx ends.
func (l *life) watch(ctx context.Context, w *watch) {
	if l.socket == nil {
		return
	}
	every := statusEvery
	if l.every > 0 {
		every = min(every, l.every)
	}
	tick := time.NewTicker(every)
	defer tick.Stop()
	h, told, silent := w.heart(time.Now()), time.Time{}, false
	for {
		select {
		case now := <-tick.C:
			name := h.stuck(now, max(every, leastPatience))
			if name != "" && !silent {
				l.log.Error("the packet path does not turn: the watchdog is not fed", "stuck", name)
			}
			silent = name != ""
			if !silent && l.every > 0 {
				l.tell("WATCHDOG=1")
			}
			if now.Sub(told) >= statusEvery {
				told = now
				l.tell(w.status(name))
			}
		case <-ctx.Done():
			return
		}
	}
}

// status is a line for people.
func (w *watch) status(stuck string) string {
	if stuck != "" {
		return "STATUS=stuck: " + stuck
	}
	var packets, dropped uint64
	w.mu.Lock()
	for _, c := range w.counts {
		packets += c.Packets
		dropped += c.DroppedKernel + c.DroppedInterface
	}
	w.mu.Unlock()
	s := w.pipeline.stats()
	return fmt.Sprintf("STATUS=%d packets, %d dropped; %d connections tracked", packets, dropped, s.Opening+s.Established+s.Closing)
}
