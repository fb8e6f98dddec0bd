package tls

import (
	"strings"

	"github.com/mailtap/mailtap/decode/tls/keys"
)

// opening is what it takes to open the records of a connection. A Watch
// without a key log has none.
type opening struct {
	log        *keys.Log
	hello      keys.Handshake // what the keys of the next epoch are derived from
	transcript transcript
	ticket     []byte // that the server gave, up to TLS 1.2
	exchanged  bool   // the client sent its key exchange
	sides      [2]direction
	early      early
	decided    bool // early data: what was parked can be looked at

	waiting
	out output
	off bool // nothing can be opened any more
}

// direction opens the records of one sender.
type direction struct {
	body
	key     *keys.Direction
	epoch   keys.Epoch // of TLS 1.3
	begun   bool       // what is protected follows
	pending bool       // the keys for it are still to be taken from the log
	passing bool       // records that do not open before the first that does are none of the epoch's
	passed  int        // records that may have come since the newest that was opened
	lost    int64      // octets on the wire, to be told with the next text
	credit  int        // octets that may be tried in vain
}

const (
	// minRecord is the shortest record that can be opened, with its header:
	// one octet under a tag of 8.
	minRecord = recordHeader + 9
	// maxPassed bounds the numbers that are tried after a loss: 16 MB of long
	// records.
	maxPassed = 1024
	// unknownPassed stands for a loss of unknown size.
	unknownPassed = 64
	// maxCredit bounds the octets that are tried in vain, which what opens
	// earns again: records that belong nowhere must not cost their number in
	// tries each for ever.
	maxCredit = 16 << 20
	earned    = 4 // for an octet
)

// event is a record, or a loss in its place.
type event struct {
	from      keys.Sender
	record    keys.Record // its body is borrowed, unless the event is held
	lost      bool
	counted   int   // records lost whose headers were seen
	uncounted int   // records that may have been lost with their headers
	wire      int64 // octets with the header
	mark, end int64
	done      bool // of a held one
}

// outcome of an event.
type outcome uint8

const (
	passedOn outcome = iota
	waits            // for secrets, and all behind it
	parked           // early data, until the server has decided on it
)

func (w *Watch) sender(s *side) keys.Sender {
	if s == &w.client {
		return keys.Client
	}
	return keys.Server
}

func (w *Watch) side(from keys.Sender) *side {
	if from == keys.Client {
		return &w.client
	}
	return &w.server
}

// opens says whether there is something to open, or may be.
func (w *Watch) opens() bool {
	return w.opening != nil || w.Options != nil && w.Options.Keys != nil && !w.sealed
}

// before prepares the opening for a feed or loss.
func (w *Watch) before() {
	o := w.opening
	switch {
	case o == nil:
		w.opening = newOpening(w.Options.Keys)
	default:
		o.giveUpUnread()
		if o.off {
			w.Close()
			return
		}
		w.reopen() // ahead of what comes: there may be no room for it
	}
}

func newOpening(log *keys.Log) *opening {
	o := &opening{log: log}
	for i := range o.sides {
		o.sides[i] = direction{key: new(keys.Direction), credit: maxCredit}
	}
	return o
}

// begin begins a record.
func (o *opening) begin(w *Watch, s *side) {
	y := &o.sides[w.sender(s)].body
	y.take, y.spoilt, y.whole = w.needed(s), o.secrets && o.full, nil
}

// needed says whether the record that begins must be put together, and ends
// the opening where it shows that the handshake was missed.
func (w *Watch) needed(s *side) bool {
	o := w.opening
	switch {
	case o.off || s.kind == typeChangeCipherSpec:
		return false
	case !w.told().ServerHello:
		if s.kind != typeApplicationData || s == &w.client && w.earlyData && w.told().Retried {
			return false // a refusal, or early data that the server passes over
		}
		o.off = s != &w.client || !w.earlyData
		return !o.off
	case s.kind == typeApplicationData:
		return true
	}
	return w.version < version13 && s.changed
}

// completed takes a record that has passed whole, or with a loss in it.
func (w *Watch) completed(s *side) {
	o, y := w.opening, &w.opening.sides[w.sender(s)].body
	change := s.kind == typeChangeCipherSpec && w.told().ServerHello && w.version < version13
	if o.off || !y.take && !change {
		return
	}
	version := uint16(s.header[1])<<8 | uint16(s.header[2])
	e := event{from: w.sender(s), wire: int64(recordHeader + int(s.length)), mark: w.Mark, end: y.fed,
		record: keys.Record{Type: s.kind, Version: version, Body: y.whole}}
	if y.take && y.spoilt {
		e.lost, e.counted, e.record.Body = true, 1, nil
	}
	w.happens(&e)
}

// missed takes a loss that goes beyond the record being read.
func (w *Watch) missed(s *side, n int64) {
	o := w.opening
	if o == nil || o.off {
		return
	}
	e := event{from: w.sender(s), lost: true, wire: max(n, 1), uncounted: unknownPassed, mark: w.Mark, end: o.sides[w.sender(s)].fed}
	if n >= 1 {
		e.uncounted = int(min(n/minRecord+1, maxPassed))
	}
	switch {
	case s.left > 0:
		e.wire += int64(recordHeader + int(s.length) - int(s.left))
		e.uncounted++
	case s.nheader > 0:
		e.wire += int64(s.nheader)
	}
	w.happens(&e)
}

// open opens a record, or takes account of a loss.
func (w *Watch) open(e *event) outcome {
	o := w.opening
	d := &o.sides[e.from]
	switch {
	case o.early == undecided && e.from == keys.Client:
		return parked
	case !e.lost && e.record.Type == typeChangeCipherSpec:
		d.change()
		return passedOn
	case !e.lost && !d.begun:
		d.missedChange()
	}
	if d.pending {
		switch o.rekey(d, e.from) {
		case nil:
		case keys.NoSecret:
			return waits
		default:
			o.off = true
			return passedOn
		}
	}
	if e.lost {
		d.key.Skip(e.counted, nil)
		w.unopened(e, d, e.counted+e.uncounted)
		return passedOn
	}
	plain, inner, err := o.unseal(d, e)
	if err != nil {
		o.skip(d, e)
		w.unopened(e, d, 1)
		return passedOn
	}
	w.opened(e, d, plain, inner)
	return passedOn
}

// unseal appends the text of a record to that which was opened before. Behind
// a loss it looks for the record's number, and for its epoch.
func (o *opening) unseal(d *direction, e *event) (plain []byte, inner byte, err error) {
	dst := o.out.room(len(e.record.Body))
	if d.passed == 0 {
		return d.key.Open(dst, e.record)
	}
	within := d.within(e)
	if within < 1 {
		return dst, 0, keys.NotAuthentic
	}
	plain, inner, err = d.resync(d.key, dst, e, within)
	for epoch := d.epoch; err != nil && o.hello.Version >= version13 && epoch > keys.Application; {
		epoch--
		later := new(keys.Direction)
		if later.Rekey(o.log, &o.hello, e.from, epoch) != nil {
			break
		}
		if plain, inner, err = d.resync(later, dst, e, within); err != nil {
			later.Close()
			continue
		}
		d.key.Close()
		d.key, d.epoch = later, epoch
	}
	return plain, inner, err
}

func (d *direction) resync(key *keys.Direction, dst []byte, e *event, within int) (plain []byte, inner byte, err error) {
	plain, inner, skipped, err := key.Resync(dst, e.record, within)
	if err != nil || skipped < 0 {
		skipped = 2 * within
	}
	d.credit -= skipped * e.cost()
	return plain, inner, err
}

// cost of a try, in octets.
func (e *event) cost() int { return max(len(e.record.Body), 256) }

// within is how many numbers are tried for a record.
func (d *direction) within(e *event) int {
	return min(d.passed+1, d.credit/(2*e.cost()))
}

// skip passes a record over that did not open: one of the sender that was
// damaged, or one that somebody else sent. Only RC4 must know which.
func (o *opening) skip(d *direction, e *event) {
	number := 0
	if strings.Contains(cipherName(o.hello.Suite), "RC4") {
		number = 1
	}
	d.key.Skip(number, e.record.Body)
}

func (w *Watch) unopened(e *event, d *direction, records int) {
	o := w.opening
	w.inside.missed = true
	if d.passing && !e.lost {
		if o.early >= accepted && e.from == keys.Client {
			d.lost += e.wire
		}
		return
	}
	d.passed = min(d.passed+records, maxPassed)
	d.lost += e.wire
	w.assembling(w.side(e.from), true).restart()
	w.inside.quit, w.inside.quitAnswered = false, false
	if o.early == undecided { // of the server: its decision may be what was lost
		o.decide(false)
		o.early = uncertain
	}
	if w.told().Decrypted && d.lost > 0 && d.begun && d.epoch == keys.Application {
		o.out.loss(span{from: e.from, lost: d.lost, mark: e.mark, end: e.end})
		d.lost = 0
	}
}

func (w *Watch) opened(e *event, d *direction, plain []byte, inner byte) {
	o := w.opening
	text := plain[len(o.out.buf):]
	d.passed, d.passing = 0, false
	d.credit = min(d.credit+earned*len(e.record.Body), maxCredit)
	w.told().Decrypted = true
	switch inner {
	case typeApplicationData:
		w.dialog(e.from, text)
		if len(text) > 0 {
			o.out.add(plain, span{from: e.from, lost: d.lost, mark: e.mark, end: e.end, wire: e.wire})
			d.lost = 0
		}
	case typeHandshake:
		w.answered(e.from)
		w.inner(w.side(e.from), text)
	case typeAlert:
		w.alertInside(w.side(e.from), text)
	}
}

// Close lets go of keys, of what waits for them and of text that was not
// pulled. Nothing is opened from then on; the Facts stay and go on.
func (w *Watch) Close() {
	w.sealed = true
	if o := w.opening; o != nil {
		w.opening = nil
		o.out.wipe()
		o.sides[keys.Client].key.Close()
		o.sides[keys.Server].key.Close()
	}
}
