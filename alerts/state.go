package alerts

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
)

// The file of an engine's state: stateMagic, the length of what follows it less
// the checksum, that, and its CRC-32C. A rule has a section of its own, under
// a digest of the rule's text: a changed rule begins anew, the others go on.
const (
	stateMagic = "mailtap alerts 1\n"
	MaxState   = 1 << 30 // octets of a state file
)

// Errors of Restore.
var (
	ErrStateVersion = errors.New("no state of this version")
	ErrStateDamaged = errors.New("the state is cut or damaged")
	ErrStateUsed    = errors.New("the engine has judged events already")
)

// Save writes all that the engine knows: alerts, storms, waits, windows,
// memories, and the seed of their keys. It is for the owner's eyes only: it
// names users. An engine that restored it goes on exactly as this one would.
func (e *Engine) Save(w io.Writer) error {
	out := &encoder{b: make([]byte, 0, 1<<16)}
	out.b = append(out.b, stateMagic...)
	out.word(0)
	e.save(out)
	const head = len(stateMagic) + 8
	body := out.b[head:]
	if len(body) > MaxState-head-4 {
		return fmt.Errorf("alerts: the state has %d octets, allowed are %d", len(body), MaxState)
	}
	binary.LittleEndian.PutUint64(out.b[len(stateMagic):], uint64(len(body)))
	out.b = binary.LittleEndian.AppendUint32(out.b, crc32.Checksum(body, crc32.MakeTable(crc32.Castagnoli)))
	_, err := w.Write(out.b)
	return err
}

func (e *Engine) save(w *encoder) {
	w.key(e.seed)
	w.int(e.now)
	w.int(e.start)
	w.uint(e.order)
	e.home.learned.save(w)
	w.uint(uint64(len(e.rules)))
	for _, r := range e.rules {
		w.text(r.Name)
		digest := e.digest(r)
		w.b = append(w.b, digest[:]...)
		w.part(func(w *encoder) { e.saveRule(w, r) })
	}
}

// Restore reads what Save wrote, before the first event. On an error the engine
// is as it was. Rules that the state does not know begin anew.
func (e *Engine) Restore(r io.Reader) error {
	if e.event > 0 || e.start >= 0 {
		return ErrStateUsed
	}
	data, err := io.ReadAll(io.LimitReader(r, MaxState+1))
	if err != nil {
		return err
	}
	rest, ok := bytes.CutPrefix(data, []byte(stateMagic))
	if !ok {
		return ErrStateVersion
	}
	if len(data) > MaxState || len(rest) < 12 || binary.LittleEndian.Uint64(rest) != uint64(len(rest)-12) {
		return ErrStateDamaged
	}
	body, sum := rest[8:len(rest)-4], binary.LittleEndian.Uint32(rest[len(rest)-4:])
	if crc32.Checksum(body, crc32.MakeTable(crc32.Castagnoli)) != sum {
		return ErrStateDamaged
	}
	if seed := e.seed; !e.restore(&decoder{b: body}) {
		e.forget(seed)
		return ErrStateDamaged
	}
	for _, r := range e.rules {
		for i, n := range r.firing {
			if n > 0 && e.options.Observer != nil {
				e.options.Observer.FiringNow(r.Name, Severities[i], n)
			}
		}
	}
	return nil
}

func (e *Engine) restore(r *decoder) bool {
	byName := map[string]*runningRule{}
	for _, rule := range e.rules {
		byName[rule.Name] = rule
	}
	e.seed, e.now, e.start, e.order = r.key(), r.int(), r.int(), r.uint()
	if !r.ok(e.now >= 0 && e.now <= maxTime && e.start >= -1) {
		return false
	}
	e.home.learned.restore(r)
	for range r.count(maxRules * 2) {
		name := r.text()
		digest := r.take(sha256.Size)
		section := r.part()
		rule := byName[name]
		if r.err != nil {
			return false
		}
		if rule == nil {
			continue
		}
		delete(byName, name) // a second section of the same rule is nobody's
		if want := e.digest(rule); !bytes.Equal(digest, want[:]) {
			continue
		}
		if e.restoreRule(section, rule); !section.end() {
			return false
		}
	}
	return r.end()
}

// forget begins anew.
func (e *Engine) forget(seed key) {
	e.seed, e.now, e.start, e.order, e.timers = seed, 0, -1, 0, nil
	e.home.learned.forget()
	for _, r := range e.rules {
		e.fresh(r)
	}
}

// digest tells rules apart by all that their state depends on.
func (e *Engine) digest(r *runningRule) [sha256.Size]byte {
	h := sha256.New()
	fmt.Fprintf(h, "%d %d %v\n", e.options.MaxGroups, r.stormSize(), r.Repeat())
	for _, s := range r.sources() {
		fmt.Fprintf(h, "%q\n", s)
	}
	for i := range r.Rule.triggers {
		t := &r.Rule.triggers[i]
		f := &t.fire
		fmt.Fprintf(h, "%q %d %v ", t.named, f.times, f.longer)
		fmt.Fprintf(h, "%d %d %s %v %v %d %v %d %v %v %v %v %d\n", t.kind, len(t.groupBy), f.how, f.window, f.hold, f.threshold,
			f.share, f.least, f.floor, f.limit, f.factor, f.deviations, f.learn)
	}
	for _, in := range r.Rule.inhibits {
		fmt.Fprintf(h, "%q %q\n", in.rule, in.equal)
	}
	return [sha256.Size]byte(h.Sum(nil))
}
