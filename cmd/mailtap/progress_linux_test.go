package main

import (
	"bytes"
	"io"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"golang.org/x/sys/unix"
)

func TestBarLine(t *testing.T) {
	for _, c := range []struct {
		file        string
		done, total int64
		spent       time.Duration
		columns     int
		want        string
	}{
		{"a.pcap", 50e6, 200e6, time.Second, 100, "a.pcap  [======                  ]  25 %  50 MB of 200 MB  50 MB/s  3s left"},
		{"a.pcap", 0, 200e6, time.Second, 100, "a.pcap  [                        ]   0 %  0 kB of 200 MB  0 kB/s"},
		{"a.pcap", 300e6, 200e6, time.Second, 100, "a.pcap  [========================] 100 %  200 MB of 200 MB  300 MB/s  0s left"},
		{"standard input", 3e9, 0, 2 * time.Second, 100, "standard input  3.00 GB  1.50 GB/s"},
		{"/a/very/long/path/to/a/capture.pcap", 50e6, 200e6, time.Second, 90, "…th/to/a/capture.pcap  [======                  ]  25 %  50 MB of 200 MB  50 MB/s  3s left"},
		{"a.pcap", 50e6, 200e6, time.Second, 20, "[======             "},
	} {
		if got := barLine(c.file, c.done, c.total, c.spent, c.columns); got != c.want || utf8.RuneCountInString(got) > c.columns {
			t.Errorf("got  %q\nwant %q", got, c.want)
		}
	}
}

// terminal gives both ends of one; what is written to the second is read from
// the first.
func terminal(t *testing.T) (screen, program *os.File) {
	t.Helper()
	screen, err := os.OpenFile("/dev/ptmx", os.O_RDWR, 0)
	if err != nil {
		t.Skipf("no terminal is to be had: %v", err)
	}
	t.Cleanup(func() { screen.Close() })
	n, err := unix.IoctlGetInt(int(screen.Fd()), unix.TIOCGPTN)
	if err != nil {
		t.Skipf("no terminal is to be had: %v", err)
	}
	if err := unix.IoctlSetPointerInt(int(screen.Fd()), unix.TIOCSPTLCK, 0); err != nil {
		t.Skipf("no terminal is to be had: %v", err)
	}
	program, err = os.OpenFile("/dev/pts/"+strconv.Itoa(n), os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		t.Skipf("no terminal is to be had: %v", err)
	}
	t.Cleanup(func() { program.Close() })
	return screen, program
}

// A line of the log takes the bar's place; at the end nothing of it is left.
func TestProgressOnATerminal(t *testing.T) {
	screen, out := terminal(t)
	p := newProgress(out)
	if p == nil {
		t.Fatal("a terminal is taken for none")
	}
	p.name = func() (string, int64, int64) { return "a.pcap", 1e6, 2e6 }
	p.draw(time.Second)
	io.WriteString(p, "a warning\n")
	p.draw(time.Second)
	p.run(p.name)
	p.end()
	out.Close()
	got, _ := io.ReadAll(screen) // ends with EIO: nobody has the other end
	want := "\ra.pcap  ["
	text := string(got)
	if strings.Count(text, want) != 2 || !strings.Contains(text, "\r\x1b[Ka warning\r\n\ra.pcap") || !strings.HasSuffix(text, "\r\x1b[K") {
		t.Errorf("%q", text)
	}
}

func TestNoProgressElsewhere(t *testing.T) {
	null, err := os.OpenFile(os.DevNull, os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer null.Close()
	for _, w := range []io.Writer{&bytes.Buffer{}, null} {
		if newProgress(w) != nil {
			t.Errorf("%T is taken for a terminal", w)
		}
	}
}
