package tls

import (
	"bytes"

	"github.com/mailtap/mailtap/decode/tls/keys"
)

// heldOverhead is what holding a record costs beside its body, in octets.
const heldOverhead = 128

// waiting holds what was not opened yet, in the order of the wire: the secrets
// may come later than the records. Where it is full it keeps the begin, with
// the handshake and the first commands: what follows is counted as lost.
type waiting struct {
	held    []event
	octets  int
	secrets bool        // the first waits for secrets, else early data is parked
	tried   uint64      // generation of the log for which there were none
	full    bool        // nothing more is held
	beyond  [2]overflow // what came since
}

// overflow is what a sender sent while nothing more could be held.
type overflow struct {
	records, uncounted int
	wire               int64
	mark, end          int64 // of the newest
}

// happens takes the next record or loss.
func (w *Watch) happens(e *event) {
	o := w.opening
	if !o.secrets && (len(o.held) == 0 || e.from == keys.Server) {
		generation := o.log.Generation()
		switch w.open(e) {
		case passedOn:
			if o.decided {
				w.drain()
			}
			return
		case waits:
			o.secrets, o.tried = true, generation
		}
	}
	w.hold(e)
}

func (w *Watch) hold(e *event) {
	o := w.opening
	if size := heldOverhead + len(e.record.Body); !o.full && o.octets+size <= w.Options.maxWaiting() {
		held := *e
		held.record.Body = bytes.Clone(e.record.Body)
		o.held = append(o.held, held)
		o.octets += size
		return
	}
	o.full, w.told().WaitingLimit = true, true
	b := &o.beyond[e.from]
	b.wire, b.mark, b.end = b.wire+e.wire, e.mark, e.end
	if e.lost {
		b.records, b.uncounted = b.records+e.counted, min(b.uncounted+e.uncounted, maxPassed)
	} else {
		b.records++
	}
	// As much again, and still no secrets: they are not to be had.
	if e.record.Type == typeChangeCipherSpec || o.beyond[keys.Client].wire+o.beyond[keys.Server].wire > int64(w.Options.maxWaiting()) {
		o.off = true
		o.waiting = waiting{}
	}
}

// reopen opens what is held if there are new secrets.
func (w *Watch) reopen() {
	o := w.opening
	switch {
	case o == nil:
		return
	case o.off: // the text that was opened is still to be pulled
		o.waiting = waiting{}
		o.sides[keys.Client].part, o.sides[keys.Server].part = nil, nil
		return
	case !o.secrets:
		return
	}
	if generation := o.log.Generation(); generation != o.tried {
		o.tried = generation
		w.drain()
	}
}

// drain opens what is held, from the first on.
func (w *Watch) drain() {
	o := w.opening
	o.secrets, o.decided = false, false
	for i := 0; i < len(o.held) && !o.secrets && !o.off; i++ {
		e := &o.held[i]
		if e.done {
			continue
		}
		switch w.open(e) {
		case passedOn:
			o.octets -= heldOverhead + len(e.record.Body)
			*e = event{done: true}
		case waits:
			o.secrets = true
		}
		if o.decided {
			o.decided, i = false, -1
		}
	}
	o.compact()
	if len(o.held) == 0 {
		w.afterOverflow()
	}
}

func (q *waiting) compact() {
	kept := q.held[:0]
	for _, e := range q.held {
		if !e.done {
			kept = append(kept, e)
		}
	}
	clear(q.held[len(kept):])
	if q.held = kept; len(kept) == 0 {
		q.held, q.octets = nil, 0
	}
}

// afterOverflow goes on behind what could not be held.
func (w *Watch) afterOverflow() {
	o := w.opening
	for from := range o.beyond {
		b := &o.beyond[from]
		if b.wire == 0 || o.off {
			continue
		}
		e := event{from: keys.Sender(from), lost: true, counted: b.records, uncounted: b.uncounted, wire: b.wire, mark: b.mark, end: b.end}
		if w.open(&e) == waits {
			o.secrets = true
			return
		}
		*b = overflow{}
	}
	o.full = false
}
