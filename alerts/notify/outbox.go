package notify

import (
	"fmt"
	"sync"
	"time"

	"github.com/mailtap/mailtap/alerts"
)

const (
	syncAfter  = 500 * time.Millisecond // from an alert until the store begins to write it
	retryAfter = 10 * time.Second       // where the store took nothing
	earlySync  = 4 << 20                // octets of a journal that do not wait so long
)

// outbox keeps what receivers lack and which alerts fire. With a folder it
// outlives the process: an alert is in a journal when add returns, and within
// a second in the store, on the disk; then its journal is emptied. Without one
// it is memory only.
type outbox struct {
	notice  func(string)
	wrote   func(error) // nil: notice
	damaged func(files int)
	fault   func() error
	clock   Clock

	mu       sync.Mutex
	last     uint64 // id
	active   active
	left     map[uint64]int // how many receivers lack an alert; nil without a folder
	now      *batch         // since the store was written last
	journals [2]*journal
	current  int  // the journal that is written
	refusing bool // the last alert was not written

	store  *store
	flight *batch // on its way to the store; of the goroutine that writes it
	fails  bool   // the store took nothing; of the same goroutine
	dirty  chan struct{}
	early  chan struct{}
	end    chan struct{}
	ended  chan error
}

func (o *outbox) durable() bool { return o.store != nil }

// add keeps an alert for receivers and gives it its id.
func (o *outbox) add(a *alerts.Alert, to []string, since int64) uint64 {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.last++
	full := o.active.left
	changed := o.active.note(a)
	if o.active.left == 1 && full == 0 {
		o.notice(fmt.Sprintf("more than %d alerts fire; those beyond are not remembered over a restart", o.active.max))
	}
	if o.durable() && (changed || len(to) > 0) {
		o.keep(a, to, since, changed)
	}
	return o.last
}

func (o *outbox) keep(a *alerts.Alert, to []string, since int64, changed bool) {
	whole, alert, err := encodeRecord(o.last, to, since, a)
	if err != nil {
		o.refused(err)
		return
	}
	if len(to) > 0 {
		o.left[o.last] = len(to)
	}
	o.now.add(o.last, to, whole)
	if changed {
		o.now.fires(a, alert)
	}
	j := o.journals[o.current]
	err = o.fault()
	if err == nil {
		err = j.append(whole)
	}
	o.refused(err)
	signal(o.dirty)
	if j.size > earlySync {
		signal(o.early)
	}
}

// refused says once that alerts are kept in memory only.
func (o *outbox) refused(err error) {
	if o.wrote != nil {
		o.wrote(err)
	} else if err != nil && !o.refusing {
		o.notice(fmt.Sprintf("the outbox does not take alerts, they are in memory only: %v", err))
	}
	o.refusing = err != nil
}

// done says that a receiver is done with alerts.
func (o *outbox) done(receiver string, ids ...uint64) {
	if !o.durable() || len(ids) == 0 {
		return
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	for _, id := range ids {
		n, known := o.left[id]
		if !known {
			continue
		}
		if n == 1 {
			delete(o.left, id)
		} else {
			o.left[id] = n - 1
		}
		o.now.done(receiver, id, n == 1)
	}
	signal(o.dirty)
}

func (o *outbox) firing() []alerts.Alert {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.active.list()
}

// run brings what changed to the disk until the outbox is closed.
func (o *outbox) run() {
	for {
		select {
		case <-o.dirty:
			o.rest()
			o.commit()
		case <-o.end:
			o.commit() // what failed before
			o.ended <- o.commit()
			return
		}
	}
}

// rest gathers what comes together.
func (o *outbox) rest() {
	after, early := syncAfter, o.early
	if o.fails {
		after, early = retryAfter, nil
	}
	select {
	case <-o.clock.After(after):
	case <-early:
	case <-o.end:
	}
}

// commit brings to the store what changed. What it does not take stays, with
// the journal that holds it, and is tried again.
func (o *outbox) commit() error {
	if o.flight == nil && !o.launch() {
		return nil
	}
	err := o.fault()
	if err == nil {
		err = o.store.commit(o.flight)
	}
	if o.wrote != nil {
		o.wrote(err)
	}
	if err == nil {
		o.flight, o.fails = nil, false
		o.spare().reset() // what it holds is known by its ids; no harm if it stays
		return nil
	}
	for _, j := range o.journals {
		j.file.Sync()
	}
	if !o.fails && o.wrote == nil {
		o.notice(fmt.Sprintf("the outbox's store takes nothing, it is tried again: %v", err))
	}
	o.fails = true
	signal(o.dirty)
	return err
}

// launch takes what changed out and changes journals.
func (o *outbox) launch() bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.now.empty() {
		return false
	}
	o.flight, o.now = o.now, newBatch()
	o.current = 1 - o.current
	return true
}

// spare is the journal that nobody writes.
func (o *outbox) spare() *journal {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.journals[1-o.current]
}

// close brings the rest to the disk. Nothing is kept that comes later.
func (o *outbox) close() error {
	if !o.durable() {
		return nil
	}
	close(o.end)
	err := <-o.ended
	if e := o.store.close(); err == nil {
		err = e
	}
	for _, j := range o.journals {
		j.file.Close()
	}
	return err
}

func signal(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}
