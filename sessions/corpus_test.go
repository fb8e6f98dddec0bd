package sessions_test

import (
	"bytes"
	"net/netip"
	"os"
	"path/filepath"
	"testing"

	"github.com/mailtap/mailtap/capture"
	"github.com/mailtap/mailtap/capture/packet"
	"github.com/mailtap/mailtap/decode/tls/keys"
	"github.com/mailtap/mailtap/sessions"
)

// corpus finds the folder of real captures, which stands beside the checkout.
func corpus(t *testing.T) string {
	dir := filepath.Join("..", "..", "shared", "corpus")
	if _, err := os.Stat(dir); err != nil {
		t.Skip("the corpus of real captures is not here: it belongs into ../shared/corpus beside the checkout")
	}
	return dir
}

// everything says whether tests over the corpus that take minutes run in full:
// MAILTAP_TEST_EVERYTHING=1. Else they take a sample.
func everything() bool { return os.Getenv("MAILTAP_TEST_EVERYTHING") != "" }

// load decodes the mail segments of a capture.
func load(t *testing.T, file string, morePorts ...uint16) []packet.Segment {
	t.Helper()
	f, err := capture.Open(file, capture.FileOptions{})
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	ports := &packet.PortSet{}
	ports.Add(24, 25, 465, 587, 2525)
	ports.Add(morePorts...)
	d := packet.Decoder{Ports: ports}
	var p capture.Packet
	var all []packet.Segment
	for f.Next(&p) == nil {
		var s packet.Segment
		if d.Decode(&p, &s) == packet.OK {
			s.Payload = bytes.Clone(s.Payload)
			all = append(all, s)
		}
	}
	return all
}

// recorded is one connection of a capture.
type recorded struct {
	name     string // of the case
	dir      string
	client   netip.AddrPort // of its first segment
	segments []packet.Segment
	octets   int
}

// options are those that read the connection whole: its key log opens it, where
// there is one.
func (r *recorded) options(t testing.TB) sessions.Options {
	t.Helper()
	var secrets *keys.Log
	if b, err := os.ReadFile(filepath.Join(r.dir, "keys.log")); err == nil {
		secrets = &keys.Log{}
		secrets.Write(append(b, '\n'))
	}
	return sessions.Options{
		Sensor: "test",
		Keys:   secrets,
		Limits: sessions.Limits{HeldSegments: 1 << 20, OutOfOrder: 1 << 30, HeldTotal: 2 << 30}, // single octets make many segments
		Ports:  append(sessions.DefaultPorts(), sessions.PortRole{Port: 2525, Role: sessions.RoleRelay}, sessions.PortRole{Port: 24, Role: sessions.RoleLMTP}),
	}
}

// connections splits the captures of the corpus into their connections, in the
// order of their first segments.
func connections(t *testing.T) []*recorded {
	files, _ := filepath.Glob(filepath.Join(corpus(t), "*", "capture.pcap*"))
	if len(files) < 60 {
		t.Fatalf("only %d captures", len(files))
	}
	var all []*recorded
	for _, file := range files {
		dir := filepath.Dir(file)
		of := map[[2]netip.AddrPort]*recorded{}
		for _, s := range load(t, file) {
			ends := [2]netip.AddrPort{s.From(), s.To()}
			if s.To().Compare(s.From()) < 0 {
				ends = [2]netip.AddrPort{s.To(), s.From()}
			}
			r := of[ends]
			if r == nil {
				r = &recorded{name: filepath.Base(dir), dir: dir, client: s.From()}
				of[ends] = r
				all = append(all, r)
			}
			r.segments = append(r.segments, s)
			r.octets += len(s.Payload)
		}
	}
	return all
}
