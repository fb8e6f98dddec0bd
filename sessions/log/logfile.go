package log

import (
	"errors"
	"fmt"
	"io"
	"os"
	"sync"
	"time"
)

// RotateOptions say when a LogFile begins a new file, and what becomes of the
// old ones. The zero value never does.
type RotateOptions struct {
	Size     int64            // octets of a file; 0: any
	Every    time.Duration    // a new file with each such span of UTC (24h: at midnight); 0: never
	MaxFiles int              // old files that are kept; 0: any number
	MaxAge   time.Duration    // how long they are kept; 0: for ever
	Compress bool             // old files with gzip
	Now      func() time.Time // default time.Now
}

func (o RotateOptions) rotates() bool { return o.Size > 0 || o.Every > 0 }

// LogFile is a file that lines are appended to. It is moved aside when it is
// large or old enough, as NAME.2026-03-09T08-07-06Z, and can be opened anew when
// somebody else moved it. One goroutine writes; old files are compressed
// and removed by another, which nobody waits for.
//
// What cannot be moved is written to all the same, and tried again a minute
// later: a folder without room or permission costs no record.
type LogFile struct {
	name string
	o    RotateOptions

	file    *os.File
	size    int64
	period  time.Time // of Every, in which the file was begun
	regular bool      // a device or a pipe is never moved
	retry   time.Time // not before, after a rotation failed
	problem error     // of the last rotation
	tidied  time.Time // when the old files were last looked at

	tidying sync.WaitGroup
	mu      sync.Mutex
	busy    bool          // the other goroutine runs
	again   bool          // and there is more for it
	untidy  error         // what it could not do
	quit    chan struct{} // closed at the end
}

// OpenLogFile opens or makes the file. Records name users and addresses: it is
// for the owner and the group only.
func OpenLogFile(name string, o RotateOptions) (*LogFile, error) {
	if o.Now == nil {
		o.Now = time.Now
	}
	f := &LogFile{name: name, o: o, quit: make(chan struct{})}
	if err := f.open(); err != nil {
		return nil, err
	}
	f.tidy()
	return f, nil
}

func (f *LogFile) open() error {
	file, err := os.OpenFile(f.name, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o640)
	if err != nil {
		return err
	}
	info, err := file.Stat()
	if err != nil {
		file.Close()
		return err
	}
	f.file, f.size, f.regular = file, info.Size(), info.Mode().IsRegular()
	f.period = f.o.Now()
	if f.size > 0 { // the old file's time: a program that was away over midnight begins anew
		f.period = info.ModTime()
	}
	if f.regular && f.size > 0 && !f.endsLine() {
		n, err := file.Write([]byte{'\n'}) // a crash or a full disk cut its last line
		f.size += int64(n)
		return err
	}
	return nil
}

// endsLine is true too where the file may not be read.
func (f *LogFile) endsLine() bool {
	in, err := os.Open(f.name)
	if err != nil {
		return true
	}
	defer in.Close()
	last := make([]byte, 1)
	_, err = in.ReadAt(last, f.size-1)
	return err != nil && err != io.EOF || last[0] == '\n'
}

// Write implements io.Writer. What is given in one Write stays in one file.
func (f *LogFile) Write(p []byte) (int, error) {
	f.rotateIfDue(int64(len(p)))
	if f.file == nil { // it could not be opened anew
		if err := f.open(); err != nil {
			return 0, err
		}
	}
	n, err := f.file.Write(p)
	f.size += int64(n)
	return n, err
}

// Tend begins a new file where it is time, also when nothing is written, and
// says what is wrong with the files.
func (f *LogFile) Tend() error {
	f.rotateIfDue(0)
	f.mu.Lock()
	err := errors.Join(f.problem, f.untidy)
	f.mu.Unlock()
	since := f.o.Now().Sub(f.tidied)
	if since > time.Hour || err != nil && since > time.Minute { // old files age, and a full disk has room again
		f.tidy()
	}
	return err
}

// Reopen opens the file anew: logrotate moved the old one away.
func (f *LogFile) Reopen() error {
	if !f.regular {
		return nil
	}
	old := f.file
	f.file = nil
	err := f.open()
	if err != nil && f.file == nil && old != nil {
		f.file = old // better in the old one than nowhere
		return err
	}
	if old != nil {
		old.Close()
	}
	return err
}

// Close closes the file. An old file whose compression is under way stays as it
// is until the next start.
func (f *LogFile) Close() error {
	close(f.quit)
	f.tidying.Wait()
	if f.file == nil {
		return nil
	}
	return f.file.Close()
}

func (f *LogFile) rotateIfDue(more int64) {
	if f.size == 0 || !f.regular || f.file == nil || !f.o.rotates() {
		return
	}
	now := f.o.Now()
	large := f.o.Size > 0 && f.size+more > f.o.Size
	old := f.o.Every > 0 && (now.Truncate(f.o.Every).After(f.period.Truncate(f.o.Every)) || f.period.Round(0).Sub(now.Round(0)) > f.o.Every) // or the clock was wrong when it was begun
	if !large && !old || now.Before(f.retry) {
		return
	}
	if f.problem = f.rotate(now); f.problem != nil {
		f.retry = now.Add(time.Minute)
		return
	}
	f.tidy()
}

// rotate moves the file aside and opens a new one. Where that fails all stays as
// it was.
func (f *LogFile) rotate(now time.Time) error {
	aside, err := f.freeName(now)
	if err != nil {
		return err
	}
	if err := os.Rename(f.name, aside); err != nil && !errors.Is(err, os.ErrNotExist) { // gone already: somebody removed it
		return err
	}
	old := f.file
	f.file = nil
	if err := f.open(); err != nil {
		f.file = old
		return errors.Join(err, os.Rename(aside, f.name))
	}
	return old.Close()
}

// freeName is a name that no old file has.
func (f *LogFile) freeName(now time.Time) (string, error) {
	base := f.name + "." + now.UTC().Format(asideForm)
	for i := range 1000 {
		name := base
		if i > 0 {
			name = fmt.Sprintf("%s-%03d", base, i)
		}
		if !exists(name) && !exists(name+gzipSuffix) {
			return name, nil
		}
	}
	return "", fmt.Errorf("%s: 1000 old files in one second", f.name)
}

func exists(name string) bool {
	_, err := os.Lstat(name)
	return !errors.Is(err, os.ErrNotExist)
}
