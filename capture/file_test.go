package capture

import (
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/klauspost/compress/zstd"
)

// read lists a capture's packets as "time link length data", and how it ended.
func read(r io.Reader, o FileOptions) ([]string, error) {
	f, err := NewFile(r, "x", o)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	var out []string
	var p Packet
	for {
		if err := f.Next(&p); err != nil {
			if again := f.Next(&p); again != err {
				return out, fmt.Errorf("Next after %v says %v", err, again)
			}
			return out, err
		}
		out = append(out, fmt.Sprintf("%d %d %d %s", p.Time, p.Link, p.Length, p.Data))
	}
}

const nano = 0xa1b23c4d

func TestFormats(t *testing.T) {
	const hour = 3600
	tsresol := func(v uint16) []any { return []any{uint16(9), uint16(1), v, uint16(0)} } // little-endian: the low octet comes first
	cases := []struct {
		name string
		in   *builder
		want []string
	}{
		{"pcap micro little", little().pcap(magicMicro, 65535, 1).record(1, 2, "ab", 9), []string{"1000002000 1 9 ab"}},
		{"pcap micro big", big().pcap(magicMicro, 65535, 113).record(1, 2, "ab", 2), []string{"1000002000 113 2 ab"}},
		{"pcap nano little", little().pcap(nano, 65535, 276).record(1, 2, "", 0), []string{"1000000002 276 0 "}},
		{"pcap nano big", big().pcap(nano, 65535, 1).record(4294967295, 999999999, "a", 1), []string{"4294967295999999999 1 1 a"}},
		{"pcap snaplen 0", little().pcap(magicMicro, 0, 1).record(0, 0, "abc", 3), []string{"0 1 3 abc"}},
		{"pcap more than snaplen", little().pcap(magicMicro, 2, 1).record(0, 0, "abc", 3), []string{"0 1 3 abc"}},
		{"pcap more than its length", little().pcap(magicMicro, 0, 1).record(0, 0, "abc", 1), []string{"0 1 3 abc"}},
		{"pcap reserved bits in link type", little().pcap(magicMicro, 0, 0x03ff0001).record(0, 0, "abc", 3), []string{"0 1 3 abc"}},
		{"pcap frame check sequence", little().pcap(magicMicro, 0, 0x24000001).record(0, 0, "abcFCS4", 7).record(0, 0, "abcdFC", 8).record(0, 0, "ab", 9).record(0, 0, "ab", 2),
			[]string{"0 1 3 abc", "0 1 4 abcd", "0 1 5 ab", "0 1 0 "}},
		{"pcap without packets", little().pcap(magicMicro, 0, 1), nil},
		{"pcapng", little().section().iface(1).enhanced(0, 1000002, "abc", 9), []string{"1000002000 1 9 abc"}},
		{"pcapng big", big().section().iface(113).enhanced(0, 1<<32, "abcd", 4), []string{"4294967296000 113 4 abcd"}},
		{"pcapng interfaces", little().section().iface(1).iface(276).enhanced(1, 0, "b", 1).enhanced(0, 0, "a", 1), []string{"0 276 1 b", "0 1 1 a"}},
		{"pcapng sections forget interfaces and order",
			&builder{Buffer: *bytes.NewBufferString(little().section().iface(1).enhanced(0, 0, "a", 1).String() + big().section().iface(101).enhanced(0, 0, "b", 1).String())},
			[]string{"0 1 1 a", "0 101 1 b"}},
		{"pcapng unknown blocks", little().section().block(0xbad, "whatever").iface(1).block(5, strings.Repeat("x", 3*bufferSize)).enhanced(0, 0, "a", 1), []string{"0 1 1 a"}},
		{"pcapng nanoseconds", little().section().iface(1, tsresol(9)...).enhanced(0, 7, "a", 1), []string{"7 1 1 a"}},
		{"pcapng seconds", little().section().iface(1, tsresol(0)...).enhanced(0, 7, "a", 1), []string{"7000000000 1 1 a"}},
		{"pcapng picoseconds", little().section().iface(1, tsresol(12)...).enhanced(0, 7999, "a", 1), []string{"7 1 1 a"}},
		{"pcapng 2^-1", little().section().iface(1, tsresol(0x81)...).enhanced(0, 7, "a", 1), []string{"3500000000 1 1 a"}},
		{"pcapng 2^-32", little().section().iface(1, tsresol(0xa0)...).enhanced(0, 5<<32|1<<31, "a", 1), []string{"5500000000 1 1 a"}},
		{"pcapng 2^-127", little().section().iface(1, tsresol(0xff)...).enhanced(0, ^uint64(0), "a", 1), []string{"0 1 1 a"}},
		{"pcapng 10^-127", little().section().iface(1, tsresol(0x7f)...).enhanced(0, ^uint64(0), "a", 1), []string{"0 1 1 a"}},
		{"pcapng time out of range", little().section().iface(1).enhanced(0, ^uint64(0), "a", 1), []string{"9223372036854775807 1 1 a"}},
		{"pcapng offset", little().section().iface(1, uint16(14), uint16(8), uint64(hour)).enhanced(0, 0, "a", 1), []string{"3600000000000 1 1 a"}},
		{"pcapng negative offset", little().section().iface(1, uint16(14), uint16(8), ^uint64(0)).enhanced(0, 0, "a", 1), []string{"-1000000000 1 1 a"}},
		{"pcapng offset out of range", little().section().iface(1, uint16(14), uint16(8), uint64(1)<<63).enhanced(0, 0, "a", 1), []string{"-9223372036000000000 1 1 a"}},
		{"pcapng option overruns", little().section().iface(1, uint16(2), uint16(999), uint32(0)).enhanced(0, 0, "a", 1), []string{"0 1 1 a"}},
		{"pcapng options behind the end", little().section().iface(1, append([]any{uint32(0)}, tsresol(0)...)...).enhanced(0, 0, "a", 1), []string{"0 1 1 a"}},
		{"pcapng simple", little().section().iface(1).enhanced(0, 5, "a", 1).block(blockSimple, uint32(3), "abc"), []string{"5000 1 1 a", "5000 1 3 abc"}},
		{"pcapng simple, snapped", little().section().block(blockInterface, uint16(1), uint16(0), uint32(2)).block(blockSimple, uint32(9), "ab"), []string{"0 1 9 ab"}},
		{"pcapng obsolete packet", little().section().iface(1).block(blockPacket, uint16(0), uint16(77), uint32(0), uint32(8), uint32(1), uint32(2), "a"), []string{"8000 1 2 a"}},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			for name, r := range readers(t, c.in.Bytes()) {
				got, err := read(r, FileOptions{})
				if err != io.EOF {
					t.Errorf("%s: ended with %v, want io.EOF", name, err)
				}
				if fmt.Sprint(got) != fmt.Sprint(c.want) {
					t.Errorf("%s:\ngot  %q\nwant %q", name, got, c.want)
				}
			}
		})
	}
}

// readers gives the same bytes in every wrapping and in awkward pieces.
func readers(t *testing.T, b []byte) map[string]io.Reader {
	return map[string]io.Reader{
		"plain":     bytes.NewReader(b),
		"byte-wise": iotest.OneByteReader(bytes.NewReader(b)),
		"data+EOF":  iotest.DataErrReader(bytes.NewReader(b)),
		"gzip":      bytes.NewReader(gzipped(b)),
		"zstd":      bytes.NewReader(zstded(t, b)),
		"zstd skip": bytes.NewReader(append([]byte("\x50\x2a\x4d\x18\x01\x00\x00\x00!"), zstded(t, b)...)),
	}
}

func gzipped(b []byte) []byte {
	var out bytes.Buffer
	z := gzip.NewWriter(&out)
	z.Write(b)
	z.Close()
	return out.Bytes()
}

func zstded(t testing.TB, b []byte) []byte {
	z, err := zstd.NewWriter(nil)
	if err != nil {
		t.Fatal(err)
	}
	return z.EncodeAll(b, nil)
}

func TestDamage(t *testing.T) {
	head := func() *builder { return little().pcap(magicMicro, 0, 1).record(0, 0, "a", 1) }
	ng := func() *builder { return little().section().iface(1).enhanced(0, 0, "a", 1) }
	cases := []struct {
		name   string
		in     *builder
		offset int64
		what   string
	}{
		{"record header cut", head().put(uint32(0)), 41, "cut: record header has 4 of 16 bytes"},
		{"record cut", head().put(uint32(0), uint32(0), uint32(9), uint32(9), "abc"), 41, "cut: record has 19 of 25 bytes"},
		{"giant record", head().put(uint32(0), uint32(0), uint32(0xffffffff), uint32(9), "abc"), 41, "record claims 4294967295 bytes, the limit is 1048576"},
		{"block header cut", ng().put(uint32(6)), 84, "cut: block header has 4 of 8 bytes"},
		{"block cut", ng().put(uint32(6), uint32(40), uint32(0)), 84, "cut: packet block has 12 of 40 bytes"},
		{"unknown block cut", ng().put(uint32(99), uint32(1<<31), uint32(0)), 96, "cut: block has 12 of 2147483648 bytes"},
		{"block of no length", ng().put(uint32(99), uint32(0), uint32(0)), 84, "block claims 0 bytes, wants at least 12 and a multiple of 4"},
		{"packet block too short", ng().put(uint32(6), uint32(28), uint32(0)), 84, "block claims 28 bytes, wants at least 32 and a multiple of 4"},
		{"block of odd length", ng().put(uint32(99), uint32(13), uint32(0)), 84, "block claims 13 bytes, wants at least 12 and a multiple of 4"},
		{"giant block", ng().put(uint32(6), uint32(0xfffffffc), uint32(0)), 84, "packet block claims 4294967292 bytes, the limit is 1114112"},
		{"lengths differ", ng().put(uint32(6), uint32(32), strings.Repeat("\x00", 20), uint32(36)), 84, "packet block begins with length 32 and ends with 36"},
		{"packet beyond its block", ng().block(blockEnhanced, uint32(0), uint64(0), uint32(5), uint32(5), "abcd"), 84, "packet claims 5 bytes, its block has 4"},
		{"interface not described", ng().enhanced(1, 0, "a", 1), 84, "packet of interface 1, the section has 1"},
		{"simple packet without interface", little().section().block(blockSimple, uint32(1), "a"), 28, "packet of interface 0, the section has 0"},
		{"bad byte-order magic", ng().block(blockSection, uint32(7), uint32(1), uint64(0)), 84, "section header has byte-order magic 07000000, wants 1a2b3c4d"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			for name, r := range readers(t, c.in.Bytes()) {
				got, err := read(r, FileOptions{})
				var d *DamageError
				if !errors.As(err, &d) || d.Offset != c.offset || d.What != c.what || d.Name != "x" {
					t.Errorf("%s: ended with %v, want damage at %d: %s", name, err, c.offset, c.what)
				}
				if want := min(1, strings.Count(c.in.String(), "a")); len(got) != want && c.name != "simple packet without interface" {
					t.Errorf("%s: %d packets before the damage, want %d", name, len(got), want)
				}
			}
		})
	}
}

func TestLimits(t *testing.T) {
	two := little().section().iface(1).iface(1).Bytes()
	if _, err := read(bytes.NewReader(two), FileOptions{MaxInterfaces: 1}); !strings.Contains(fmt.Sprint(err), "more than 1 interfaces") {
		t.Errorf("interfaces: %v", err)
	}
	long := little().pcap(magicMicro, 0, 1).record(0, 0, "abcd", 4).Bytes()
	if _, err := read(bytes.NewReader(long), FileOptions{MaxRecord: 3}); !strings.Contains(fmt.Sprint(err), "claims 4 bytes, the limit is 3") {
		t.Errorf("record: %v", err)
	}
	if got, err := read(bytes.NewReader(long), FileOptions{MaxRecord: 4}); err != io.EOF || len(got) != 1 {
		t.Errorf("record at the limit: %v", err)
	}
	giant := little().section().iface(1).enhanced(0, 0, strings.Repeat("a", 8), 8).Bytes()
	if _, err := read(bytes.NewReader(giant), FileOptions{MaxRecord: 7}); !strings.Contains(fmt.Sprint(err), "claims 8 bytes, the limit is 7") {
		t.Errorf("pcapng record: %v", err)
	}
}

// A record longer than the buffer makes it grow to what has arrived.
func TestLongRecord(t *testing.T) {
	data := strings.Repeat("0123456789", 100_000)
	b := little().pcap(magicMicro, 0, 1).record(0, 0, "a", 1).record(0, 0, data, len(data)).record(0, 0, "b", 1)
	got, err := read(bytes.NewReader(b.Bytes()), FileOptions{})
	if err != io.EOF || len(got) != 3 || !strings.HasSuffix(got[1], data) || !strings.HasSuffix(got[2], "b") {
		t.Fatalf("%d packets, %v", len(got), err)
	}
}

func TestOpenErrors(t *testing.T) {
	dir := t.TempDir()
	file := func(name, content string) string {
		p := filepath.Join(dir, name)
		if err := os.WriteFile(p, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		return p
	}
	cases := []struct {
		path string
		is   error
		text string
	}{
		{filepath.Join(dir, "missing"), fs.ErrNotExist, "no such file or directory"},
		{dir, ErrDirectory, "is a directory, wants a capture file"},
		{file("empty", ""), ErrEmpty, "is empty"},
		{file("empty.gz", string(gzipped(nil))), ErrEmpty, "is empty inside its gzip"},
		{file("text", "hello world"), ErrNotCapture, `is no capture: begins with "hell", wants pcap, pcapng, or gzip or zstd of them`},
		{file("short", "h"), ErrNotCapture, `is no capture: begins with "h", wants pcap, pcapng, or gzip or zstd of them`},
		{file("text.gz", string(gzipped([]byte("hello")))), ErrNotCapture, `is no capture inside its gzip: begins with "hell", wants pcap, pcapng, or gzip or zstd of them`},
		{file("snoop", "snoop\x00\x00\x00"), ErrUnsupported, "Solaris snoop is not supported, wants pcap, pcapng, or gzip or zstd of them"},
		{file("old", little().put(uint32(magicMicro), uint16(2), uint16(1), strings.Repeat("x", 16)).String()), ErrUnsupported, "pcap version 2.1 is not supported, wants 2.4"},
		{file("new", little().block(blockSection, uint32(0x1a2b3c4d), uint16(2), uint16(0), uint64(0)).String()), ErrUnsupported, "pcapng version 2.0 is not supported, wants 1.0"},
	}
	for _, c := range cases {
		_, err := Open(c.path, FileOptions{})
		if !errors.Is(err, c.is) || err.Error() != c.path+": "+c.text {
			t.Errorf("got  %v\nwant %s: %s", err, c.path, c.text)
		}
	}
	var d *DamageError
	for _, cut := range []string{"\x1f\x8b\x08", "\xd4\xc3\xb2\xa1\x02", "\x0a\x0d\x0d\x0a", "\x28\xb5\x2f\xfd"} {
		if _, err := Open(file("cut", cut), FileOptions{}); !errors.As(err, &d) {
			t.Errorf("header %x: got %v, want damage", cut, err)
		}
	}
}

// What was read before a broken compression is delivered.
func TestBrokenCompression(t *testing.T) {
	b := little().pcap(magicMicro, 0, 1)
	for i := range 20_000 {
		b.record(uint32(i), uint32(i*7919), fmt.Sprint(i*104729), 99)
	}
	for name, packed := range map[string][]byte{"gzip": gzipped(b.Bytes()), "zstd": zstded(t, b.Bytes())} {
		got, err := read(bytes.NewReader(packed[:len(packed)/2]), FileOptions{})
		var d *DamageError
		if !errors.As(err, &d) || !strings.Contains(d.What, name+" data is cut") || len(got) == 0 && name == "gzip" {
			t.Errorf("%s cut: %d packets, %v", name, len(got), err)
		}
		packed[len(packed)/2] ^= 0xff
		if _, err := read(bytes.NewReader(packed), FileOptions{}); !errors.As(err, &d) {
			t.Errorf("%s bent: %v, want damage", name, err)
		}
	}
	// A window of 2 GiB asked for by 20 bytes (RFC 8878, 3.1.1.1.2).
	giant := "\x28\xb5\x2f\xfd\x00\xa8\x01\x00\x00"
	if _, err := read(strings.NewReader(giant), FileOptions{}); !strings.Contains(fmt.Sprint(err), "window size exceeded") {
		t.Errorf("giant window: %v", err)
	}
}

// A failing disk is no damage of the file.
func TestReadError(t *testing.T) {
	b := little().pcap(magicMicro, 0, 1).record(0, 0, "a", 1)
	for name, in := range map[string][]byte{"plain": b.Bytes(), "gzip": gzipped(b.Bytes())[:20]} {
		r := io.MultiReader(bytes.NewReader(in), iotest.ErrReader(fs.ErrPermission))
		_, err := read(r, FileOptions{})
		var d *DamageError
		if !errors.Is(err, fs.ErrPermission) || errors.As(err, &d) {
			t.Errorf("%s: %v, want the reader's own error", name, err)
		}
	}
	stuck := io.MultiReader(bytes.NewReader(b.Bytes()), stuckReader{})
	if _, err := read(stuck, FileOptions{}); !errors.Is(err, io.ErrNoProgress) {
		t.Errorf("stuck reader: %v", err)
	}
}

type stuckReader struct{}

func (stuckReader) Read([]byte) (int, error) { return 0, nil }

func TestTestdata(t *testing.T) {
	cases := []struct {
		path    string
		packets int
		links   string
		end     string
	}{
		{"mixed_linktypes.pcapng", 200, "map[1:72 101:50 113:78]", "EOF"},
		{"qinq_big_endian_nano.pcap", 78, "map[1:78]", "EOF"},
		{"truncated.pcap", 77, "map[1:77]", "cut: record"},
		{"pcap.gz", 242, "map[1:242]", "EOF"},
	}
	for _, c := range cases {
		f, err := Open(filepath.Join("testdata", c.path), FileOptions{})
		if err != nil {
			t.Fatal(err)
		}
		links, n := map[LinkType]int{}, 0
		var p Packet
		for err = f.Next(&p); err == nil; err = f.Next(&p) {
			links[p.Link]++
			n++
		}
		if n != c.packets || fmt.Sprint(links) != c.links {
			t.Errorf("%s: %d packets, links %v, want %d and %s", c.path, n, links, c.packets, c.links)
		}
		if !strings.Contains(err.Error(), c.end) {
			t.Errorf("%s: ended with %v", c.path, err)
		}
		if st, _ := os.Stat(filepath.Join("testdata", c.path)); f.Size() != st.Size() || f.Offset() != st.Size() {
			t.Errorf("%s: offset %d of %d, want %d", c.path, f.Offset(), f.Size(), st.Size())
		}
		if err := f.Close(); err != nil {
			t.Error(err)
		}
	}
}

func TestNextAllocatesNothing(t *testing.T) {
	for name, b := range map[string]*builder{
		"pcap":   little().pcap(magicMicro, 0, 1),
		"pcapng": little().section().iface(1),
	} {
		for range 2000 {
			if name == "pcap" {
				b.record(1, 2, "abc", 3)
			} else {
				b.enhanced(0, 2, "abc", 3)
			}
		}
		f, err := NewFile(bytes.NewReader(b.Bytes()), name, FileOptions{})
		if err != nil {
			t.Fatal(err)
		}
		var p Packet
		if n := testing.AllocsPerRun(1000, func() {
			if err := f.Next(&p); err != nil {
				t.Fatal(err)
			}
		}); n != 0 {
			t.Errorf("%s: %v allocations a packet", name, n)
		}
	}
}

func FuzzFile(f *testing.F) {
	f.Add(little().pcap(magicMicro, 0, 1).record(1, 2, "abc", 3).Bytes())
	f.Add(big().pcap(nano, 0, 0x24000001).record(1, 2, "abc", 3).Bytes())
	ng := little().section().iface(1, uint16(9), uint16(1), uint32(0xa0)).enhanced(0, 1<<40, "abc", 3).
		block(blockSimple, uint32(3), "abc").block(blockPacket, uint32(0), uint64(8), uint32(1), uint32(2), "a").block(99)
	f.Add(ng.Bytes())
	f.Add(big().section().iface(276).enhanced(0, 1, "abc", 3).Bytes())
	f.Add(gzipped(ng.Bytes()))
	f.Add(zstded(f, ng.Bytes()))
	o := FileOptions{MaxRecord: 4096, MaxInterfaces: 8, MaxWindow: 1 << 20}
	f.Add(append(little().pcap(magicMicro, 0, 1).record(1, 2, "abc", 3).Bytes(), ng.Bytes()...))
	f.Add(append(bytes.Clone(ng.Bytes()), big().pcap(nano, 0, 1).record(1, 2, "abc", 3).Bytes()...))
	f.Fuzz(func(t *testing.T, b []byte) {
		o := o
		o.Joined = len(b)%2 == 0
		file, err := NewFile(bytes.NewReader(b), "x", o)
		if err != nil {
			return
		}
		defer file.Close()
		var p Packet
		for range 10_000 {
			if err = file.Next(&p); err != nil {
				break
			}
			if len(p.Data) > o.MaxRecord || p.Length < len(p.Data) {
				t.Fatalf("%d bytes of %d", len(p.Data), p.Length)
			}
		}
		var d *DamageError
		if err != nil && err != io.EOF && !errors.As(err, &d) && !errors.Is(err, ErrUnsupported) {
			t.Fatalf("ended with %v", err)
		}
		if file.stream == file.input && len(file.stream.buf) > bufferSize {
			t.Fatalf("buffer grew to %d", len(file.stream.buf))
		}
	})
}
