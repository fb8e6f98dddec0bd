package keys

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// connections reads the TCP conversations of a small Ethernet capture without
// damage, in the order of their start; what it sees again it leaves out.
func connections(t *testing.T, file string) [][]chunk {
	t.Helper()
	b, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	type flow struct {
		index int
		from  Sender
		next  uint32
	}
	flows := make(map[string]*flow)
	var all [][]chunk
	for b = b[24:]; len(b) >= 16; {
		n := int(binary.LittleEndian.Uint32(b[8:]))
		ip := b[16+14 : 16+n]
		b = b[16+n:]
		if ip[0]>>4 != 4 || ip[9] != 6 {
			continue
		}
		ip = ip[:binary.BigEndian.Uint16(ip[2:])]
		tcp := ip[ip[0]&15*4:]
		here, there := string(ip[12:16])+string(tcp[:2]), string(ip[16:20])+string(tcp[2:4])
		seq := binary.BigEndian.Uint32(tcp[4:])
		if tcp[13]&0x12 == 2 { // SYN
			flows[here+there] = &flow{len(all), Client, seq + 1}
			flows[there+here] = &flow{len(all), Server, 0}
			all = append(all, nil)
			continue
		}
		f := flows[here+there]
		if tcp[13]&2 != 0 {
			f.next = seq + 1
		}
		if data := tcp[tcp[12]>>4*4:]; len(data) > 0 && seq == f.next {
			f.next += uint32(len(data))
			all[f.index] = append(all[f.index], chunk{f.from, data})
		}
	}
	return all
}

// encrypted is a conversation from its first TLS record on.
func encrypted(chunks []chunk) []chunk {
	var begun [2]bool
	var out []chunk
	for _, c := range chunks {
		if !begun[c.from] {
			i := bytes.Index(c.b, []byte{typeHandshake, 3})
			if i < 0 {
				continue
			}
			c.b, begun[c.from] = c.b[i:], true
		}
		out = append(out, c)
	}
	return out
}

// smtp demands a mail session of a client and the replies to it.
func (f *follower) smtp(name string) {
	f.t.Helper()
	client, server := f.sides[Client].text.String(), f.sides[Server].text.String()
	for _, want := range []string{"EHLO ", "QUIT\r\n"} {
		if !strings.Contains(strings.ToUpper(client), want) {
			f.t.Errorf("%s: no %q among %d octets of the client", name, want, len(client))
		}
	}
	for _, want := range []string{"250-", "\r\n221 "} {
		if !strings.Contains(server, want) {
			f.t.Errorf("%s: no %q among %d octets of the server", name, want, len(server))
		}
	}
}

// TestCaptures opens every record of real sessions.
func TestCaptures(t *testing.T) {
	for _, c := range []struct {
		name     string
		sessions int
		suite    uint16
	}{
		{"04b_465_tls12_aes128gcm_keylog", 2, 0xC02F},
		{"04f_587_starttls_tls12_rsakex_keylog", 1, 0x009C},
		{"04g_587_starttls_tls13_keylog", 2, 0x1302},
		{"04i_465_tls13_chacha20_keylog", 1, 0x1303},
		{"04l_465_tls12_resumption_keylog", 2, 0xC030},
		{"40a_bad_certificates_tls12", 3, 0xC030},
	} {
		t.Run(c.name, func(t *testing.T) {
			openCapture(t, "testdata/"+c.name+".pcap", "testdata/"+c.name+".keys", c.sessions, c.suite)
		})
	}
}

// TestCorpus opens the captures that are too large to be kept here.
func TestCorpus(t *testing.T) {
	for _, c := range []struct {
		name     string
		sessions int
		suite    uint16
	}{
		{"04d_587_starttls_tls12_aes256gcm_keylog", 1, 0xC030},
		{"20d_bruteforce_in_tls_keylog", 30, 0x1302},
	} {
		t.Run(c.name, func(t *testing.T) {
			dir := filepath.Join("../../../../shared/corpus", c.name)
			if _, err := os.Stat(dir); err != nil {
				t.Skip("needs the corpus")
			}
			openCapture(t, dir+"/capture.pcap", dir+"/keys.log", c.sessions, c.suite)
		})
	}
}

func openCapture(t *testing.T, pcap, keyLog string, sessions int, suite uint16) {
	t.Helper()
	text, err := os.ReadFile(keyLog)
	if err != nil {
		t.Fatal(err)
	}
	log := logOf(t, text)
	if s := log.Stats(); s.Malformed > 0 || s.Secrets == 0 {
		t.Errorf("%+v", s)
	}
	all := connections(t, pcap)
	if len(all) != sessions {
		t.Fatalf("%d sessions", len(all))
	}
	for _, chunks := range all {
		f := follow(t, log, encrypted(chunks))
		f.whole()
		f.smtp(pcap)
		if len(f.suites) != 1 || f.suites[0] != suite {
			t.Errorf("suites %04x", f.suites)
		}
	}
}

// TestNamesOfAMaster opens sessions whose key log names their secret in other
// ways than by the client's random.
func TestNamesOfAMaster(t *testing.T) {
	for _, c := range []struct {
		naming, name string
		session      int
		line         func(f *follower, lines map[string]string) string
	}{
		{"pre-master", "04f_587_starttls_tls12_rsakex_keylog", 0, func(_ *follower, lines map[string]string) string {
			return "RSA " + lines["RSA"]
		}},
		{"session", "04l_465_tls12_resumption_keylog", 1, func(f *follower, lines map[string]string) string {
			_, master, _ := strings.Cut(lines["CLIENT_RANDOM"], " ")
			return fmt.Sprintf("RSA Session-ID:%X Master-Key:%s", f.hello.SessionID, strings.ToUpper(master))
		}},
	} {
		text, err := os.ReadFile("testdata/" + c.name + ".keys")
		if err != nil {
			t.Fatal(err)
		}
		chunks := encrypted(connections(t, "testdata/"+c.name+".pcap")[c.session])
		first := follow(t, logOf(t, text), chunks)
		log := logOf(t, []byte(c.line(first, secretLines(string(text)))))
		if log.Stats().Held != 1 {
			t.Fatalf("%s: %+v", c.naming, log.Stats())
		}
		f := follow(t, log, chunks)
		f.whole()
		f.smtp(c.naming)

		other := first.hello
		other.SessionHash, other.SessionID = nil, nil
		var d Direction
		if err := d.Rekey(log, &other, Client, Application); err != NoSecret || !other.ExtendedMaster {
			t.Errorf("%s, without the hash of the session and its number: %v", c.naming, err)
		}
	}
}

// secretLines has the last line of each label.
func secretLines(text string) map[string]string {
	lines := make(map[string]string)
	for line := range strings.Lines(text) {
		label, rest, _ := strings.Cut(line, " ")
		lines[label] = rest
	}
	return lines
}
