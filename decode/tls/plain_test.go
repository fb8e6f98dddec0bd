package tls

import (
	"bytes"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/mailtap/mailtap/decode/tls/keys"
)

// listener feeds a Watch and keeps what it tells.
type listener struct {
	t      testing.TB
	w      *Watch
	fed    [2]int64
	plains []Plain
	alone  [2]int64 // losses that were told alone
	least  int      // octets that are told for a record that is lost
}

func listen(t testing.TB, log *keys.Log, chunks []chunk) *listener {
	l := &listener{t: t, w: &Watch{Options: &Options{Keys: log}}, least: minRecord}
	l.feed(chunks)
	return l
}

func (l *listener) feed(chunks []chunk) {
	for _, c := range chunks {
		l.fed[index(c.client)] += int64(len(c.b))
		l.w.Mark++
		l.w.take(c)
		l.pull()
	}
}

func (l *listener) gap(client bool, n int64) {
	l.fed[index(client)] += n
	if client {
		l.w.ClientGap(n)
	} else {
		l.w.ServerGap(n)
	}
	l.pull()
}

func index(client bool) int {
	if client {
		return 1
	}
	return 0
}

func (l *listener) pull() {
	l.t.Helper()
	for p := (Plain{}); l.w.Next(&p); {
		if len(p.Data) == 0 && p.Lost == 0 || p.Lost < 0 || p.End > l.fed[index(p.FromClient)] || p.Mark > l.w.Mark {
			l.t.Fatalf("%d octets, lost %d, end %d of %d, mark %d of %d", len(p.Data), p.Lost, p.End, l.fed[index(p.FromClient)], p.Mark, l.w.Mark)
		}
		before := &l.alone[index(p.FromClient)]
		p.Lost += *before
		if *before = 0; len(p.Data) == 0 {
			*before = p.Lost
			continue
		}
		p.Data = bytes.Clone(p.Data)
		l.plains = append(l.plains, p)
	}
}

func (l *listener) said(client bool) string {
	var all []byte
	for _, p := range l.plains {
		if p.FromClient == client {
			all = append(all, p.Data...)
		}
	}
	return string(all)
}

func (l *listener) lost() (octets int64) {
	for _, p := range l.plains {
		octets += p.Lost
	}
	return octets + l.alone[0] + l.alone[1]
}

// whole demands that all was opened, and in its time.
func (l *listener) whole(client, server string) {
	l.t.Helper()
	if l.said(true) != client || l.said(false) != server || l.lost() != 0 {
		l.t.Errorf("%d of %d octets of the client, %d of %d of the server, %d lost", len(l.said(true)), len(client), len(l.said(false)), len(server), l.lost())
	}
}

func logOf(t testing.TB, text string) *keys.Log {
	log := new(keys.Log)
	if _, err := log.Write([]byte(text)); err != nil {
		t.Fatal(err)
	}
	return log
}

// keyLog is the log of a capture.
func keyLog(t testing.TB, capture string) string {
	t.Helper()
	text, err := os.ReadFile("keys/testdata/" + capture + ".keys")
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func ofCapture(name string) string { return name[:strings.LastIndexByte(name, '-')] }

var withKeys = []string{
	"04b_465_tls12_aes128gcm_keylog-0", "04f_587_starttls_tls12_rsakex_keylog-0", "04g_587_starttls_tls13_keylog-0",
	"04i_465_tls13_chacha20_keylog-0", "04l_465_tls12_resumption_keylog-0", "04l_465_tls12_resumption_keylog-1",
	"40a_bad_certificates_tls12-0", "40a_bad_certificates_tls12-1", "40a_bad_certificates_tls12-2",
}

// isSMTP demands a mail session, without showing it.
func (l *listener) isSMTP() {
	l.t.Helper()
	client, server := l.said(true), l.said(false)
	for _, part := range []string{"EHLO ", "MAIL FROM:", "\r\n.\r\n", "QUIT\r\n"} {
		if !strings.Contains(client, part) {
			l.t.Errorf("no %q of the client in %d octets", part, len(client))
		}
	}
	for _, part := range []string{"250", "221 "} {
		if !strings.Contains(server, part) {
			l.t.Errorf("no %q of the server in %d octets", part, len(server))
		}
	}
	if l.lost() > 0 {
		l.t.Errorf("%d octets lost", l.lost())
	}
}

func TestPlain(t *testing.T) {
	for _, name := range withKeys {
		t.Run(name, func(t *testing.T) {
			chunks := conversation(t, name)
			l := listen(t, logOf(t, keyLog(t, ofCapture(name))), chunks)
			l.isSMTP()
			if implicit := strings.Contains(name, "465"); implicit && !strings.HasPrefix(l.said(false), "220 ") {
				t.Error("no greeting")
			}
			f := l.w.Facts()
			if !f.Decrypted || !f.Established || !f.ClosedByQuit || f.Failed || f.Damaged || f.WaitingLimit || !l.w.Settled() {
				t.Errorf("facts %+v", f)
			}
			if f.Certificate == nil && !f.Resumed {
				t.Error("no certificate")
			}
			if last := l.plains[len(l.plains)-1]; last.FromClient || last.End > l.fed[0] {
				t.Errorf("the last ends at %d of %d", last.End, l.fed[0])
			}
		})
	}
}

// TestPlainRSA: the name of the secret is the encrypted pre-master secret, and
// the hash of the handshake is needed with it.
func TestPlainRSA(t *testing.T) {
	const name = "04f_587_starttls_tls12_rsakex_keylog-0"
	var line string
	for line = range strings.Lines(keyLog(t, ofCapture(name))) {
		if strings.HasPrefix(line, "RSA ") {
			break
		}
	}
	chunks := conversation(t, name)
	listen(t, logOf(t, line), chunks).isSMTP()
	listen(t, logOf(t, line), octets(chunks)).isSMTP()
	listen(t, logOf(t, line), recut(joined(chunks), 100)).isSMTP()
}

// TestNoKeys: without its secrets a connection tells nothing, and its facts
// are those that it shows without a log.
func TestNoKeys(t *testing.T) {
	for _, c := range conversations {
		chunks := conversation(t, c.name)
		l := listen(t, new(keys.Log), chunks)
		if got, want := l.w.Facts(), watch(chunks).Facts(); len(l.plains) > 0 || fmt.Sprint(got.Certificate) != fmt.Sprint(want.Certificate) {
			t.Errorf("%s: %d texts", c.name, len(l.plains))
		} else if got.Certificate, want.Certificate = nil, nil; got != want {
			t.Errorf("%s: facts\n%+v, want\n%+v", c.name, got, want)
		}
	}
}

// TestPlainAtEveryCut feeds octet by octet and with each single cut.
func TestPlainAtEveryCut(t *testing.T) {
	for i, name := range withKeys[:6] {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			log := logOf(t, keyLog(t, ofCapture(name)))
			chunks := conversation(t, name)
			want := listen(t, log, chunks)
			client, server := want.said(true), want.said(false)
			all := octets(chunks)
			one, settled := listen(t, log, nil), false
			for i := range all {
				one.feed(all[i : i+1])
				if settled = settled || one.w.Settled(); settled && !one.w.Established() {
					t.Fatal("settled, and not established")
				}
			}
			one.whole(client, server)
			if len(one.plains) != len(want.plains) || fmt.Sprint(one.w.Facts().Certificate) != fmt.Sprint(want.w.Facts().Certificate) {
				t.Error("octet by octet is not the same")
			}
			for i, p := range want.plains {
				if q := one.plains[i]; q.End != p.End || q.FromClient != p.FromClient || !bytes.Equal(q.Data, p.Data) {
					t.Fatalf("text %d ends at %d, want %d", i, q.End, p.End)
				}
			}
			stride := 1
			if testing.Short() || i > 2 {
				stride = 17
			}
			for i, whole := range chunks {
				for cut := 1; cut < len(whole.b); cut += stride {
					l := listen(t, log, chunks[:i])
					l.feed([]chunk{{whole.client, whole.b[:cut]}, {whole.client, whole.b[cut:]}})
					l.feed(chunks[i+1:])
					l.whole(client, server)
					if t.Failed() {
						t.Fatalf("chunk %d cut at %d", i, cut)
					}
				}
			}
		})
	}
}

// TestMarks: each text has the mark of the feed that completed its record.
func TestMarks(t *testing.T) {
	name := withKeys[2]
	chunks := conversation(t, name)
	text := keyLog(t, ofCapture(name))
	want := listen(t, logOf(t, text), chunks).plains
	log := new(keys.Log)
	l := listen(t, log, chunks) // all of it waits
	if len(l.plains) > 0 {
		t.Fatal("opened without secrets")
	}
	log.Write([]byte(text))
	l.pull()
	if len(l.plains) != len(want) {
		t.Fatalf("%d texts, want %d", len(l.plains), len(want))
	}
	for i, p := range l.plains {
		if p.Mark != want[i].Mark || p.End != want[i].End || p.FromClient != want[i].FromClient || !bytes.Equal(p.Data, want[i].Data) {
			t.Errorf("text %d: mark %d, end %d, want %d, %d", i, p.Mark, p.End, want[i].Mark, want[i].End)
		}
	}
}

// TestLateKeys writes the log line by line at each place of the conversation.
func TestLateKeys(t *testing.T) {
	for _, name := range withKeys[:6] {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			text := keyLog(t, ofCapture(name))
			lines := strings.SplitAfter(text, "\n")
			chunks := conversation(t, name)
			want := listen(t, logOf(t, text), chunks)
			client, server, facts := want.said(true), want.said(false), want.w.Facts()
			late := func(chunks []chunk, at, apart int) {
				log := new(keys.Log)
				l := &listener{t: t, w: &Watch{Options: &Options{Keys: log}}}
				next := 0
				for i, c := range chunks {
					if i >= at && (i-at)%apart == 0 && next < len(lines) {
						log.Write([]byte(lines[next]))
						next++
					}
					l.feed([]chunk{c})
				}
				log.Write([]byte(strings.Join(lines[next:], "")))
				l.pull()
				l.whole(client, server)
				if got := l.w.Facts(); got.Decrypted != facts.Decrypted || got.Established != facts.Established || got.ALPN != facts.ALPN || got.WaitingLimit ||
					got.ClosedByQuit != facts.ClosedByQuit || fmt.Sprint(got.Certificate) != fmt.Sprint(facts.Certificate) {
					t.Errorf("facts %+v, want %+v", got, facts)
				}
			}
			for at := range len(chunks) + 1 {
				for _, apart := range []int{1, 2, 5} {
					late(chunks, at, apart)
				}
			}
			for at, all := 0, octets(chunks); at <= len(all); at += 41 {
				late(all, at, 7)
				if t.Failed() {
					t.Fatalf("from octet %d on", at)
				}
			}
		})
	}
}

// TestNoHandshakeSecrets: some logs hold those of application data alone. The
// records before it are known by that they do not open.
func TestNoHandshakeSecrets(t *testing.T) {
	for _, name := range []string{"04g_587_starttls_tls13_keylog-0", "04i_465_tls13_chacha20_keylog-0"} {
		text := keyLog(t, ofCapture(name))
		chunks := conversation(t, name)
		want := listen(t, logOf(t, text), chunks)
		var some strings.Builder
		for line := range strings.Lines(text) {
			if !strings.Contains(line, "HANDSHAKE") {
				some.WriteString(line)
			}
		}
		l := listen(t, logOf(t, some.String()), octets(chunks))
		l.whole(want.said(true), want.said(false))
		if f := l.w.Facts(); !f.Decrypted || !f.Established || f.Failed || f.Certificate != nil {
			t.Errorf("facts %+v", f)
		}
	}
}
