package evidence

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/netip"
	"slices"
	"sync"
	"time"

	"github.com/mailtap/mailtap/alerts"
	"github.com/mailtap/mailtap/capture"
	"github.com/mailtap/mailtap/sessions"
)

// Options say what is kept. All but Directory have a default.
type Options struct {
	Directory   string        // where files go; made where only its last part is missing
	Memory      int           // octets of all rings together; default 64 MiB. A fourth of it more may wait to be written
	Packets     int           // of one session, the latest; default 2000
	Octets      int           // of one session's packets; default 512 KiB
	MaxFiles    int           // in the directory; default 1000. The oldest go first
	MaxOctets   int64         // of all files in the directory; default 1 GiB
	MaxAge      time.Duration // of a file; then it goes. Default: for any time
	Severity    string        // least severity of an alert; default info
	KeepSecrets bool          // leave the secrets of logins in the copy
	Wait        bool          // for the disk, where it is slower than the packets; else the evidence is left out
	Program     string        // who wrote it, for the file's head

	// Failed is told, once until it works again, that evidence could not be
	// written or was left out. It is called by any goroutine.
	Failed func(error)

	// Wrote is told how each file went, nil where it was written; nil: nobody.
	Wrote func(error)
	// Fault says why the next write fails, in a build that makes them; nil: none does.
	Fault func() error
}

func (o Options) withDefaults() Options {
	o.Memory = cmp.Or(o.Memory, 64<<20)
	o.Packets = cmp.Or(o.Packets, 2000)
	o.Octets = cmp.Or(o.Octets, 512<<10)
	o.MaxFiles = cmp.Or(o.MaxFiles, 1000)
	o.MaxOctets = cmp.Or(o.MaxOctets, 1<<30)
	if o.Failed == nil {
		o.Failed = func(error) {}
	}
	if o.Wrote == nil {
		o.Wrote = func(error) {}
	}
	if o.Fault == nil {
		o.Fault = func() error { return nil }
	}
	return o
}

// Counts tell what became of the evidence that was asked for.
type Counts struct {
	Written uint64 // files
	Failed  uint64 // could not be written
	LeftOut uint64 // too many waited for the disk
	Removed uint64 // older files, to stay within the limits of the directory
}

// Flow is a connection: who talks, and since when.
type Flow struct {
	ID             string
	Client, Server netip.AddrPort
	Start          int64 // packet time, nanoseconds since the Unix epoch
}

const (
	maxFlows = 65536 // connections that are known by their id; the oldest are forgotten
	maxJobs  = 64    // files that wait to be written
)

// ErrBusy says that evidence was left out because too much waits for the disk.
var ErrBusy = errors.New("evidence: the disk is too slow, evidence of alerts is left out")

// Keeper keeps the evidence of all shards. Saw and Take are called by one
// goroutine at a time.
type Keeper struct {
	opts  Options
	seed  uint64
	rings []*Ring
	flows map[string]Flow
	order []string // of their ids; the oldest at next once it is full
	next  int
	last  *sessions.Conn

	dir  *directory
	done chan struct{}

	mu      sync.Mutex // of what follows
	news    *sync.Cond
	queue   []*job
	waiting int // octets of all jobs that are not written
	closed  bool
	busy    bool // the last one was left out
	counts  Counts
}

// Open looks at the directory, and begins to write. Its error says what is wrong
// with it.
func Open(o Options) (*Keeper, error) {
	k, err := newKeeper(o)
	if err != nil {
		return nil, err
	}
	go k.write()
	if k.opts.MaxAge > 0 {
		go k.tend(min(k.opts.MaxAge/10+time.Millisecond, time.Hour))
	}
	return k, nil
}

func newKeeper(o Options) (*Keeper, error) {
	o = o.withDefaults()
	dir, err := openDirectory(o.Directory, o.MaxFiles, o.MaxOctets)
	if err != nil {
		return nil, err
	}
	k := &Keeper{opts: o, seed: rand.Uint64(), flows: map[string]Flow{}, dir: dir, done: make(chan struct{})}
	k.news = sync.NewCond(&k.mu)
	return k, nil
}

// Ring makes the ring of one of so many shards. All are made before the first
// packet comes.
func (k *Keeper) Ring(shards int) *Ring {
	r := newRing(k.opts.Memory/shards, k.seed)
	k.rings = append(k.rings, r)
	return r
}

// Saw notes a connection that an event tells of: alerts name it by its id.
func (k *Keeper) Saw(c *sessions.Conn) {
	if c == k.last {
		return
	}
	k.last = c
	if _, known := k.flows[c.ID]; known {
		return
	}
	if len(k.order) < maxFlows {
		k.order = append(k.order, c.ID)
	} else {
		delete(k.flows, k.order[k.next])
		k.order[k.next] = c.ID
		k.next = (k.next + 1) % maxFlows
	}
	k.flows[c.ID] = Flow{ID: c.ID, Client: c.Client, Server: c.Server, Start: c.Start.UnixNano()}
}

// Take copies the packets of the sessions that an alert names, as far as they
// are still there and not later than the alert, and has them written. It returns
// the path of the file, which is there a moment later; empty where the alert gets
// none: it is resolved, repeated, inhibited or below the severity, has no session
// of which a packet is left, or too much waits to be written.
func (k *Keeper) Take(a *alerts.Alert) string {
	if !k.wants(a) || k.full() {
		return ""
	}
	j := k.collect(a)
	if len(j.packets) == 0 || !k.push(j) {
		return ""
	}
	return j.path
}

func (k *Keeper) wants(a *alerts.Alert) bool {
	return a.Status == alerts.Firing && (a.Repeat == 0 || a.Escalated) && a.InhibitedBy == "" && len(a.Sessions) > 0 &&
		alerts.SeverityRank(a.Severity) >= alerts.SeverityRank(k.opts.Severity)
}

// full says, before anything is copied, that it would be for nothing.
func (k *Keeper) full() bool {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.opts.Wait || len(k.queue) < maxJobs && k.waiting < k.opts.Memory/4 {
		return false
	}
	k.leaveOut()
	return true
}

// leaveOut counts evidence that is not written.
func (k *Keeper) leaveOut() {
	k.counts.LeftOut++
	if !k.busy {
		k.busy = true
		go k.opts.Failed(ErrBusy) // a log may be slow, and the lock is held
	}
}

// push hands a job to the goroutine that writes. One is always taken.
func (k *Keeper) push(j *job) bool {
	k.mu.Lock()
	defer k.mu.Unlock()
	for k.waiting > 0 && (k.waiting+j.octets > k.opts.Memory/4 || len(k.queue) >= maxJobs) {
		if !k.opts.Wait {
			k.leaveOut()
			return false
		}
		k.news.Wait()
	}
	if k.closed {
		return false
	}
	k.busy = false
	k.queue = append(k.queue, j)
	k.waiting += j.octets
	k.news.Broadcast()
	return true
}

// collect copies packets, in the order of their time.
func (k *Keeper) collect(a *alerts.Alert) *job {
	j := &job{path: k.dir.path(a), comment: comment(a), named: len(a.Sessions)}
	for _, id := range a.Sessions[:min(len(a.Sessions), alerts.MaxSessions)] {
		if f, ok := k.flows[id]; ok {
			j.flows = append(j.flows, f)
		}
	}
	slices.SortStableFunc(j.flows, func(a, b Flow) int { return cmp.Compare(a.Start, b.Start) })
	for i := range j.flows {
		k.copy(j, i, until(j.flows, i, a.Time.UnixNano()))
	}
	slices.SortStableFunc(j.packets, func(a, b kept) int { return cmp.Compare(a.Time, b.Time) })
	return j
}

// until is the latest time of a session's packets: another one may follow it on
// the same addresses.
func until(flows []Flow, i int, end int64) int64 {
	for _, f := range flows[i+1:] {
		if f.Client == flows[i].Client && f.Server == flows[i].Server && f.Start > flows[i].Start {
			return min(end, f.Start-1)
		}
	}
	return end
}

func (k *Keeper) copy(j *job, flow int, end int64) {
	first := len(j.packets)
	for _, r := range k.rings {
		more := r.find(&j.flows[flow], limits{j.flows[flow].Start, end, k.opts.Packets, k.opts.Octets}, func(p capture.Packet, made bool) {
			p.Data = slices.Clone(p.Data)
			j.octets += len(p.Data)
			j.packets = append(j.packets, kept{p, flow, made})
		})
		if more {
			j.cut++
		}
	}
	slices.Reverse(j.packets[first:])
	if len(j.packets) > first {
		j.there++
	}
}

// Counts returns what was counted so far.
func (k *Keeper) Counts() Counts {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.counts
}

// Probe tries whether the directory takes a file. Anyone may ask.
func (k *Keeper) Probe() error {
	if err := k.opts.Fault(); err != nil {
		return err
	}
	return k.dir.probe()
}

// Close writes what waits, until ctx ends. Its error says what was not written,
// now or before.
func (k *Keeper) Close(ctx context.Context) error {
	k.mu.Lock()
	k.closed = true
	k.news.Broadcast()
	k.mu.Unlock()
	var late int
	select {
	case <-k.done:
	case <-ctx.Done():
		k.mu.Lock()
		late = len(k.queue)
		k.queue = nil
		k.mu.Unlock()
	}
	c := k.Counts()
	if n := c.Failed + c.LeftOut + uint64(late); n > 0 {
		return fmt.Errorf("evidence: of %d alerts it was not written", n)
	}
	return nil
}
