package main

import (
	"io"
	"os"
	"syscall"

	"golang.org/x/sys/unix"
)

// fifo is the reading end of a named pipe, from one time that somebody opens it for
// writing until nobody has it open.
type fifo struct {
	*os.File
	begun bool // a writer came
}

// openFifo: without O_NONBLOCK it would wait for a writer where nothing can end it.
func openFifo(path string) (io.ReadCloser, error) {
	f, err := os.OpenFile(path, os.O_RDONLY|syscall.O_NONBLOCK, 0)
	if err != nil {
		return nil, err
	}
	return &fifo{File: f}, nil
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

// await returns when a writer came, be it for nothing, or when the pipe is closed;
// which of them, the next read tells. A descriptor that had a writer would not wait.
func (f *fifo) await() {
	raw, err := f.SyscallConn()
	if err != nil {
		return
	}
	_ = raw.Read(func(fd uintptr) bool {
		n, _ := unix.Poll([]unix.PollFd{{Fd: int32(fd), Events: unix.POLLIN}}, 0)
		return n != 0
	})
}
