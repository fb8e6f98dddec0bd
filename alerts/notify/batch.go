package notify

import (
	"slices"

	"github.com/mailtap/mailtap/alerts"
)

// batch is what changed since the store was written last.
type batch struct {
	upTo   uint64 // the newest alert in it
	put    map[uint64]waiting
	told   []mark            // alerts of the store that a receiver has now
	gone   []uint64          // alerts of the store that every receiver has
	active map[string][]byte // by fingerprint; nil: it fires no more
	forget []string          // receivers that are no more
}

// waiting is an alert that the store does not have yet.
type waiting struct {
	to   []string
	data []byte // a record
}

type mark struct {
	receiver string
	id       uint64
}

func newBatch() *batch {
	return &batch{put: map[uint64]waiting{}, active: map[string][]byte{}}
}

func (b *batch) empty() bool {
	return b.upTo == 0 && len(b.put)+len(b.told)+len(b.gone)+len(b.active)+len(b.forget) == 0
}

// add takes an alert in, and what it means for those that fire.
func (b *batch) add(id uint64, to []string, whole []byte) {
	b.upTo = id
	if len(to) > 0 {
		b.put[id] = waiting{to, whole}
	}
}

func (b *batch) fires(a *alerts.Alert, data []byte) {
	if a.Status == alerts.Resolved {
		data = nil
	}
	b.active[a.Fingerprint] = data
}

// done says that a receiver has an alert; last, that now all have it.
func (b *batch) done(receiver string, id uint64, last bool) {
	w, here := b.put[id]
	if !here {
		b.told = append(b.told, mark{receiver, id})
		if last {
			b.gone = append(b.gone, id)
		}
		return
	}
	if w.to = slices.DeleteFunc(slices.Clone(w.to), func(s string) bool { return s == receiver }); len(w.to) == 0 {
		delete(b.put, id)
		return
	}
	b.put[id] = w
}
