package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"sync/atomic"
	"time"
)

// saveInterval is how often run saves its state: so much may be forgotten when it
// is killed.
const saveInterval = 5 * time.Minute

// saveAgain is how soon a state is saved anew that the disk did not take.
const saveAgain = 10 * time.Second

// stateful is what knows something that outlives a restart.
type stateful interface {
	Save(io.Writer) error
	Restore(io.Reader) error
}

// kept is one thing that is kept in the state directory.
type kept struct {
	stateful
	name  string // of the file
	store string // of metrics
	what  string // the state of the rules
	lost  string // what it means that it cannot be read
}

// stateFile keeps something in a file of the state directory. The goroutine of the
// events puts it into memory; another one writes it.
type stateFile struct {
	kept
	path string
	log  *slog.Logger
	disk *storage
	due  atomic.Bool // the next load has it saved
	jobs chan []byte // at most one waits
	stop chan struct{}
	done chan struct{}
}

// openState restores something from the state directory, which it makes where
// there is none, and begins to keep it there. A file that cannot be read is told
// of, and set aside.
func openState(dir string, k kept, every time.Duration, disk *storage) (*stateFile, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, failed(fmt.Errorf("state_dir: %w", err))
	}
	probe, err := os.CreateTemp(dir, k.name+".*") // a mistake shows now, not at the end
	if err != nil {
		return nil, failed(fmt.Errorf("state_dir: %w", err))
	}
	probe.Close()
	os.Remove(probe.Name())
	s := &stateFile{
		kept: k, path: filepath.Join(dir, k.name), log: disk.log, disk: disk,
		jobs: make(chan []byte, 1), stop: make(chan struct{}), done: make(chan struct{}),
	}
	s.restore()
	go s.write(every)
	return s, nil
}

func (s *stateFile) restore() {
	f, err := os.Open(s.path)
	if err == nil {
		err = s.Restore(f)
		f.Close()
	}
	if err == nil || errors.Is(err, fs.ErrNotExist) {
		return
	}
	s.disk.damaged(s.store, 1)
	aside, failed := setAside(s.path)
	if failed != nil {
		aside = "it stays until it is saved anew: " + failed.Error()
	}
	s.log.Warn(s.what+" was saved and cannot be used: "+s.lost, "file", s.path, "err", err, "aside", aside)
}

// save puts the state into memory, when it is time. The goroutine of the events
// calls it after each load.
func (s *stateFile) save() {
	if !s.due.CompareAndSwap(true, false) {
		return
	}
	var b bytes.Buffer
	if err := s.Save(&b); err != nil {
		s.log.Error(s.what+" was not saved", "err", err)
		return
	}
	select {
	case s.jobs <- b.Bytes():
	default: // the disk has not taken the one before: it is too slow for more
	}
}

// write is the writer's goroutine.
func (s *stateFile) write(every time.Duration) {
	defer close(s.done)
	tick := time.NewTimer(every)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
			s.due.Store(true)
			tick.Reset(every)
		case state := <-s.jobs:
			if s.writeFile(state) != nil {
				tick.Reset(min(every, saveAgain)) // a kill would cost more with each minute
			}
		case <-s.stop:
			return
		}
	}
}

// writeFile writes a state, and tells how that went.
func (s *stateFile) writeFile(state []byte) error {
	var err error
	if s.disk.fault != nil {
		err = s.disk.fault()
	}
	if err == nil {
		err = writeAtomically(s.path, state)
	}
	s.disk.wrote(s.store, s.what+" was not saved; it is tried again", s.what+" is saved again", err)
	return err
}

// close saves the last state. The events must have ended.
func (s *stateFile) close() error {
	close(s.stop)
	<-s.done
	var b bytes.Buffer
	err := s.Save(&b)
	if err == nil {
		err = s.writeFile(b.Bytes())
	}
	if err != nil {
		return fmt.Errorf("%s was not saved: %w", s.what, err)
	}
	return nil
}

// writeAtomically replaces a file: whoever reads it, also after a crash, finds
// the old one or the new one. It names users: it is for the owner alone.
func writeAtomically(path string, data []byte) error {
	f, err := os.CreateTemp(filepath.Dir(path), filepath.Base(path)+".*") // with mode 0600
	if err != nil {
		return err
	}
	_, err = f.Write(data)
	if err == nil {
		err = f.Sync()
	}
	err = errors.Join(err, f.Close())
	if err == nil {
		err = os.Rename(f.Name(), path)
	}
	if err != nil {
		os.Remove(f.Name())
		return err
	}
	dir, err := os.Open(filepath.Dir(path))
	if err != nil {
		return err
	}
	defer dir.Close()
	return dir.Sync()
}
