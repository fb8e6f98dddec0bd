package tls

import (
	"bytes"
	"encoding/binary"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestPlainOfCaptures opens the captures that have a key log.
func TestPlainOfCaptures(t *testing.T) {
	for _, c := range []struct {
		name     string
		sessions int
		mail     bool
	}{
		{"04b_465_tls12_aes128gcm_keylog", 2, true},
		{"04f_587_starttls_tls12_rsakex_keylog", 1, true},
		{"04g_587_starttls_tls13_keylog", 2, true},
		{"04i_465_tls13_chacha20_keylog", 1, true},
		{"04l_465_tls12_resumption_keylog", 2, true},
		{"40a_bad_certificates_tls12", 3, true},
		{"04d_587_starttls_tls12_aes256gcm_keylog", 1, true},
		{"20d_bruteforce_in_tls_keylog", 30, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			pcap, text := filepath.Join("keys/testdata", c.name+".pcap"), filepath.Join("keys/testdata", c.name+".keys")
			if _, err := os.Stat(pcap); err != nil {
				dir := filepath.Join("../../../shared/corpus", c.name)
				pcap, text = filepath.Join(dir, "capture.pcap"), filepath.Join(dir, "keys.log")
			}
			b, err := os.ReadFile(text)
			if err != nil {
				t.Skip("needs the corpus")
			}
			all := connections(t, pcap)
			if len(all) != c.sessions {
				t.Errorf("%d sessions", len(all))
			}
			for _, chunks := range all {
				chunks = encrypted(chunks)
				l := listen(t, logOf(t, string(b)), chunks)
				if c.mail {
					l.isSMTP()
				} else if !strings.Contains(l.said(true), "EHLO ") || !strings.Contains(l.said(false), "535 ") {
					t.Error("no AUTH that failed")
				}
				f := l.w.Facts()
				if !f.Decrypted || !f.Established || f.Failed || f.Damaged || f.Certificate == nil && !f.Resumed || l.lost() > 0 {
					t.Errorf("facts %+v", f)
				}
				if !c.mail {
					continue
				}
				i := interleaved(chunks)
				listen(t, logOf(t, string(b)), i).whole(l.said(true), l.said(false))
			}
		})
	}
}

// interleaved mixes what the two sides sent in succession octet by octet, once
// the hellos are over.
func interleaved(chunks []chunk) []chunk {
	chunks = joined(chunks)
	out := chunks[:2:2]
	for rest := chunks[2:]; len(rest) > 0; {
		if len(rest) == 1 {
			return append(out, octets(rest)...)
		}
		a, b := octets(rest[:1]), octets(rest[1:2])
		for len(a) > 0 || len(b) > 0 {
			if len(a) > 0 {
				out, a = append(out, a[0]), a[1:]
			}
			if len(b) > 0 {
				out, b = append(out, b[0]), b[1:]
			}
		}
		rest = rest[2:]
	}
	return out
}

// connections reads the TCP conversations of a small Ethernet capture without
// damage, in the order of their start; what it sees again it leaves out.
func connections(t *testing.T, file string) [][]chunk {
	t.Helper()
	b, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	type flow struct {
		index  int
		client bool
		next   uint32
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
			flows[here+there] = &flow{len(all), true, seq + 1}
			flows[there+here] = &flow{len(all), false, 0}
			all = append(all, nil)
			continue
		}
		f := flows[here+there]
		if tcp[13]&2 != 0 {
			f.next = seq + 1
		}
		if data := tcp[tcp[12]>>4*4:]; len(data) > 0 && seq == f.next {
			f.next += uint32(len(data))
			all[f.index] = append(all[f.index], chunk{f.client, data})
		}
	}
	return all
}

// encrypted is a conversation from its first TLS record on.
func encrypted(chunks []chunk) []chunk {
	begun := map[bool]bool{}
	var out []chunk
	for _, c := range chunks {
		if !begun[c.client] {
			i := bytes.Index(c.b, []byte{typeHandshake, 3})
			if i < 0 {
				continue
			}
			c.b, begun[c.client] = c.b[i:], true
		}
		out = append(out, c)
	}
	return out
}
