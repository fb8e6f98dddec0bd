package capture

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"runtime/debug"
	"strings"
	"testing"
	"time"
)

// captures are one of each kind of header, with a packet that tells which.
func captures() map[string]*builder {
	return map[string]*builder{
		"micro little": little().pcap(magicMicro, 65535, 1).record(1, 2, "a", 9),
		"micro big":    big().pcap(magicMicro, 65535, 113).record(1, 2, "b", 9),
		"nano little":  little().pcap(nano, 0, 101).record(1, 2, "c", 9),
		"nano big":     big().pcap(nano, 0, 276).record(1, 2, "d", 9),
		"ng little":    little().section().iface(1).enhanced(0, 1000002, "e", 9),
		"ng big":       big().section().iface(113).enhanced(0, 1000002, "f", 9),
		"of 2.3":       little().put(uint32(magicMicro), uint16(2), uint16(3), uint32(0), uint32(0), uint32(0), uint32(1)).record(1, 2, "g", 9),
		"no packet":    big().pcap(magicMicro, 65535, 1),
	}
}

// readBatches is read by NextBatch.
func readBatches(r io.Reader, o FileOptions) ([]string, error) {
	f, err := NewFile(r, "x", o)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	var out []string
	batch := make([]Packet, 5)
	for {
		n, err := f.NextBatch(batch)
		for _, p := range batch[:n] {
			out = append(out, fmt.Sprintf("%d %d %d %s", p.Time, p.Link, p.Length, p.Data))
		}
		if err != nil {
			return out, err
		}
	}
}

// Whichever capture follows whichever, each is read as it is alone.
func TestJoined(t *testing.T) {
	o := FileOptions{Joined: true}
	for first, a := range captures() {
		for second, b := range captures() {
			var want []string
			for _, alone := range []*builder{a, b, a} {
				packets, err := read(bytes.NewReader(alone.Bytes()), FileOptions{})
				if err != io.EOF {
					t.Fatal(err)
				}
				want = append(want, packets...)
			}
			joined := bytes.Join([][]byte{a.Bytes(), b.Bytes(), a.Bytes()}, nil)
			for how, r := range readers(t, joined) {
				if got, err := read(r, o); err != io.EOF || fmt.Sprint(got) != fmt.Sprint(want) {
					t.Errorf("%s, %s, %s: %q, %v, want %q", first, second, how, got, err, want)
				}
			}
			if got, err := readBatches(bytes.NewReader(joined), o); err != io.EOF || fmt.Sprint(got) != fmt.Sprint(want) {
				t.Errorf("%s, %s, in batches: %q, %v, want %q", first, second, got, err, want)
			}
		}
	}
}

// What is no header of a capture stays what it was, and a file on disk is one capture.
func TestNotJoined(t *testing.T) {
	joined := FileOptions{Joined: true}
	head := func() *builder { return little().pcap(magicMicro, 0, 1).record(0, 0, "a", 1) }
	ng := func() *builder { return little().section().iface(1).enhanced(0, 0, "a", 1) }
	for name, c := range map[string]struct {
		in      *builder
		options FileOptions
		want    string // how it ends
		packets int
	}{
		"a file":                       {head().pcap(magicMicro, 0, 1).record(1795435227, 0, "b", 1), FileOptions{}, "damaged at byte 57: record claims 1795435227 bytes", 2},
		"a packet of 2055":             {head().record(magicMicro, 0x00040002, "b", 1), joined, "EOF", 2},
		"a packet of no octets":        {head().record(magicMicro, 0x00040002, "", 7), joined, "EOF", 2},
		"version 3.0":                  {head().put(uint32(magicMicro), uint16(3), uint16(0), uint64(0), uint64(0)), joined, "damaged at byte 57", 2},
		"a section without byte order": {head().put(uint32(blockSection), uint32(28), ^uint32(0), uint64(0), uint32(28)), joined, "damaged at byte 41: record claims 4294967295 bytes", 1},
		"a block of its own type":      {ng().block(magicMicro, "abcdefgh"), joined, "EOF", 1},
		"a header that is cut":         {head().put(uint32(magicMicro), uint16(2), uint16(4), uint64(0)), joined, "damaged at byte 0: cut: file header has 16 of 24 bytes", 1},
		"damage in the second":         {head().pcap(magicMicro, 0, 1).record(0, 0, "b", 1).put("xyz"), joined, "damaged at byte 41: cut: record header has 3 of 16 bytes", 2},
		"damage in the second, pcapng": {ng().pcap(nano, 0, 1).record(0, 0, "b", 1).put("xyz"), joined, "damaged at byte 41: cut: record header has 3 of 16 bytes", 2},
	} {
		for how, r := range readers(t, c.in.Bytes()) {
			got, err := read(r, c.options)
			if len(got) != c.packets || !strings.Contains(fmt.Sprint(err), c.want) {
				t.Errorf("%s, %s: %d packets, %v, want %d and %s", name, how, len(got), err, c.packets, c.want)
			}
		}
	}
}

// The header of the next capture is known from as many octets as a record begins
// with: whether more come is not asked.
func TestJoinedWaitsForNoMore(t *testing.T) {
	r, w := io.Pipe()
	got := make(chan string)
	go func() {
		f, err := NewFile(r, "x", FileOptions{Joined: true})
		for err == nil {
			var p Packet
			if err = f.Next(&p); err == nil {
				got <- string(p.Data)
			}
		}
		got <- err.Error()
	}()
	for _, c := range []struct{ text, want string }{
		{little().pcap(magicMicro, 0, 1).record(1, 2, "a", 1).String(), "a"},
		{big().pcap(nano, 0, 1).record(1, 2, "b", 1).String(), "b"},
		{little().section().iface(1).enhanced(0, 0, "c", 1).String(), "c"},
		{little().block(0x80000001).enhanced(0, 0, "d", 1).String(), "d"},
	} {
		go w.Write([]byte(c.text))
		select {
		case data := <-got:
			if data != c.want {
				t.Fatalf("%q, want %q", data, c.want)
			}
		case <-time.After(20 * time.Second):
			t.Fatalf("%q waits for more", c.want)
		}
	}
	w.Close()
	if end := <-got; end != "EOF" {
		t.Error(end)
	}
}

// Many headers are no deeper stack and no larger buffer.
func TestJoinedHeadersAlone(t *testing.T) {
	defer debug.SetMaxStack(debug.SetMaxStack(1 << 20))
	one := little().pcap(magicMicro, 0, 1).Bytes()
	f, err := NewFile(bytes.NewReader(bytes.Repeat(one, 100_000)), "x", FileOptions{Joined: true})
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	var p Packet
	if err := f.Next(&p); !errors.Is(err, io.EOF) || len(f.stream.buf) != bufferSize {
		t.Errorf("%v, buffer %d", err, len(f.stream.buf))
	}
}
