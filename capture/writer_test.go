package capture_test

import (
	"bytes"
	"errors"
	"io"
	"os/exec"
	"strings"
	"testing"

	"github.com/mailtap/mailtap/capture"
)

// What is written is read again: times, lengths, link layers, octets of every
// remainder by four.
func TestWriterIsReadAgain(t *testing.T) {
	want := []capture.Packet{
		{Time: 1767323045123456789, Data: []byte("a"), Length: 1, Link: capture.LinkEthernet},
		{Time: 1767323045123456790, Data: []byte("four"), Length: 1514, Link: capture.LinkRaw},
		{Time: 1767323045123456789, Data: []byte("seven 7"), Length: 7, Link: capture.LinkSLL2},
		{Time: 0, Data: nil, Length: 60, Link: capture.LinkEthernet},
		{Time: 1 << 62, Data: bytes.Repeat([]byte("x"), 65537), Length: 65537, Link: capture.LinkEthernet},
	}
	var file bytes.Buffer
	w, err := capture.NewWriter(&file, "mailtap", "a rule: a summary")
	if err != nil {
		t.Fatal(err)
	}
	for i := range want {
		if err := w.Write(&want[i], strings.Repeat("c", i)); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	f, err := capture.NewFile(bytes.NewReader(file.Bytes()), "written", capture.FileOptions{})
	if err != nil {
		t.Fatal(err)
	}
	var p capture.Packet
	for i, w := range want {
		if err := f.Next(&p); err != nil {
			t.Fatal(err)
		}
		if p.Time != w.Time || p.Length != w.Length || p.Link != w.Link || !bytes.Equal(p.Data, w.Data) {
			t.Errorf("packet %d: %d octets of %d, link %d, at %d", i, len(p.Data), p.Length, p.Link, p.Time)
		}
	}
	if err := f.Next(&p); !errors.Is(err, io.EOF) {
		t.Errorf("behind the last packet: %v", err)
	}
}

// Another reader takes it too, and shows the comments.
func TestWriterForTshark(t *testing.T) {
	tshark, err := exec.LookPath("tshark")
	if err != nil {
		t.Skip("tshark is not here")
	}
	var file bytes.Buffer
	w, _ := capture.NewWriter(&file, "mailtap", "section")
	frame := append(make([]byte, 12), 8, 0, 0x45)
	frame = append(frame, make([]byte, 40)...)
	w.Write(&capture.Packet{Time: 1767323045123456789, Data: frame, Length: len(frame), Link: capture.LinkEthernet}, "of a packet")
	w.Close()
	c := exec.Command(tshark, "-r", "-", "-T", "fields", "-e", "frame.time_epoch", "-e", "frame.len", "-e", "frame.comment")
	c.Stdin = &file
	out, err := c.Output()
	if err != nil || !strings.Contains(string(out), "1767323045.123456789\t55\tof a packet") {
		t.Errorf("tshark: %v: %q", err, out)
	}
}
