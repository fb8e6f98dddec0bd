package sessions_test

import (
	"archive/zip"
	"bytes"
	"encoding/base64"
	"net/netip"
	"slices"
	"strings"
	"testing"

	"github.com/mailtap/mailtap/decode/mail"
	"github.com/mailtap/mailtap/decode/tls/keys"
	"github.com/mailtap/mailtap/sessions"
	"github.com/mailtap/mailtap/sessions/dialog"
)

// limitCases are the anomalies that TestLimits reaches.
var limitCases = map[string]bool{
	sessions.LongLine: true, sessions.LongReply: true, sessions.WaitingLimit: true, sessions.PendingLimit: true, sessions.MailsLimit: true,
	sessions.RecipientsLimit: true, sessions.ExtensionsLimit: true, sessions.AuthLimit: true, sessions.ExchangeLimit: true, sessions.AddressLimit: true,
	sessions.HeaderLimit: true, sessions.HoldLimit: true, sessions.OutOfOrderLimit: true, mail.OddPartsLimit: true, mail.OddAttachmentsLimit: true,
	mail.OddNameLimit: true, mail.OddDepthLimit: true, mail.OddEntriesLimit: true,
}

// TestLimits reaches each limit of a session and finds its anomaly.
func TestLimits(t *testing.T) {
	reached := map[string]bool{sessions.TLSWaitingLimit: true} // TestTLSWaitingLimit
	for kind := range limitCases {
		defer func() {
			if !reached[kind] {
				t.Errorf("no conversation reaches %s", kind)
			}
		}()
	}
	hello := "S: 220 a\nC: EHLO b\nS: 250 a\n"
	long := strings.Repeat("x", 3000)
	message := func(lines string) string {
		lines = "C: " + strings.ReplaceAll(strings.TrimSuffix(lines, "\n"), "\n", "\nC: ")
		return hello + "C: MAIL FROM:<a@b>\nS: 250 ok\nC: RCPT TO:<c@d>\nS: 250 ok\nC: DATA\nS: 354 go\n" + lines + "\nC: .\nS: 250 ok\n"
	}
	part := "--x\nContent-Disposition: attachment; filename=abcdef\n\ntext\n"
	mixed := "Content-Type: multipart/mixed; boundary=x\n\n"
	archive := "Content-Type: application/zip; name=a.zip\nContent-Transfer-Encoding: base64\n\n" + zipped(t, "one", "two") + "\n"
	tests := []struct {
		kind   string
		limits sessions.Limits
		text   string
	}{
		{sessions.LongLine, sessions.Limits{Line: 100}, hello + "C: NOOP " + long + "\nS: 500 no\n"},
		{sessions.LongReply, sessions.Limits{Reply: 100}, "S: 220 " + long + "\n"},
		{sessions.WaitingLimit, sessions.Limits{Waiting: 1000}, hello + "C: DATA\nC: " + long + "\n"},
		{sessions.PendingLimit, sessions.Limits{Pending: 5}, hello + strings.Repeat("C: NOOP\n", 6)},
		{sessions.MailsLimit, sessions.Limits{Mails: 1}, hello + strings.Repeat("C: MAIL FROM:<a@b>\nS: 250 ok\nC: RSET\nS: 250 ok\n", 2)},
		{sessions.RecipientsLimit, sessions.Limits{Recipients: 1}, hello + "C: MAIL FROM:<a@b>\nS: 250 ok\n" + strings.Repeat("C: RCPT TO:<c@d>\nS: 250 ok\n", 2)},
		{sessions.ExtensionsLimit, sessions.Limits{Extensions: 1}, "S: 220 a\nC: EHLO b\nS: 250-a\nS: 250-ONE\nS: 250 TWO\n"},
		{sessions.AuthLimit, sessions.Limits{Auths: 1}, hello + strings.Repeat("C: AUTH PLAIN AGEAYg==\nS: 535 no\n", 2)},
		{sessions.HeaderLimit, sessions.Limits{Header: 100}, hello + "C: MAIL FROM:<a@b>\nS: 250 ok\nC: RCPT TO:<c@d>\nS: 250 ok\nC: DATA\nS: 354 go\nC: Subject: " + long + "\nC:\nC: .\nS: 250 ok\n"},
		{sessions.HoldLimit, sessions.Limits{HeldSegments: 3}, hello + "!S: 250 lost\n" + strings.Repeat("C: NOOP\n\n", 5)},
		{sessions.ExchangeLimit, sessions.Limits{Exchange: 1}, hello + "C: AUTH LOGIN\nS: 334 VXNlcm5hbWU6\nC: Ym9i\nS: 334 UGFzc3dvcmQ6\nC: Ym9i\nS: 535 no\n"},
		{sessions.AddressLimit, sessions.Limits{}, hello + "C: MAIL FROM:<" + long + "@b>\nS: 250 ok\n"},
		{mail.OddPartsLimit, sessions.Limits{Parts: 2}, message(mixed + part + part + part + "--x--")},
		{mail.OddAttachmentsLimit, sessions.Limits{Attachments: 1}, message(mixed + part + part + "--x--")},
		{mail.OddNameLimit, sessions.Limits{FileName: 3}, message(mixed + part + "--x--")},
		{mail.OddDepthLimit, sessions.Limits{Depth: 1}, message(mixed + "--x\nContent-Type: multipart/mixed; boundary=y\n\n--y\n\ntext\n--y--\n--x--")},
		{mail.OddEntriesLimit, sessions.Limits{ArchiveNames: 1}, message(archive)},
		{sessions.OutOfOrderLimit, sessions.Limits{HeldTotal: 2000}, hello + "!C: NOOP\n\nC: NOOP " + long + "\n"},
		{sessions.OutOfOrderLimit, sessions.Limits{OutOfOrder: 2000}, hello + "!C: NOOP\n\nC: NOOP " + long + "\n"},
	}
	for _, tt := range tests {
		reached[tt.kind] = true
		t.Run(tt.kind, func(t *testing.T) {
			var kinds []string
			tracker := sessions.NewTracker(sessions.Options{Limits: tt.limits}, sessions.HandlerFunc(func(e sessions.Event) {
				if a, ok := e.(*sessions.Anomaly); ok {
					kinds = append(kinds, a.Kind)
				}
			}))
			o := dialog.Options{Cut: func(b []byte) [][]byte { return chop(b, 1400) }}
			for _, s := range segments(t, tt.text, o) {
				tracker.Segment(&s)
			}
			tracker.Close()
			if !strings.Contains(strings.Join(kinds, " "), tt.kind) {
				t.Errorf("no %s among %v", tt.kind, kinds)
			}
		})
	}
	for _, l := range sessions.LimitTable {
		if isKind := slices.ContainsFunc(sessions.AnomalyTable[:], func(k sessions.AnomalyKind) bool { return k.Name == l.Tells }); isKind && !reached[l.Tells] {
			t.Errorf("no test reaches limits.%s", l.Key)
		}
	}
}

// zipped is a ZIP archive of empty files, in base64.
func zipped(t *testing.T, names ...string) string {
	t.Helper()
	var b bytes.Buffer
	w := zip.NewWriter(&b)
	for _, name := range names {
		if _, err := w.Create(name); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return base64.StdEncoding.EncodeToString(b.Bytes())
}

// TestTLSWaitingLimit reads a connection whose secrets never come.
func TestTLSWaitingLimit(t *testing.T) {
	o := sessions.Options{Keys: &keys.Log{}, Limits: sessions.Limits{TLSWaiting: 1000}}
	got := playWith(t, o, load(t, "../decode/tls/keys/testdata/04b_465_tls12_aes128gcm_keylog.pcap"))
	if !strings.Contains(got, `"tls_waiting_limit"`) || strings.Contains(got, `"decrypted"`) {
		t.Error(got)
	}
}

// TestTableLimit keeps no more connections than allowed, and tells each end.
func TestTableLimit(t *testing.T) {
	ended := map[string]int{}
	tracker := sessions.NewTracker(sessions.Options{Limits: sessions.Limits{Connections: 10}}, sessions.HandlerFunc(func(e sessions.Event) {
		if c, ok := e.(*sessions.Closed); ok {
			ended[c.Session.End]++
		}
	}))
	for i := range 100 {
		o := dialog.Options{Client: netip.AddrPortFrom(netip.MustParseAddr("192.0.2.9"), uint16(2000+i))}
		for _, s := range segments(t, "S: 220 a\n", o) {
			tracker.Segment(&s)
		}
	}
	if s := tracker.Stats(); s.Established != 10 || s.EvictedTable != 90 {
		t.Errorf("%+v", s)
	}
	tracker.Close()
	if ended[sessions.EndEvicted] != 90 || ended[sessions.EndRunning] != 10 {
		t.Errorf("%v", ended)
	}
}

// TestExpiry ends idle connections by packet time.
func TestExpiry(t *testing.T) {
	var ends []string
	tracker := sessions.NewTracker(sessions.Options{}, sessions.HandlerFunc(func(e sessions.Event) {
		if c, ok := e.(*sessions.Closed); ok {
			ends = append(ends, c.Session.End)
		}
	}))
	whole := segments(t, "S: 220 a\n", dialog.Options{})
	var now int64
	for _, s := range whole {
		tracker.Segment(&s)
		now = s.Time
	}
	tracker.Advance(now)
	for range 15*60 - 1 {
		now += 1e9
		tracker.Advance(now)
	}
	if len(ends) != 0 {
		t.Fatalf("ended early: %v", ends)
	}
	tracker.Advance(now + 3e9)
	if len(ends) != 1 || ends[0] != sessions.EndTimeout {
		t.Errorf("%v", ends)
	}
	if s := tracker.Stats(); s.Established+s.Opening+s.Closing != 0 || s.EvictedIdle != 1 {
		t.Errorf("%+v", s)
	}
}
