package smtp_test

import (
	"strings"
	"testing"

	"github.com/mailtap/mailtap/decode/smtp"
)

// TestQueueID has the words of each server.
func TestQueueID(t *testing.T) {
	for reply, want := range map[string]string{
		"2.0.0 Ok: queued as 4ABC":                                             "4ABC",
		"2.0.0 Ok: queued as 4Vb1Qn2Lr4z9sWm":                                  "4Vb1Qn2Lr4z9sWm",
		"2.0.0 from MTA(smtp:[127.0.0.1]:10025): 250 2.0.0 Ok: queued as 9F2A": "9F2A",
		"OK id=1pgobK-0001":                                                    "1pgobK-0001",
		"id=1xVd9h-0004PY-17 message accepted for some recipients":             "1xVd9h-0004PY-17",
		"OK id=1abc23-000456-7Z":                                               "1abc23-000456-7Z",
		"OK id=1rABCD-000000001Ab-2cDE":                                        "1rABCD-000000001Ab-2cDE",
		"2.0.0 4AMA1 Message accepted for delivery":                            "4AMA1",
		"2.0.0 45b8d3c4 Message accepted for delivery":                         "45b8d3c4",
		"2.0.0: 1234abcd Message accepted for delivery":                        "1234abcd",
		"2.0.0 3a1b2c3d4e-1 Message accepted for delivery":                     "3a1b2c3d4e-1", // Proofpoint
		"12345678 message accepted for delivery":                               "12345678",     // CommuniGate
		"2.0.0 Message accepted for delivery":                                  "",
		"Message accepted for delivery":                                        "",
		"Your Message accepted for delivery":                                   "",
		"2.0.0 <bob@example.org> 8BdZK0hPmGVdRQAAwtTjHw Saved":                 "8BdZK0hPmGVdRQAAwtTjHw",
		"2.0.0 <bob> YFb5AbcdEfGh1AAA:L2 Saved":                                "YFb5AbcdEfGh1AAA:L2",
		"2.6.0 <a1@b.example> [InternalId=4711, Hostname=x.y.z] 1234 bytes in 0.1, 9 KB/sec Queued mail for delivery": "4711",
		"2.6.0  <OF123@b.example> Queued mail for delivery":                                                           "OF123@b.example",
		"2.0.0 OK  1600000000 abc123-20020a05abcd00b00123si123.111 - gsmtp":                                           "abc123-20020a05abcd00b00123si123.111",
		"ok 1234567890 qp 12345":                                                          "12345",
		"Ok. 00000000000A0123.000000005F1234AB.00001234":                                  "00000000000A0123.000000005F1234AB.00001234",
		"Message Queued (9A7F3C21-1D1E-4B2A-8F00-1234567890AB.1)":                         "9A7F3C21-1D1E-4B2A-8F00-1234567890AB.1",
		"Ok: queued as 8c1f2e3d-aaaa-4bbb-8ccc-0123456789ab":                              "8c1f2e3d-aaaa-4bbb-8ccc-0123456789ab", // Halon
		"Ok, message saved <Message-ID: <2026@b.example>>":                                "2026@b.example",
		"2.6.0 message received":                                                          "",
		"Ok 0100018f5a6b7c8d-01234567-89ab-cdef-0123-456789abcdef-000000":                 "0100018f5a6b7c8d-01234567-89ab-cdef-0123-456789abcdef-000000",
		"SmtpThread-123-1600000000@eu.example Received OK [kf8hNqG8NFe4JzQq3N5Rfw.uk287]": "kf8hNqG8NFe4JzQq3N5Rfw.uk287",
		"Requested mail action okay, completed: id=1MABCD-1abcde0Gh-00ABCD":               "1MABCD-1abcde0Gh-00ABCD",
		"2.0.0 Ok: queued on mxfront1j.mail.example as 1234567890-abcd":                   "1234567890-abcd",
		"2.0.0 Message queued with id 1a2b3c4d.":                                          "1a2b3c4d",
		"ok:  Message 187719 accepted":                                                    "187719",
		"2.0.0 OK 5A/1B-12345-ABCDEF06":                                                   "5A/1B-12345-ABCDEF06", // Momentum
		"first line\n2.0.0 Ok: queued as 77":                                              "77",
		"2.0.0 Ok: queued as 77\nthank you":                                               "77",
		"OK":                                                                              "", "Ok": "", "": "", "\n\n": "", "Ok. Thank you very much": "", "Queued (0.123 seconds)": "",
		"2.0.0 <bob> Saved": "", "Mail Saved": "",
		"Ok: queued on the spool":               "",
		"queued as <a\x00b>":                    "",
		"queued as " + strings.Repeat("x", 500): strings.Repeat("x", 128),
		strings.Repeat("\n", 100000):            "",
	} {
		if got := smtp.QueueID([]byte(reply)); got != want {
			t.Errorf("%.80q: %q, want %q", reply, got, want)
		}
	}
}
