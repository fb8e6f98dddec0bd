package main

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// fifo is the reading end of a named pipe, from one time that somebody opens it for
// writing until nobody has it open.
type fifo struct {
	*os.File
	info  os.FileInfo
	begun bool // a writer came
}

// openFifo: without O_NONBLOCK it would wait for a writer where nothing can end it.
// The path may lead to something else than it did at the start.
func openFifo(path string) (io.ReadCloser, error) {
	f, err := os.OpenFile(path, os.O_RDONLY|syscall.O_NONBLOCK, 0)
	if errors.Is(err, fs.ErrPermission) {
		return nil, fmt.Errorf("%w: if its user may read it, the sandbox does not allow a pipe that was made anew here: restart mailtap", err)
	} else if err != nil {
		return nil, err
	}
	info, err := f.Stat()
	if err == nil && info.Mode()&os.ModeNamedPipe == 0 {
		err = fmt.Errorf("%s: is no named pipe any more", path)
	}
	if err != nil {
		f.Close()
		return nil, err
	}
	return &fifo{File: f, info: info}, nil
}

// Read waits for a writer first: until there is one a pipe reads as if it had ended.
func (f *fifo) Read(b []byte) (int, error) {
	n, err := f.File.Read(b)
	if err == io.EOF && !f.begun {
		f.await()
		n, err = f.File.Read(b)
	}
	f.begun = true
	return n, err
}

// await returns when a writer came, be it for nothing, or when none can come: the
// pipe is closed, or another one has its name. Which of them, the next read tells. A
// descriptor that had a writer would not wait.
func (f *fifo) await() {
	raw, err := f.SyscallConn()
	if err != nil {
		return
	}
	defer f.SetReadDeadline(time.Time{})
	for !f.replaced() {
		_ = f.SetReadDeadline(time.Now().Add(pipePoll))
		err := raw.Read(func(fd uintptr) bool {
			n, _ := unix.Poll([]unix.PollFd{{Fd: int32(fd), Events: unix.POLLIN}}, 0)
			return n != 0
		})
		if !errors.Is(err, os.ErrDeadlineExceeded) {
			return
		}
	}
}

// replaced says whether the path leads to another file. One that leads nowhere may
// yet lead here again.
func (f *fifo) replaced() bool {
	now, err := os.Stat(f.Name())
	return err == nil && !os.SameFile(f.info, now)
}
