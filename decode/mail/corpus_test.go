package mail

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"testing"

	"github.com/mailtap/mailtap/capture"
	"github.com/mailtap/mailtap/capture/packet"
)

// truths is what the corpus says of the mails of a capture.
type truths struct {
	Sessions []struct {
		Mails []struct {
			Subject     string
			Attachments []struct {
				Filename, Disposition, SHA256 string
				ContentType                   string `json:"content_type"`
				Size                          int64
			}
			DSN *struct {
				ReportType string `json:"report_type"`
				MTA        string `json:"reporting_mta"`
				Final      string `json:"final_recipient"`
				Action     string
				Original   string `json:"original_message_id"`
			}
		}
	}
}

// contents puts the octets that clients sent in order and takes the content of
// each DATA out of them, dots unstuffed. The captures of the cases lack
// nothing.
func contents(t *testing.T, file string) (list [][]byte) {
	t.Helper()
	f, err := capture.Open(file, capture.FileOptions{})
	if err != nil {
		t.Skip("needs the corpus: ", err)
	}
	defer f.Close()
	type stream struct {
		first  uint32
		octets []byte
	}
	streams := make(map[string]*stream)
	var order []*stream
	var p capture.Packet
	var d packet.Decoder
	for f.Next(&p) == nil {
		var s packet.Segment
		if d.Decode(&p, &s) != packet.OK || s.To().Port() != 25 || len(s.Payload) == 0 {
			continue
		}
		key := s.From().String() + s.To().String()
		if streams[key] == nil {
			streams[key] = &stream{first: s.Seq}
			order = append(order, streams[key])
		}
		at := int(s.Seq - streams[key].first)
		if room := at + len(s.Payload) - len(streams[key].octets); room > 0 {
			streams[key].octets = append(streams[key].octets, make([]byte, room)...)
		}
		copy(streams[key].octets[at:], s.Payload)
	}
	for _, s := range order {
		for rest := s.octets; ; {
			_, behind, found := bytes.Cut(rest, []byte("\r\nDATA\r\n"))
			content, after, ends := bytes.Cut(behind, []byte("\r\n.\r\n"))
			if !found || !ends {
				break
			}
			list = append(list, bytes.ReplaceAll(append(content, "\r\n"...), []byte("\n.."), []byte("\n.")))
			rest = after
		}
	}
	return list
}

func truthOf(t *testing.T, file string) (truth truths) {
	t.Helper()
	text, err := os.ReadFile(file)
	if err == nil {
		err = json.Unmarshal(text, &truth)
	}
	if err != nil {
		t.Fatal(err)
	}
	return truth
}

// TestCorpus reads the messages of real captures in segments of different
// sizes: files and reports come out as their truth says.
func TestCorpus(t *testing.T) {
	root := filepath.Join(findShared(t), "corpus")
	checked := 0
	for _, name := range []string{"14a_big_mail_attachments", "19_dsn_bounce_postfix"} {
		mails := make(map[string]*Message)
		for _, content := range contents(t, filepath.Join(root, name, "capture.pcap")) {
			for _, width := range []int{1 << 20, 1448, 77, 1} {
				m := new(Message)
				readIn(m, string(content), width)
				if odd := m.Oddities(); len(odd) > 0 {
					t.Errorf("%s: %v", name, odd)
				}
				if old := mails[m.Fields().Subject]; old != nil && tell(old) != tell(m) {
					t.Errorf("%s: pieces of %d differ", name, width)
				}
				mails[m.Fields().Subject] = m
			}
		}
		for _, session := range truthOf(t, filepath.Join(root, name, "truth.json")).Sessions {
			for _, want := range session.Mails {
				m := mails[want.Subject]
				if m == nil {
					t.Errorf("%s: %q was not read", name, want.Subject)
					continue
				}
				got := m.Attachments()
				if len(got) != len(want.Attachments) {
					t.Errorf("%s: %d files, %d are there", name, len(got), len(want.Attachments))
					continue
				}
				for i, w := range want.Attachments {
					g := got[i]
					if g.Filename != w.Filename || g.ContentType != w.ContentType || g.SHA256 != w.SHA256 || g.Size != w.Size || g.Disposition != w.Disposition || g.Truncated {
						t.Errorf("%+v, want %+v", g, w)
					}
					checked++
				}
				if w := want.DSN; w != nil {
					g := m.Report()
					if g == nil || g.Kind != w.ReportType || g.ReportingMTA != w.MTA || g.OriginalMessageID != w.Original ||
						len(g.Recipients) != 1 || g.Recipients[0].Final != w.Final || g.Recipients[0].Action != w.Action {
						t.Errorf("%+v, want %+v", g, w)
					}
					checked++
				}
			}
		}
	}
	if checked != 7 {
		t.Errorf("%d facts checked", checked)
	}
}

// TestSniffed: what the sniffer says does not hang on the declaration.
func TestSniffed(t *testing.T) {
	for content, want := range map[string]string{
		"%PDF-1.7\n": "application/pdf", "MZ\x90\x00\x03\x00\x00\x00\x04\x00\x00\x00\xff\xff": "application/vnd.microsoft.portable-executable",
		string(zipOf(t, "a.txt")): "application/zip", "<html><body>": "text/html", "": "",
	} {
		var m Message
		readIn(&m, "Content-Type: image/png\r\n\r\n"+content, 3)
		if got := m.Attachments(); len(got) != 1 || got[0].Sniffed != want {
			t.Errorf("%q: %+v, want %q", content, got, want)
		}
	}
}
