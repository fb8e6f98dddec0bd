package main

import (
	"errors"
	"io/fs"
	"log/slog"
	"os"
	"sync"
	"time"

	"github.com/mailtap/mailtap/metrics"
)

// storage knows which of the things that mailtap keeps on disks cannot be written
// just now. It says so once when that begins and once when it is over, whoever
// writes them, and counts each failure.
type storage struct {
	log     *slog.Logger
	metrics *metrics.Metrics // nil: nobody scrapes
	fault   func() error     // why the next write fails, in a build for that; nil: it does not

	mu       sync.Mutex
	troubles map[string]*trouble // by store
	counted  map[string]uint64   // of poll, by store
	probes   map[string]func() error
}

// trouble is a store that does not take what is written.
type trouble struct {
	over  string    // what is said at its end
	fine  time.Time // since when writes succeed again; zero: they do not
	asked time.Time // when the store was last probed
}

// healed is how long writes must have succeeded before it is said: a disk on which
// others make and take room fails every other second.
const healed = 10 * time.Second

func newStorage(log *slog.Logger, m *metrics.Metrics) *storage {
	return &storage{log: log, metrics: m, troubles: map[string]*trouble{}, counted: map[string]uint64{}, probes: map[string]func() error{}}
}

// wrote takes how a write went; begins and over are what to say of a failure and
// of its end.
func (s *storage) wrote(store, begins, over string, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	failures := 0
	if err != nil {
		failures = 1
	}
	s.take(store, begins, over, failures, err)
}

// poll is wrote for a store that is asked now and then: failures are all since the
// start, err is how it is now.
func (s *storage) poll(store, begins, over string, failures uint64, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	more := failures - s.counted[store]
	s.counted[store] = failures
	s.take(store, begins, over, int(more), err)
}

// take is both; mu is held.
func (s *storage) take(store, begins, over string, failures int, err error) {
	if s.metrics != nil && failures > 0 {
		s.metrics.StorageErrors(store, failures)
	}
	t := s.troubles[store]
	if err == nil {
		if t != nil && t.fine.IsZero() {
			t.fine = time.Now()
		}
		return
	}
	if t != nil {
		t.fine = time.Time{}
		return
	}
	if s.metrics != nil {
		s.metrics.StorageFailing(store, true)
	}
	s.troubles[store] = &trouble{over: over}
	s.log.Warn(begins, "store", store, "err", err)
}

// tick says what is over. It is called once a second.
func (s *storage) tick(now time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for store, t := range s.troubles {
		if probe := s.probes[store]; probe != nil && t.fine.IsZero() && now.Sub(t.asked) >= healed {
			t.asked = now
			go s.ask(t, probe)
		}
		if t.fine.IsZero() || now.Sub(t.fine) < healed {
			continue
		}
		delete(s.troubles, store)
		if s.metrics != nil {
			s.metrics.StorageFailing(store, false)
		}
		s.log.Info(t.over, "store", store)
	}
}

// forget lets go of a store that is not written any more, or is another one now.
func (s *storage) forget(store string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.counted, store)
	if s.troubles[store] == nil {
		return
	}
	delete(s.troubles, store)
	if s.metrics != nil {
		s.metrics.StorageFailing(store, false)
	}
}

// probe says how to find out whether a store that is written seldom takes
// something again.
func (s *storage) probe(store string, try func() error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.probes[store] = try
}

func (s *storage) ask(t *trouble, try func() error) {
	if try() != nil {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if t.fine.IsZero() {
		t.fine = time.Now()
	}
}

// damaged counts files that were set aside.
func (s *storage) damaged(store string, files int) {
	if s.metrics != nil && files > 0 {
		s.metrics.StorageDamaged(store, files)
	}
}

// setAside moves a file that cannot be read out of the way, for somebody to look
// at. It gives where it is now; the one before it is replaced.
func setAside(path string) (string, error) {
	aside := path + ".damaged"
	err := os.Rename(path, aside)
	if errors.Is(err, fs.ErrNotExist) {
		err = nil
	}
	return aside, err
}
