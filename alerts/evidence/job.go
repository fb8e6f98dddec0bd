package evidence

import (
	"cmp"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/mailtap/mailtap/alerts"
	"github.com/mailtap/mailtap/capture"
	"github.com/mailtap/mailtap/capture/packet"
)

// job is one file that is to be written.
type job struct {
	age time.Duration // above 0: no file is written, those that are older go

	path    string
	comment string
	flows   []Flow
	packets []kept // in the order of their time
	octets  int
	named   int // sessions of the alert
	there   int // of them, those that have packets
	cut     int // of those, those that have more
}

// kept is a copy of a packet.
type kept struct {
	capture.Packet
	flow int
	made bool // with headers made anew
}

// comment tells what a file is about.
func comment(a *alerts.Alert) string {
	return strings.ToValidUTF8(fmt.Sprintf("%s (%s, %s): %s", a.Rule, a.Severity, a.Fingerprint, a.Summary), "?")
}

const madeAnew = "headers made anew: the packet came in fragments, or before its port was known to carry mail"

// write is the goroutine that writes.
func (k *Keeper) write() {
	defer close(k.done)
	failing := false
	for {
		j := k.pop()
		if j == nil {
			return
		}
		if j.age > 0 {
			k.tidy(time.Now().Add(-j.age))
			continue
		}
		removed, err := k.dir.write(j.path, func(w io.Writer) error { return cmp.Or(k.opts.Fault(), j.write(w, &k.opts)) })
		k.wrote(j, removed, err)
		k.opts.Wrote(err)
		if err != nil && !failing {
			k.opts.Failed(fmt.Errorf("evidence: %w", err))
		}
		failing = err != nil
	}
}

// tend has old files removed, now and then, also where no new one comes.
func (k *Keeper) tend(every time.Duration) {
	tick := time.NewTicker(every)
	defer tick.Stop()
	for {
		k.mu.Lock()
		if !k.closed {
			k.queue = append(k.queue, &job{age: k.opts.MaxAge})
			k.news.Broadcast()
		}
		k.mu.Unlock()
		select {
		case <-tick.C:
		case <-k.done:
			return
		}
	}
}

// tidy removes the files that are older than a time.
func (k *Keeper) tidy(before time.Time) {
	removed, err := k.dir.removeOld(before)
	k.mu.Lock()
	k.counts.Removed += uint64(removed)
	k.mu.Unlock()
	if err != nil {
		k.opts.Failed(fmt.Errorf("evidence: %w", err))
	}
}

// pop waits for a job; nil: none comes any more.
func (k *Keeper) pop() *job {
	k.mu.Lock()
	defer k.mu.Unlock()
	for len(k.queue) == 0 {
		if k.closed {
			return nil
		}
		k.news.Wait()
	}
	j := k.queue[0]
	k.queue[0] = nil
	k.queue = k.queue[1:]
	return j
}

func (k *Keeper) wrote(j *job, removed int, err error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.waiting -= j.octets
	k.counts.Removed += uint64(removed)
	if err != nil {
		k.counts.Failed++
	} else {
		k.counts.Written++
	}
	k.news.Broadcast()
}

// write makes the file of a job: packets of other connections that have the same
// hash go, then the secrets.
func (j *job) write(w io.Writer, o *Options) error {
	j.judge(!o.KeepSecrets)
	out, err := capture.NewWriter(w, o.Program, j.head(!o.KeepSecrets))
	if err != nil {
		return err
	}
	for i := range j.packets {
		p := &j.packets[i]
		if p.flow < 0 {
			continue
		}
		note := ""
		if p.made {
			note = madeAnew
		}
		if err := out.Write(&p.Packet, note); err != nil {
			return err
		}
	}
	return out.Close()
}

// judge decodes all packets anew. What cannot be read is left out: it cannot be
// said to have no secret in it.
func (j *job) judge(blanked bool) {
	decoder := packet.Decoder{}
	segments := make([][]packet.Segment, len(j.flows))
	for i := range j.packets {
		p := &j.packets[i]
		f := &j.flows[p.flow]
		var s packet.Segment
		ok := decoder.Decode(&p.Packet, &s) == packet.OK
		if from, to := s.From(), s.To(); !ok || !(from == f.Client && to == f.Server || from == f.Server && to == f.Client) {
			p.flow = -1
			continue
		}
		segments[p.flow] = append(segments[p.flow], s)
	}
	for i := range j.flows {
		if blanked {
			blank(segments[i], &j.flows[i])
		}
	}
}

// head is the comment of the file.
func (j *job) head(blanked bool) string {
	text := fmt.Sprintf("%s\nsessions: %d named, %d with packets here, %d of them cut", j.comment, j.named, j.there, j.cut)
	if blanked {
		return text + "\nsecrets of logins, and what may be some, are overwritten with " + string(rune(fill))
	}
	return text + "\nsecrets of logins are in it"
}
