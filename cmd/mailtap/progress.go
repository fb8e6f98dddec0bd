package main

import (
	"fmt"
	"io"
	"os"
	"strings"
	"sync"
	"time"

	"golang.org/x/sys/unix"
)

// How a progress bar behaves.
const (
	barAfter = 400 * time.Millisecond // what is read sooner needs none
	barEvery = 200 * time.Millisecond
	barWidth = 24
)

// progress shows on a terminal how far the reading is. It stands in front of
// what else is written there: a line of the log takes the bar's place, and the
// bar comes again behind it.
type progress struct {
	to   io.Writer
	name func() (file string, done, total int64) // octets; total 0: unknown
	stop chan struct{}
	over chan struct{}

	mu    sync.Mutex
	shown bool
}

// newProgress gives what to write to instead of the terminal; nil where out is
// none.
func newProgress(out io.Writer) *progress {
	if !isTerminal(out) {
		return nil
	}
	return &progress{to: out, stop: make(chan struct{}), over: make(chan struct{})}
}

func isTerminal(w io.Writer) bool {
	f, ok := w.(*os.File)
	if !ok {
		return false
	}
	_, err := unix.IoctlGetWinsize(int(f.Fd()), unix.TIOCGWINSZ)
	return err == nil
}

// columns is how wide the terminal is now.
func (p *progress) columns() int {
	if f, ok := p.to.(*os.File); ok {
		if size, err := unix.IoctlGetWinsize(int(f.Fd()), unix.TIOCGWINSZ); err == nil && size.Col > 0 {
			return int(size.Col)
		}
	}
	return 80
}

// Write takes the bar away and writes.
func (p *progress) Write(b []byte) (int, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.hide()
	return p.to.Write(b)
}

func (p *progress) hide() {
	if p.shown {
		io.WriteString(p.to, "\r\x1b[K")
		p.shown = false
	}
}

// run draws until end is called; name tells how far the reading is.
func (p *progress) run(name func() (string, int64, int64)) {
	p.name = name
	go func() {
		defer close(p.over)
		began := time.Now()
		tick := time.NewTicker(barEvery)
		defer tick.Stop()
		for {
			select {
			case <-p.stop:
				return
			case <-tick.C:
			}
			if spent := time.Since(began); spent >= barAfter {
				p.draw(spent)
			}
		}
	}()
}

func (p *progress) draw(spent time.Duration) {
	file, done, total := p.name()
	line := barLine(file, done, total, spent, p.columns()-1)
	p.mu.Lock()
	defer p.mu.Unlock()
	fmt.Fprintf(p.to, "\r%s\x1b[K", line)
	p.shown = true
}

// end takes the bar away for good.
func (p *progress) end() {
	close(p.stop)
	<-p.over
	p.mu.Lock()
	defer p.mu.Unlock()
	p.hide()
}

// barLine says how far it is, in as many columns as there are: the name of the
// file is cut first.
func barLine(file string, done, total int64, spent time.Duration, columns int) string {
	rate := float64(done) / spent.Seconds()
	text := fmt.Sprintf("%s  %s/s", sizeOf(done), sizeOf(int64(rate)))
	if total > 0 {
		done = min(done, total)
		share := float64(done) / float64(total)
		filled := int(share * barWidth)
		text = fmt.Sprintf("[%s%s] %3.0f %%  %s of %s  %s/s", strings.Repeat("=", filled), strings.Repeat(" ", barWidth-filled), 100*share, sizeOf(done), sizeOf(total), sizeOf(int64(rate)))
		if left := float64(total-done) / max(rate, 1); done > 0 {
			text += "  " + time.Duration(left*float64(time.Second)).Round(time.Second).String() + " left"
		}
	}
	if room := columns - len(text) - 2; room >= 8 {
		if n := []rune(file); len(n) > room {
			file = "…" + string(n[len(n)-room+1:])
		}
		text = file + "  " + text
	}
	letters := []rune(text)
	return string(letters[:min(len(letters), max(columns, 0))])
}

func sizeOf(n int64) string {
	switch {
	case n >= 1e9:
		return fmt.Sprintf("%.2f GB", float64(n)/1e9)
	case n >= 1e6:
		return fmt.Sprintf("%.0f MB", float64(n)/1e6)
	}
	return fmt.Sprintf("%.0f kB", float64(n)/1e3)
}
