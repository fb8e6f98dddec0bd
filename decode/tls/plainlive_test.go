package tls

import (
	gotls "crypto/tls"
	"fmt"
	"strings"
	"testing"

	"github.com/mailtap/mailtap/decode/tls/keys"
)

var saidLive = []string{"EHLO client.test\r\n", "MAIL FROM:<a@client.test>\r\n", strings.Repeat("a", 900) + "\r\n", "QUIT\r\n"}

// robust demands the dialog of a conversation however it is cut, whenever the
// secrets come, and whichever record is lost.
func robust(t *testing.T, text string, chunks []chunk, client, server string) Facts {
	t.Helper()
	whole := listen(t, logOf(t, text), chunks)
	whole.whole(client, server)
	listen(t, logOf(t, text), octets(chunks)).whole(client, server)
	for at := 0; at <= len(chunks); at++ {
		log := new(keys.Log)
		l := listen(t, log, chunks[:at])
		log.Write([]byte(text))
		l.feed(chunks[at:])
		l.pull()
		l.whole(client, server)
		if t.Failed() {
			t.Fatalf("secrets after %d of %d chunks", at, len(chunks))
		}
	}
	facts := whole.w.Facts()
	told := facts
	facts.ClosedByQuit = true // what is not opened may look like it
	for _, client := range []bool{true, false} {
		for i, span := range spansOf(chunks, client) {
			for _, late := range []bool{false, true} {
				log := new(keys.Log)
				if !late {
					log.Write([]byte(text))
				}
				l := listen(t, log, nil)
				lossy(l, chunks, client, span[0], span[1]-span[0])
				log.Write([]byte(text))
				l.pull()
				l.isPart(whole.plains)
				check(t, facts, l.w.Facts())
				if t.Failed() {
					t.Fatalf("client %v, record %d lost, late %v", client, i, late)
				}
			}
		}
	}
	return told
}

// logged has the log of one connection, for those that come late.
type logged struct{ strings.Builder }

func dialog(lines []string) (client, server string) {
	return strings.Join(lines, ""), strings.Repeat(liveReply, len(lines))
}

// TestPlainSuites opens every suite that crypto/tls can be told to use.
func TestPlainSuites(t *testing.T) {
	own := selfSignedCertificate(t)
	client, server := dialog(saidLive)
	for _, suite := range append(gotls.CipherSuites(), gotls.InsecureCipherSuites()...) {
		for _, version := range suite.SupportedVersions {
			if version == gotls.VersionTLS13 && suite.ID != gotls.TLS_AES_128_GCM_SHA256 || strings.Contains(suite.Name, "_RSA_") && version < gotls.VersionTLS13 {
				continue // of TLS 1.3 none can be chosen; the certificate is ECDSA
			}
			t.Run(fmt.Sprint(gotls.VersionName(version), " ", suite.Name), func(t *testing.T) {
				var log logged
				chunks := talk(t, &gotls.Config{InsecureSkipVerify: true, KeyLogWriter: &log, CipherSuites: []uint16{suite.ID}, MinVersion: version, MaxVersion: version},
					&gotls.Config{Certificates: []gotls.Certificate{own}, MinVersion: version, CipherSuites: []uint16{suite.ID}}, saidLive...)
				f := robust(t, log.String(), chunks, client, server)
				if !f.Established || f.ClosedByQuit { // 250 is no answer to QUIT
					t.Errorf("facts %+v", f)
				}
			})
		}
	}
}

func TestPlainRetried(t *testing.T) {
	var log logged
	client, server := dialog(saidLive)
	chunks := talk(t,
		&gotls.Config{InsecureSkipVerify: true, KeyLogWriter: &log, CurvePreferences: []gotls.CurveID{gotls.X25519, gotls.CurveP384}},
		&gotls.Config{Certificates: []gotls.Certificate{selfSignedCertificate(t)}, CurvePreferences: []gotls.CurveID{gotls.CurveP384}}, saidLive...)
	if f := robust(t, log.String(), chunks, client, server); !f.Retried || !f.Established || f.Certificate == nil {
		t.Errorf("facts %+v", f)
	}
}

// TestPlainResumed: of TLS 1.2 crypto/tls logs nothing for a connection that
// resumes, so the one before it must have been seen.
func TestPlainResumed(t *testing.T) {
	lines, replies := dialog(saidLive)
	for _, version := range []uint16{gotls.VersionTLS12, gotls.VersionTLS13} {
		var text logged
		client := &gotls.Config{InsecureSkipVerify: true, ServerName: "mail.corp.test", MaxVersion: version, ClientSessionCache: gotls.NewLRUClientSessionCache(1), KeyLogWriter: &text}
		server := &gotls.Config{Certificates: []gotls.Certificate{selfSignedCertificate(t)}}
		var all [][]chunk
		for range 3 {
			all = append(all, talk(t, client, server, saidLive...))
		}
		log := logOf(t, text.String())
		for i, chunks := range all {
			l := listen(t, log, chunks)
			l.whole(lines, replies)
			if f := l.w.Facts(); f.Resumed != (i > 0) || !f.Decrypted || !f.Established || f.Certificate == nil != (i > 0) {
				t.Errorf("%s, connection %d: facts %+v", f.Version, i, f)
			}
		}
		if version == gotls.VersionTLS12 { // both were seen before the log was
			log := new(keys.Log)
			first, second := listen(t, log, all[0]), listen(t, log, all[1])
			log.Write([]byte(text.String()))
			first.pull()
			second.pull()
			first.whole(lines, replies)
			second.whole(lines, replies)
		}
	}
}

// TestPlainCertificates: what TLS 1.3 encrypts of them, and the protocol, are facts.
func TestPlainCertificates(t *testing.T) {
	own := selfSignedCertificate(t)
	lines, replies := dialog(saidLive)
	for _, version := range []uint16{gotls.VersionTLS12, gotls.VersionTLS13} {
		var log logged
		chunks := talk(t,
			&gotls.Config{InsecureSkipVerify: true, MaxVersion: version, KeyLogWriter: &log, Certificates: []gotls.Certificate{own}, NextProtos: []string{"smtp"}},
			&gotls.Config{Certificates: []gotls.Certificate{selfSignedCertificate(t)}, ClientAuth: gotls.RequireAnyClientCert, NextProtos: []string{"smtp"}}, saidLive...)
		f := robust(t, log.String(), chunks, lines, replies)
		if f.Certificate == nil || f.ClientCertificate == nil || f.Certificate.SHA256 == f.ClientCertificate.SHA256 || !f.CertificateRequested || f.ALPN != "smtp" || !f.Established || f.Damaged {
			t.Errorf("%s: facts %+v", f.Version, f)
		}
	}
}

// TestAlertsInside: who ended a handshake, and why, however late it is known.
func TestAlertsInside(t *testing.T) {
	own := selfSignedCertificate(t)
	for _, c := range []struct {
		name           string
		client, server *gotls.Config
		from, alert    string
	}{
		{"client refuses", &gotls.Config{ServerName: "mail.corp.test"}, &gotls.Config{}, fromClient, "bad_certificate"},
		{"server refuses", &gotls.Config{InsecureSkipVerify: true}, &gotls.Config{ClientAuth: gotls.RequireAnyClientCert}, fromServer, "certificate_required"},
	} {
		var log logged
		c.client.KeyLogWriter = &log
		c.server.Certificates = []gotls.Certificate{own}
		chunks := talk(t, c.client, c.server, "EHLO client.test\r\n")
		for _, feed := range [][]chunk{chunks, octets(chunks)} {
			for _, late := range []bool{false, true} {
				keyLog := new(keys.Log)
				if !late {
					keyLog.Write([]byte(log.String()))
				}
				l := listen(t, keyLog, feed)
				keyLog.Write([]byte(log.String()))
				l.pull()
				f := l.w.Facts()
				if !f.Failed || f.Established || f.AlertFrom != c.from || f.AlertName != c.alert || !l.w.Settled() || !f.Decrypted || f.Certificate == nil {
					t.Errorf("%s, late %v: facts %+v", c.name, late, f)
				}
			}
		}
	}
}

// TestGoodbye: a close_notify is no failure, not even as the first that a
// server sends.
func TestGoodbye(t *testing.T) {
	for _, version := range []uint16{version12, version13} {
		w := &Watch{}
		w.version = version
		w.finished(keys.Client)
		w.finished(keys.Server)
		w.alertInside(&w.server, []byte{1, closeNotify})
		if f := w.Facts(); f.Failed || !f.Established {
			t.Errorf("facts %+v", f)
		}
	}
}

// TestClose lets go of all.
func TestClose(t *testing.T) {
	name := withKeys[2]
	chunks := conversation(t, name)
	log := logOf(t, keyLog(t, ofCapture(name)))
	for at := range chunks {
		l := listen(t, log, chunks[:at])
		l.w.Close()
		l.w.Close()
		if l.w.opening != nil {
			t.Error("something is held")
		}
		n := len(l.plains)
		l.feed(chunks[at:])
		if f := l.w.Facts(); len(l.plains) != n || !f.ServerHello || n > 0 && !f.Decrypted {
			t.Errorf("facts %+v", f)
		}
	}
	// Text that was pulled is cleared by the next call.
	w := &Watch{Options: &Options{Keys: log}}
	var held []byte
	for _, c := range chunks {
		w.take(c)
		if held != nil {
			break
		}
		for p := (Plain{}); w.Next(&p); {
			held = p.Data
		}
	}
	if held == nil {
		t.Error("no text")
	}
	w.Close()
	for _, b := range held {
		if b != 0 {
			t.Fatal("text is held behind Close")
		}
	}
}

// TestUnread: what is not pulled is given up, and told.
func TestUnread(t *testing.T) {
	name := withKeys[2]
	chunks := conversation(t, name)
	log := logOf(t, keyLog(t, ofCapture(name)))
	whole := listen(t, log, chunks)
	l := &listener{t: t, w: &Watch{Options: &Options{Keys: log}}}
	for i, c := range chunks {
		l.fed[index(c.client)] += int64(len(c.b))
		l.w.take(c)
		if i%3 == 0 {
			l.pull()
		}
	}
	l.pull()
	if l.isPart(whole.plains) == 0 || l.lost() == 0 {
		t.Error("all was told")
	}
}

// TestLastLines: QUIT and its answer, in records of any size.
func TestLastLines(t *testing.T) {
	for _, c := range []struct {
		client, server string
		want           bool
	}{
		{"QUIT\r\n", "221 2.0.0 Bye\r\n", true},
		{"quit\n", "221-one\r\n221 two\r\n", true},
		{"a line\r\n.\r\nQUIT\r\n", "250 Ok\r\n221 Bye\r\n", true},
		{strings.Repeat("x", 5000) + "\r\nQUIT\r\n", "221\r\n", true},
		{"QUIT\r\n", "250 221\r\n", false},
		{"QUIT", "221 Bye\r\n", false},
		{"QUITE\r\n", "221 Bye\r\n", false},
		{"NO QUIT\r\n", "221 Bye\r\n", false},
		{"QUIT\r\nNOOP\r\n", "221 Bye\r\n", false},
		{"NOOP\r\n", "221 Bye\r\n", false},
		{"QUIT\r\n", "22", false},
	} {
		for _, n := range []int{1, 2, 3, 7, 1 << 14} {
			var w Watch
			for _, from := range []keys.Sender{keys.Client, keys.Server} {
				text := []byte([...]string{c.client, c.server}[from])
				for ; len(text) > 0; text = text[min(n, len(text)):] {
					w.dialog(from, text[:min(n, len(text))])
				}
			}
			if w.inside.quitAnswered != c.want {
				t.Errorf("%.20q, %q in records of %d: %v", c.client[max(0, len(c.client)-20):], c.server, n, !c.want)
			}
		}
	}
}

// TestNamedInside: an alert that was known by its size alone gets its name, or
// turns out to end nothing.
func TestNamedInside(t *testing.T) {
	for _, c := range []struct {
		alert  []byte
		failed bool
		name   string
	}{
		{[]byte{2, 40}, true, "handshake_failure"}, {[]byte{1, 100}, false, ""}, {[]byte{1, 0}, true, "close_notify"}, {[]byte{1}, true, ""},
	} {
		w := watch(joined(conversation(t, "openssl_tls12_chacha"))[:3])
		w.Client(record(typeAlert, make([]byte, 18)))
		w.alertInside(&w.client, c.alert)
		from := ""
		if c.failed {
			from = fromClient
		}
		if f := w.Facts(); f.Failed != c.failed || f.AlertFrom != from || f.AlertName != c.name {
			t.Errorf("%v: facts %+v", c.alert, f)
		}
	}
}

// TestSecretsNeverCome: as much again as may wait, and all is let go of.
func TestSecretsNeverCome(t *testing.T) {
	_, chunks, _ := stream(t)
	const limit = 100 << 10
	unknown := new(keys.Log)
	l := &listener{t: t, w: &Watch{Options: &Options{Keys: unknown, MaxWaiting: limit}}}
	most := 0
	for _, c := range octets(chunks[:6]) {
		l.feed([]chunk{c})
	}
	for _, c := range chunks[6:] {
		l.feed([]chunk{c})
		if o := l.w.opening; o != nil {
			most = max(most, o.octets)
		}
	}
	if l.w.opening != nil || most > limit || most < limit/2 || !l.w.Facts().WaitingLimit {
		t.Errorf("%d octets waited", most)
	}
	if len(l.plains) > 0 {
		t.Error("opened without secrets")
	}
}

// TestMissedHandshake: without the client's hello nothing is held.
func TestMissedHandshake(t *testing.T) {
	name := withKeys[2]
	chunks := conversation(t, name)
	log := logOf(t, keyLog(t, ofCapture(name)))
	for i := range 3 {
		l := listen(t, log, nil)
		l.gap(true, 500)
		l.feed(chunks[1+i:])
		if o := l.w.opening; o != nil && (o.octets > 0 || len(o.held) > 0) || len(l.plains) > 0 || l.w.Facts().Decrypted {
			t.Error("opened or held without the hello")
		}
	}
}
