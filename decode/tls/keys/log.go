package keys

import (
	"fmt"
	"sync"
	"sync/atomic"
)

// Options bounds what a Log holds. The zero value means the defaults.
type Options struct {
	// MaxSecrets is of how many connections the secrets are held, some 500
	// octets each. The oldest go first (Stats.Evicted). Default 100,000.
	MaxSecrets int
	// MaxLine is the longest line that is read, in octets; a longer one is
	// malformed. Default 1024: lines of secrets have up to 200.
	MaxLine int
}

func (o *Options) maxSecrets() int { return orDefault(o.MaxSecrets, 100_000) }
func (o *Options) maxLine() int    { return orDefault(o.MaxLine, 1024) }

func orDefault(n, standard int) int {
	if n > 0 {
		return n
	}
	return standard
}

// Stats counts what a Log has read.
type Stats struct {
	Held      int    // connections whose secrets are held
	Secrets   uint64 // taken, from lines and by Remember, without those that were held already
	Comments  uint64 // and empty lines
	Unused    uint64 // lines whose label opens no record: exporter secrets, unknown ones
	Malformed uint64 // lines that are none of a key log, or too long
	Evicted   uint64 // connections whose secrets went because of MaxSecrets
}

// Log holds the secrets of a key log. The zero value is ready; set Options
// before the first Write. It is safe for concurrent use: one writer, as the
// file grows, and many readers. Rekey takes a nil Log for an empty one.
type Log struct {
	Options Options

	// Secrets are behind pointers, here and in Direction, which fmt does not
	// follow: even a struct that holds a Log, where it cannot call Format,
	// shows none.
	mu             sync.RWMutex
	generation     atomic.Uint64
	held           map[id]*entry
	oldest, newest *entry
	line           *line
	stats          Stats
}

// entry holds the secrets of one connection.
type entry struct {
	id      id
	newer   *entry
	secrets [labels]secret
}

// secret is up to 48 octets, the length of a master secret and of SHA-384.
type secret struct {
	n uint8 // 0 where there is none
	b [masterLength]byte
}

func (s *secret) octets() []byte { return s.b[:s.n] }
func (s *secret) wipe()          { *s = secret{} }

// naming is by what a connection's secret is found.
type naming uint8

const (
	byRandom naming = iota
	byPreMaster
	bySession
	byTicket
)

const (
	maxName       = 32
	preMasterName = 8
)

// id is what names a connection: free of pointers, and no secret.
type id struct {
	naming naming
	n      uint8
	b      [maxName]byte
}

func name(by naming, b []byte) id {
	i := id{naming: by, n: uint8(len(b))}
	copy(i.b[:], b)
	return i
}

// Generation changes with every new secret. A caller that waits for one
// compares it, which costs next to nothing, and only then tries Rekey.
func (l *Log) Generation() uint64 { return l.generation.Load() }

// Stats tells what was read by now.
func (l *Log) Stats() Stats {
	l.mu.RLock()
	defer l.mu.RUnlock()
	s := l.stats
	s.Held = len(l.held)
	return s
}

// Wipe forgets all secrets and what was read of a line; it counts no eviction.
func (l *Log) Wipe() {
	l.mu.Lock()
	defer l.mu.Unlock()
	for l.oldest != nil {
		l.dropOldest()
	}
	if l.line != nil {
		l.line.reset()
	}
}

func (l *Log) find(i id, which label) (s secret, known bool) {
	if l == nil {
		return secret{}, false
	}
	l.mu.RLock()
	defer l.mu.RUnlock()
	if e := l.held[i]; e != nil {
		s = e.secrets[which]
	}
	return s, s.n > 0
}

// put keeps a secret. The same name again with another secret is a log that
// was started anew, or a lie: the newest holds.
func (l *Log) put(i id, which label, s *secret) {
	e := l.held[i]
	if e == nil {
		e = l.add(i)
	}
	if e.secrets[which] == *s {
		return
	}
	e.secrets[which] = *s
	l.stats.Secrets++
	l.generation.Add(1)
}

func (l *Log) add(i id) *entry {
	if l.held == nil {
		l.held = make(map[id]*entry)
	}
	if len(l.held) >= l.Options.maxSecrets() {
		l.dropOldest()
		l.stats.Evicted++
	}
	e := &entry{id: i}
	l.held[i] = e
	if l.oldest == nil {
		l.oldest = e
	} else {
		l.newest.newer = e
	}
	l.newest = e
	return e
}

func (l *Log) dropOldest() {
	e := l.oldest
	delete(l.held, e.id)
	l.oldest = e.newer
	if l.oldest == nil {
		l.newest = nil
	}
	*e = entry{} // the memory may live on
}

// Format prints how many connections are held, and no secret.
func (l *Log) Format(f fmt.State, _ rune) {
	if l == nil {
		fmt.Fprint(f, "key log of 0 connections")
		return
	}
	fmt.Fprintf(f, "key log of %d connections", l.Stats().Held)
}
