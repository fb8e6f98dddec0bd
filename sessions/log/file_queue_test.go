package log

import (
	"context"
	"strings"
	"sync"
	"testing"
	"time"
)

// stalled is a disk that takes nothing until it is freed.
type stalled struct {
	free chan struct{}
	mu   sync.Mutex
	out  strings.Builder
}

func (d *stalled) Write(p []byte) (int, error) {
	<-d.free
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.out.Write(p)
}

func TestFileWithAQueueNeverWaitsForTheDisk(t *testing.T) {
	d := &stalled{free: make(chan struct{})}
	f := NewFile(d, FileOptions{Buffer: 100, Queue: 1000})
	const n = 500
	for range n {
		f.Write(Record{Line: []byte("0123456789")})
	}
	_ = f.Flush()
	c := f.Counts()
	if c.Written != 0 || c.Dropped+uint64(c.Waiting) != n || c.Reasons[QueueFull] != c.Dropped || c.Waiting < 90 || c.Waiting > 110 {
		t.Errorf("counts while the disk stalls: %+v", c)
	}
	close(d.free)
	await(t, func() bool { _ = f.Flush(); return f.Counts().Waiting == 0 })
	f.Write(Record{Line: []byte("last")})
	if err := f.Close(context.Background()); err != nil {
		t.Error(err)
	}
	c = f.Counts()
	if c.Written+c.Dropped != n+1 || uint64(strings.Count(d.out.String(), "\n")) != c.Written || !strings.HasSuffix(d.out.String(), "\nlast\n") {
		t.Errorf("counts at the end: %+v", c)
	}
}

func TestFileWithAQueueEndsInTime(t *testing.T) {
	d := &stalled{free: make(chan struct{})}
	f := NewFile(d, FileOptions{Queue: 1000})
	for range 3 {
		f.Write(Record{Line: []byte("x")})
	}
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Millisecond)
	defer cancel()
	if err := f.Close(ctx); err == nil {
		t.Error("Close does not say that records are lost")
	}
	want := f.Counts()
	if want.Reasons[TimeOver] != 3 || want.Waiting != 0 {
		t.Errorf("counts %+v", want)
	}
	close(d.free)
	f.started.Wait()
	if c := f.Counts(); c != want {
		t.Errorf("counts changed after the end: %+v", c)
	}
}

func TestFileWithAQueueTellsAFailureAndGoesOn(t *testing.T) {
	d := &full{bad: true}
	f := NewFile(d, FileOptions{Queue: 1000})
	f.Write(Record{Line: []byte("one")})
	_ = f.Flush()
	await(t, func() bool { return f.Err() != nil })
	d.bad = false
	f.Write(Record{Line: []byte("two")})
	if err := f.Close(context.Background()); err != nil {
		t.Error(err)
	}
	if c := f.Counts(); c.Written != 1 || c.Reasons[Unwritten] != 1 || d.out.String() != "two\n" {
		t.Errorf("counts %+v, %q", c, d.out.String())
	}
}
