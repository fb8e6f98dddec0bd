package notify

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/mailtap/mailtap/alerts"
)

const (
	storeName = "alerts.db"
	aside     = ".damaged" // behind the name of a file that is not whole
)

// openOutbox opens the folder, and gives what each receiver lacks, oldest
// first. What an earlier process left in journals goes to the store. The caller
// starts run.
func openOutbox(o *Options, receivers []string) (*outbox, map[string][]note, error) {
	b := &outbox{notice: o.Notice, wrote: o.Wrote, damaged: o.Damaged, fault: o.Fault, clock: o.Clock, active: active{max: o.MaxActive, last: map[string]*alerts.Alert{}}}
	if o.Dir == "" {
		return b, nil, nil
	}
	b.left, b.now = map[uint64]int{}, newBatch()
	b.dirty, b.early = make(chan struct{}, 1), make(chan struct{}, 1)
	b.end, b.ended = make(chan struct{}), make(chan error, 1)
	waiting, err := b.open(o.Dir, receivers)
	if err != nil {
		b.abandon()
		return nil, nil, fmt.Errorf("outbox %s: %w", o.Dir, err)
	}
	return b, waiting, nil
}

func (o *outbox) open(dir string, receivers []string) (map[string][]note, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, err
	}
	if err := os.Chmod(dir, 0o700); err != nil { // alerts name users
		return nil, err
	}
	s, c, damage, err := openStore(filepath.Join(dir, storeName))
	if err != nil {
		return nil, err
	}
	if damage != nil {
		o.damaged(1)
		o.notice(fmt.Sprintf("the outbox of the last run is not whole, %d alerts could be read from it and %s.damaged keeps the rest: %v", len(c.records), storeName, damage))
	}
	o.store = s
	late, err := o.openJournals(dir, &c)
	if err != nil {
		return nil, err
	}
	if damage != nil {
		o.rescue(&c, receivers)
	}
	waiting := o.restore(c, late, receivers)
	if err := o.commit(); err != nil {
		return nil, err
	}
	return waiting, errors.Join(o.journals[0].reset(), o.journals[1].reset(), syncFolder(dir))
}

// syncFolder brings the names of new files to the disk, where the system can.
func syncFolder(dir string) error {
	f, err := os.Open(dir)
	if err != nil {
		return err
	}
	f.Sync() // not every file system has it for folders
	return f.Close()
}

// abandon lets go what open took.
func (o *outbox) abandon() {
	if o.store != nil {
		o.store.close()
	}
	for _, j := range o.journals {
		if j != nil {
			j.file.Close()
		}
	}
}

// openJournals reads what came after the store's newest alert.
func (o *outbox) openJournals(dir string, c *content) ([]record, error) {
	var late []record
	known := map[uint64]bool{} // where upTo was lost with the rest of a store
	for _, r := range c.records {
		known[r.ID] = true
	}
	torn := 0
	for i, name := range []string{"journal-0", "journal-1"} {
		name = filepath.Join(dir, name)
		j, records, rest, err := openJournal(name)
		if errors.Is(err, fs.ErrPermission) { // somebody else's
			o.notice(fmt.Sprintf("the outbox's journal of the last run may not be read, %s.damaged keeps it: %v", filepath.Base(name), err))
			o.damaged(1)
			if err = os.Rename(name, name+aside); err == nil {
				j, records, rest, err = openJournal(name)
			}
		}
		if err != nil {
			return nil, err
		}
		o.journals[i] = j
		for _, b := range records {
			r, ok := decodeRecord(b)
			if !ok {
				rest += len(b)
			} else if r.ID > c.upTo && !known[r.ID] {
				known[r.ID] = true
				late = append(late, r)
			}
		}
		if torn += rest; rest > 0 {
			o.damaged(1)
			j.keepCopy(name + aside)
		}
	}
	if torn > 0 {
		o.notice(fmt.Sprintf("the outbox's journal of the last run is not whole, as after a kill while an alert was written; %d octets of it are left out, a copy is beside it", torn))
	}
	slices.SortFunc(late, func(a, b record) int { return cmp.Compare(a.ID, b.ID) })
	return late, nil
}

// rescue puts into a new store what could be read of a damaged one.
func (o *outbox) rescue(c *content, receivers []string) {
	for _, r := range c.records {
		if whole, _, err := encodeRecord(r.ID, r.To, r.Since, &r.Alert); err == nil {
			o.now.add(r.ID, c.lacking(r, receivers), whole)
		}
	}
	for i := range c.active {
		if _, alert, err := encodeRecord(0, nil, 0, &c.active[i]); err == nil {
			o.now.fires(&c.active[i], alert)
		}
	}
	o.now.upTo = max(o.now.upTo, c.upTo)
}

// lacking are the receivers that lack an alert. Where their lists are not
// whole they are asked to take it again.
func (c *content) lacking(r record, known []string) []string {
	var out []string
	for _, name := range r.To {
		if slices.Contains(known, name) && (!c.whole || c.waiting[name][r.ID]) {
			out = append(out, name)
		}
	}
	return out
}

// restore fills memory and the next batch: late are the alerts that only the
// journals have.
func (o *outbox) restore(c content, late []record, receivers []string) map[string][]note {
	waiting := map[string][]note{}
	wait := func(r *record, to []string) {
		for _, name := range to {
			waiting[name] = append(waiting[name], note{id: r.ID, alert: &r.Alert, since: cmp.Or(r.Since, o.clock.Now().Unix())})
		}
		if len(to) > 0 {
			o.left[r.ID] = len(to)
		}
		o.last = max(o.last, r.ID)
	}
	o.last = c.upTo
	for i := range c.active {
		if a := &c.active[i]; !o.active.note(a) {
			o.now.active[a.Fingerprint] = nil // the bound was lowered
		}
	}
	for i := range c.records {
		r := &c.records[i]
		to := c.lacking(*r, receivers)
		if wait(r, to); len(to) == 0 {
			o.now.gone = append(o.now.gone, r.ID)
		}
	}
	dropped := o.forget(&c, late, receivers)
	for i := range late {
		r := &late[i]
		r.To = slices.DeleteFunc(r.To, func(name string) bool { return !slices.Contains(receivers, name) })
		wait(r, r.To)
		o.replay(r)
	}
	if len(dropped) > 0 {
		o.notice("the outbox held alerts for receivers that are no longer configured; they are dropped: " + strings.Join(dropped, ", "))
	}
	for _, list := range waiting {
		slices.SortFunc(list, func(a, b note) int { return cmp.Compare(a.id, b.id) })
	}
	return waiting
}

// replay does again what add did.
func (o *outbox) replay(r *record) {
	changed := o.active.note(&r.Alert)
	whole, alert, err := encodeRecord(r.ID, r.To, r.Since, &r.Alert)
	if err != nil {
		return // it was read from this form
	}
	o.now.add(r.ID, r.To, whole)
	if changed {
		o.now.fires(&r.Alert, alert)
	}
}

// forget drops what waits for receivers that are no more, and tells them with
// their numbers.
func (o *outbox) forget(c *content, late []record, receivers []string) []string {
	counts := map[string]int{}
	for name, ids := range c.waiting {
		if !slices.Contains(receivers, name) {
			counts[name] = len(ids)
			o.now.forget = append(o.now.forget, name)
		}
	}
	for _, r := range late {
		for _, name := range r.To {
			if !slices.Contains(receivers, name) {
				counts[name]++
			}
		}
	}
	var out []string
	for _, name := range slices.Sorted(maps.Keys(counts)) {
		if counts[name] > 0 {
			out = append(out, fmt.Sprintf("%s (%d)", alerts.Clip(name), counts[name]))
		}
	}
	return out
}
