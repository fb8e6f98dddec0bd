package sessions_test

import (
	"net/netip"
	"strconv"
	"strings"
	"testing"

	"github.com/mailtap/mailtap/capture/packet"
	"github.com/mailtap/mailtap/sessions"
	"github.com/mailtap/mailtap/sessions/dialog"
)

// oddities are the smallest conversations that show something odd, by its name.
// Limits have their own test.
func oddities() map[string]string {
	const hello = "S: 220 a\nC: EHLO b\nS: 250 a\n"
	message := func(header, body string) string {
		lines := "C: " + strings.ReplaceAll(strings.ReplaceAll(header+"\n"+body, "\n", "\nC: "), "C: \n", "C:\n")
		return hello + "C: MAIL FROM:<a@b>\nS: 250 ok\nC: RCPT TO:<c@d>\nS: 250 ok\nC: DATA\nS: 354 go\n" + lines + "\nC: .\nS: 250 ok\n"
	}
	mixed := func(body string) string { return message("Content-Type: multipart/mixed; boundary=x\n", body) }
	return map[string]string{
		sessions.ClientGap:          hello + "!C: NOOP\nS: 250 ok\nC: QUIT\n",
		sessions.ServerGap:          hello + "C: NOOP\n!S: 250 ok\nC: QUIT\nS: 221 bye\n",
		sessions.Resync:             hello + "!C: NOOP\nS: 250 ok\nC: QUIT\n",
		sessions.UnknownVerb:        hello + "C: DEBUG\nS: 500 no\n",
		sessions.BadSequence:        hello + "C: DATA\nS: 503 no\n",
		sessions.BareLF:             "S: 220 a\nC\" \"EHLO b\\n\"\nS: 250 a\n",
		sessions.NULByte:            hello + "C\" \"NOOP \\x00\\r\\n\"\nS: 250 ok\n",
		sessions.EarlyTalker:        "C: EHLO b\nS: 220 a\nS: 250 a\n",
		sessions.UnsolicitedReply:   hello + "S: 250 ok\n",
		sessions.BadReply:           "S: 220 a\nC: EHLO b\nS: hello there\n",
		sessions.BadAddress:         hello + "C: MAIL FROM:a@b\nS: 250 ok\n",
		sessions.SourceRoute:        hello + "C: MAIL FROM:<@r:a@b>\nS: 250 ok\n",
		sessions.BadParameter:       hello + "C: MAIL FROM:<a@b> SIZE=-5\nS: 501 no\n",
		sessions.BadBDAT:            hello + "C: BDAT -1 LAST\nS: 501 no\n",
		sessions.BadAuth:            hello + "C: AUTH PLAIN !!!!\nS: 501 no\n",
		sessions.BadProxy:           "C: PROXY TCP4 and no addresses\n",
		sessions.Turned:             hello + "C: TURN\nS: 250 ok\nC: 220 b\nS: EHLO a\nC: 250 b\n",
		sessions.Lookalike:          hello + "C: DATA\nS: 354 go\nC\" \"t\\r\\n\\r\\nx\\n.\\ny\\r\\n.\\r\\n\"\nS: 250 ok\n",
		sessions.Smuggling:          hello + "C: DATA\nS: 354 go\nC\" \"t\\r\\n\\r\\nx\\n.\\nMAIL FROM:<a@b>\\r\\n.\\r\\n\"\nS: 250 ok\n",
		sessions.StartTLSInjection:  "S: 220 a\nC: EHLO b\nS: 250-a\nS: 250 STARTTLS\nC: STARTTLS\nC: RSET\nS: 220 go\nC\" \"\\x16\\x03\\x01\\x00\\x01\\x01\"\n",
		sessions.StartTLSMasked:     "S: 220 a\nC: EHLO b\nS: 250-a\nS: 250 XXXXXXXA\n",
		sessions.ClearAfterStartTLS: "S: 220 a\nC: EHLO b\nS: 250-a\nS: 250 STARTTLS\nC: STARTTLS\nS: 220 go\nC: EHLO b\nS: 250 a\n",
		sessions.BadTLS:             "S: 220 a\nC: EHLO b\nS: 250-a\nS: 250 STARTTLS\nC: STARTTLS\nS: 220 go\nC: hello?\n",
		sessions.NotSMTP:            "C: GET / HTTP/1.1\n",
		sessions.TLSOnClearPort:     "C\" \"\\x16\\x03\\x01\\x00\\x01\\x01\"\n",
		"duplicate_header":          message("From: a\nFrom: b\n", "x"),
		"mime_header_limit":         mixed("--x\nContent-Type: text/plain; x=" + strings.Repeat("a", 20000) + "\n\ntext\n--x--"),
		"mime_name_controls":        mixed("--x\nContent-Type: text/plain; name=\"a\u202eb\"\n\ntext\n--x--"),
		"mime_recipients_limit":     message("Content-Type: multipart/report; report-type=delivery-status; boundary=x\n", "--x\nContent-Type: message/delivery-status\n\nReporting-MTA: dns; a\n"+strings.Repeat("\nFinal-Recipient: rfc822; a@b\nAction: failed\n", 101)+"--x--"),
		"mime_duplicate_field":      mixed("--x\nContent-Type: text/plain\nContent-Type: text/html\n\ntext\n--x--"),
		"mime_duplicate_parameter":  mixed("--x\nContent-Type: text/plain; name=a; name=b\n\ntext\n--x--"),
		"mime_conflicting_boundary": message("Content-Type: multipart/mixed; boundary=x; boundary=y\n", "--x\n\ntext\n--x--"),
		"mime_missing_boundary":     message("Content-Type: multipart/mixed\n", "text"),
		"mime_unclosed":             mixed("--x\n\ntext"),
		"mime_bad_encoding":         mixed("--x\nContent-Type: a/b\nContent-Transfer-Encoding: base64\n\nü!ü!\n--x--"),
		"header_controls":           mixed("--x\nContent-Type: a/b; name=\"a\x00b\"\n\ntext\n--x--"),
		"mime_bad_header":           mixed("--x\nContent-Type: a/b\nno field\n\ntext\n--x--"),
		"mime_conflicting_name":     mixed("--x\nContent-Type: a/b; name=a.exe\nContent-Disposition: attachment; filename=a.txt\n\ntext\n--x--"),
		"mime_bad_archive":          mixed("--x\nContent-Type: a/b\n\nPK\x03\x04\x14" + strings.Repeat("\x00", 13) + "aaaa" + strings.Repeat("\x00", 4) + "\x01\x00\x00\x00x\n--x--"),
		"mime_unknown_encoding":     mixed("--x\nContent-Type: a/b\nContent-Transfer-Encoding: secret\n\ntext\n--x--"),
	}
}

// TestTLSLimit sends a hello of 100 kB.
func TestTLSLimit(t *testing.T) {
	hello := append([]byte{1, 1, 0x86, 0xa0}, make([]byte, 100_000)...)
	var stream []byte
	for len(hello) > 0 {
		n := min(len(hello), 1<<14)
		stream = append(append(stream, 0x16, 3, 1, byte(n>>8), byte(n)), hello[:n]...)
		hello = hello[n:]
	}
	got := play(t, segments(t, "C\" "+strconv.Quote(string(stream))+"\n", dialog.Options{Server: netip.MustParseAddrPort("192.0.2.25:465")}))
	if !strings.Contains(got, `"tls_limit"`) {
		t.Error(got)
	}
}

// TestAnomalies reaches each anomaly of the table by the smallest conversation
// that shows it, and finds it in the record.
func TestAnomalies(t *testing.T) {
	dialogs := oddities()
	for kind, text := range dialogs {
		if got := play(t, segments(t, text, dialog.Options{})); !strings.Contains(got, `"`+kind+`"`) {
			t.Errorf("no %s in\n%s", kind, got)
		}
	}
	others := map[string]func(t *testing.T) []packet.Segment{
		sessions.Midstream: func(t *testing.T) []packet.Segment {
			return segments(t, "S: 250 ok\nC: QUIT\nS: 221 bye\n", dialog.Options{NoHandshake: true})
		},
		sessions.OneWay: func(t *testing.T) []packet.Segment {
			return segments(t, "C: EHLO b\n", dialog.Options{NoHandshake: true})
		},
		sessions.ClearOnTLSPort: func(t *testing.T) []packet.Segment {
			return segments(t, "S: 220 a\n", dialog.Options{Server: netip.MustParseAddrPort("192.0.2.25:465")})
		},
		sessions.OverlapConflict: func(t *testing.T) []packet.Segment {
			all := segments(t, "S: 220 a\nC: EHLO b\nS: 250 a\n", dialog.Options{Cut: func(b []byte) [][]byte { return chop(b, 4) }})
			early := all[6]
			other := early
			other.Payload = []byte("xxxx")[:len(early.Payload)]
			return append(append(append([]packet.Segment{}, all[:5]...), early, other), all[5:]...)
		},
		sessions.ResetOutOfPlace: func(t *testing.T) []packet.Segment {
			all := segments(t, "S: 220 a\nC: EHLO b\nS: 250 a\n", dialog.Options{})
			rst := all[3]
			rst.Payload, rst.Length, rst.Flags, rst.Seq = nil, 0, packet.RST, rst.Seq+1e6
			return append(append(append([]packet.Segment{}, all[:4]...), rst), all[4:]...)
		},
	}
	for kind, make := range others {
		if got := play(t, make(t)); !strings.Contains(got, `"`+kind+`"`) {
			t.Errorf("no %s in\n%s", kind, got)
		}
	}
	elsewhere := map[string]string{ // the tests that reach them
		sessions.BadChecksum:     "TestChecksums",
		sessions.OddTTL:          "TestForgedTTL",
		sessions.TLSLimit:        "TestTLSLimit",
		sessions.TLSWaitingLimit: "TestTLSWaitingLimit",
	}
	for _, k := range sessions.AnomalyTable {
		if dialogs[k.Name] == "" && others[k.Name] == nil && elsewhere[k.Name] == "" && !limitCases[k.Name] {
			t.Errorf("no conversation shows %s", k.Name)
		}
	}
}
