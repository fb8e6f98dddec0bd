package main

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"os"
	"sync"
	"time"

	"github.com/mailtap/mailtap/capture"
)

// pipePoll is how long NextBatch waits at most, as a live source does, and how often
// it is looked whether a pipe without a writer was made anew.
const pipePoll = 100 * time.Millisecond

// errNoWriter is the problem of a named pipe, until the header of a capture was read.
var errNoWriter = errors.New("nobody writes a capture into the pipe")

// pipeSource reads a capture as somebody else writes it: a remote tap over
// standard input or a named pipe. A read may wait for ever, so it has a goroutine
// of its own. While NextBatch is not called the writer waits: nothing is lost here.
type pipeSource struct {
	name    string
	again   bool // a named pipe: after one writer comes the next
	full    chan *batch
	free    chan *batch
	closing sync.Once
	stops   sync.Once
	closed  chan struct{} // the input
	left    chan struct{} // nobody takes packets any more
	held    *batch        // whose packets are borrowed
	taken   int

	mu      sync.Mutex // of what follows
	in      io.ReadCloser
	problem error
	count   uint64
	err     error // how it ended, once full is closed

	filling  *batch // by the reader
	unusable unusable
	log      *slog.Logger
}

func newInputSource(in io.Reader) *pipeSource {
	s := newPipeSource("standard input")
	go s.run(func() (io.ReadCloser, error) { return io.NopCloser(in), nil })
	return s
}

// openPipe reads a named pipe; anything else with a path is refused.
func openPipe(path string, log *slog.Logger) (*pipeSource, error) {
	info, err := os.Stat(path)
	var failed *fs.PathError
	if errors.As(err, &failed) {
		return nil, fmt.Errorf("capture from %s: %w", path, failed.Err)
	}
	if info.Mode()&os.ModeNamedPipe == 0 {
		return nil, fmt.Errorf("capture from %s: is no named pipe (mkfifo); files are read by `mailtap read`", path)
	}
	s := newPipeSource(path)
	s.again, s.problem, s.log = true, errNoWriter, log
	go s.run(func() (io.ReadCloser, error) { return openFifo(path) })
	return s, nil
}

func newPipeSource(name string) *pipeSource {
	s := &pipeSource{name: name, full: make(chan *batch), free: make(chan *batch, batchesEach), closed: make(chan struct{}), left: make(chan struct{})}
	for range batchesEach {
		s.free <- newBatch()
	}
	return s
}

// run reads one writer after the other; standard input has one.
func (s *pipeSource) run(open func() (io.ReadCloser, error)) {
	defer close(s.full)
	s.filling = <-s.free
	for {
		in, err := open()
		problem := err
		if s.change(in) {
			err, problem = s.turn(in), errNoWriter
		}
		switch {
		case s.isClosed():
			s.tell(io.EOF, nil)
			return
		case !s.again:
			s.tell(err, nil)
			return
		}
		s.tell(nil, problem)
		if err != io.EOF {
			s.pause() // a writer of nonsense, or of nothing, is no reason to spin
		}
	}
}

// turn reads one writer's capture. Where that goes wrong before its end the pipe is
// closed, so that the writer hears of it.
func (s *pipeSource) turn(in io.Reader) error {
	r := &pipeReader{source: s, in: in}
	err := s.read(r)
	if !r.ended {
		s.change(nil)
	}
	if s.again && err != io.EOF && !errors.Is(err, capture.ErrEmpty) && !s.isClosed() {
		s.unusable.tell(s.log, s.name, err, time.Now())
	}
	return err
}

// change closes the input for the next one, if there is one to be read. It is open
// already: what a writer leaves in a pipe that nobody has open is lost.
func (s *pipeSource) change(next io.ReadCloser) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.in != nil {
		s.in.Close()
	}
	s.in = next
	if next != nil && s.isClosed() {
		next.Close()
		return false
	}
	return next != nil
}

// tell notes how the input ended for good, or why no packets come for now.
func (s *pipeSource) tell(err, problem error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.err, s.problem = err, problem
}

// read takes one writer's capture to its end.
func (s *pipeSource) read(in io.Reader) error {
	defer s.flush()
	f, err := capture.NewFile(in, s.name, capture.FileOptions{Joined: true})
	if err != nil {
		return err
	}
	defer f.Close()
	s.tell(nil, nil)
	for {
		var p capture.Packet
		if err := f.Next(&p); err != nil {
			return err
		}
		s.filling.add(&p)
		if s.filling.full() {
			s.flush()
		}
	}
}

// pipeReader hands over what was read before it waits for more.
type pipeReader struct {
	source *pipeSource
	in     io.Reader
	ended  bool // nobody has it open for writing any more
}

func (r *pipeReader) Read(b []byte) (int, error) {
	r.source.flush()
	if r.source.isClosed() { // standard input cannot be closed
		return 0, io.EOF
	}
	n, err := r.in.Read(b)
	if errors.Is(err, os.ErrClosed) { // by Close
		return n, io.EOF
	}
	r.ended = err == io.EOF
	return n, err
}

func (s *pipeSource) pause() {
	select {
	case <-s.closed:
	case <-time.After(pipePoll):
	}
}

func (s *pipeSource) flush() {
	if len(s.filling.packets) == 0 {
		return
	}
	select {
	case s.full <- s.filling:
	case <-s.left:
		s.filling.reset()
		return
	}
	select {
	case s.filling = <-s.free:
	case <-s.left:
		s.filling = newBatch() // nobody gives one back any more
	}
}

// NextBatch implements source.
func (s *pipeSource) NextBatch(out []capture.Packet) (int, error) {
	if s.held != nil && s.taken == len(s.held.packets) {
		s.held.reset()
		s.free <- s.held
		s.held = nil
	}
	if s.held == nil {
		if err := s.await(); err != nil {
			return 0, err
		}
	}
	n := copy(out, s.held.packets[s.taken:])
	s.taken += n
	s.mu.Lock()
	s.count += uint64(n)
	s.mu.Unlock()
	return n, nil
}

func (s *pipeSource) await() error {
	timer := time.NewTimer(pipePoll)
	defer timer.Stop()
	select {
	case <-s.left:
		return io.EOF
	case b, ok := <-s.full:
		if !ok {
			s.mu.Lock()
			defer s.mu.Unlock()
			return s.err
		}
		s.held, s.taken = b, 0
		return nil
	case <-timer.C:
		return capture.ErrTimeout
	}
}

// Problem implements source.
func (s *pipeSource) Problem() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.problem
}

// Stats implements source: the writer waits, so nothing is dropped here. What
// the remote tap lost it does not tell.
func (s *pipeSource) Stats() (received, droppedKernel, droppedInterface uint64, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.count, 0, 0, nil
}

func (s *pipeSource) isClosed() bool {
	select {
	case <-s.closed:
		return true
	default:
		return false
	}
}

// Close implements source.
func (s *pipeSource) Close() error {
	s.Stop()
	s.closing.Do(func() { close(s.left) })
	return nil
}

// Stop implements stopper. A read of standard input cannot be ended; its
// goroutine ends with the program.
func (s *pipeSource) Stop() {
	s.stops.Do(func() {
		close(s.closed)
		s.mu.Lock()
		in := s.in
		s.mu.Unlock()
		if in != nil {
			in.Close()
		}
	})
}
