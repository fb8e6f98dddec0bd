package main

import (
	"cmp"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/mailtap/mailtap/capture/packet"
	"github.com/mailtap/mailtap/sessions/dialog"
)

// talk is one conversation of a capture, begun so long after its start.
type talk struct {
	client, server string // the client's port is given
	after          time.Duration
	text           string
}

// captureTalks writes conversations as one capture.
func captureTalks(t *testing.T, talks []talk) string {
	t.Helper()
	var all []packet.Segment
	for i, k := range talks {
		segments, err := dialog.Segments(k.text, dialog.Options{
			Client: netip.AddrPortFrom(netip.MustParseAddr(k.client), uint16(40000+i)), Server: netip.MustParseAddrPort(k.server),
			Start: time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC).Add(k.after),
		})
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, segments...)
	}
	slices.SortStableFunc(all, func(a, b packet.Segment) int { return cmp.Compare(a.Time, b.Time) })
	c := newCapture()
	for i := range all {
		c.frame(all[i].Time, ether(c.ipv4(&all[i])))
	}
	return string(c.file)
}

// raised lists the alerts that begin: rule, severity and key.
func raised(t *testing.T, capture string, args ...string) []string {
	t.Helper()
	status, stdout, stderr := call(capture, append([]string{"read", "--format", "json", "--log.level", "error", "--log.records.kinds", "alert", "-"}, args...)...)
	if status != 0 {
		t.Fatalf("status %d, %s", status, stderr)
	}
	var out []string
	for line := range strings.Lines(stdout) {
		var a struct{ Rule, Severity, Status, Key string }
		if err := json.Unmarshal([]byte(line), &a); err != nil {
			t.Fatal(err)
		}
		if a.Status == "firing" {
			out = append(out, a.Rule+" "+a.Severity+" "+a.Key)
		}
	}
	return out
}

// siteFlags is the site of these tests.
var siteFlags = []string{
	"--home.networks", "192.0.2.0/24", "--home.domains", "example.org", "--home.mail_servers", "192.0.2.25",
	"--home.scanners", "192.0.2.200", "--home.monitored_accounts", "honey",
}

// handshake is a connection of decode/tls that begins with TLS.
func handshake(t *testing.T, name string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("../../decode/tls/testdata", name+".txt"))
	if err != nil {
		t.Fatal(err)
	}
	var b strings.Builder
	for line := range strings.Lines(string(text)) {
		side, octets, _ := strings.Cut(strings.TrimSpace(line), " ")
		raw, err := hex.DecodeString(octets)
		if err != nil {
			t.Fatal(err)
		}
		fmt.Fprintf(&b, "%s\" %q\n\n", side, raw)
	}
	return b.String() + "close C\nclose S\n"
}

func times(n int, f func(i int) talk) (out []talk) {
	for i := range n {
		out = append(out, f(i))
	}
	return out
}

const (
	hello     = "S: 220 mx.example ESMTP\nC: EHLO c.example\nS: 250-mx.example\nS: 250 8BITMIME\n"
	helloTLS  = "S: 220 mx.example ESMTP\nC: EHLO c.example\nS: 250-mx.example\nS: 250 STARTTLS\n"
	bye       = "C: QUIT\nS: 221 bye\nclose S\nclose C\n"
	envelope  = "C: MAIL FROM:<a@example.com>\nS: 250 ok\nC: RCPT TO:<b@example.org>\n"
	delivered = hello + envelope + "S: 250 ok\nC: DATA\nS: 354 go on\nC: Subject: x\nC:\nC: .\nS: 250 queued as 1\n" + bye
)

// refusal is a session whose recipient is refused so.
func refusal(reply string) string { return hello + envelope + "S: " + reply + "\n" + bye }

func wrongPassword(user string) string {
	return hello + fmt.Sprintf("C: AUTH PLAIN %s\nS: 535 5.7.8 no\n", plain(user)) + bye
}

func TestRulesOnTheWire(t *testing.T) {
	const in, out, mx, other = "198.51.100.7", "203.0.113.1:25", "192.0.2.25:25", "192.0.2.25"
	proxied := func(client string) string { return "C: PROXY TCP4 " + client + " 192.0.2.25 50000 25\n\n" }
	deferred := refusal("451 4.3.0 try again")
	for _, c := range []struct {
		name  string
		talks []talk
		want  []string
	}{
		{"an ordinary mail", []talk{{in, mx, 0, delivered}}, nil},
		{"a mail of ours", []talk{{other, out, 0, delivered}}, nil},
		{"a host of ours sends by itself", []talk{{"192.0.2.40", out, 0, delivered}}, []string{"RogueSender warning 192.0.2.40"}},
		{"our scanner", []talk{{"192.0.2.200", out, 0, "S: 220 x\nC: GET / HTTP/1.1\nS: 500 what\nclose C\nclose S\n"}}, nil},
		{"a blocklist", []talk{{other, out, 0, refusal("554 5.7.1 Client host [192.0.2.25] blocked using zen.spamhaus.org")}}, []string{"BlocklistRejection warning 192.0.2.25 203.0.113.1"}},
		{"a blocklist at once", []talk{{other, out, 0, "S: 554 5.7.1 192.0.2.25 is listed at dnsbl.example\nC: QUIT\nS: 221 bye\nclose S\nclose C\n"}}, []string{"BlocklistRejection warning 192.0.2.25 203.0.113.1"}},
		{"greylisting", []talk{{other, out, 0, refusal("450 4.7.1 <b@example.org>: Recipient address rejected: Greylisted")}}, nil},
		{"no such user", []talk{{other, out, 0, refusal("550 5.1.1 User b not listed in public Name & Address Book")}}, nil},
		{"TLS 1.0", []talk{{in, "192.0.2.25:465", 0, handshake(t, "openssl_tls10_cbc")}}, []string{"WeakTLS warning 192.0.2.25", "CertificateInvalid warning 192.0.2.25 465"}},
		{"an anonymous cipher", []talk{{in, "192.0.2.25:465", 0, handshake(t, "openssl_tls12_anon")}}, []string{"WeakTLS warning 192.0.2.25"}},
		{"TLS 1.2 with a bad certificate", []talk{{in, "192.0.2.25:465", 0, handshake(t, "openssl_tls12_chacha")}}, []string{"CertificateInvalid warning 192.0.2.25 465"}},
		{"handshakes that fail", times(5, func(i int) talk {
			return talk{in, "192.0.2.25:465", time.Duration(i) * time.Minute, handshake(t, "02c_tls_handshake_failures-0")}
		}), []string{"TLSHandshakeFailure warning 192.0.2.25"}},
		{"submission in clear", []talk{{"192.0.2.50", "192.0.2.25:587", 0, delivered}}, []string{"UnencryptedSubmission warning 192.0.2.25 192.0.2.50"}},
		{"a server in trouble", times(10, func(i int) talk {
			return talk{in, mx, time.Duration(i) * time.Second, "S: 421 4.3.2 shutting down\nclose S\nclose C\n"}
		}), []string{"ServiceUnavailable critical 192.0.2.25 25"}},
		{"a client that comes too often", times(10, func(i int) talk {
			return talk{in, mx, time.Duration(i) * time.Second, "S: 421 4.7.0 too many connections\nclose S\nclose C\n"}
		}), nil},
		{"deferred for hours", times(5, func(i int) talk { return talk{other, out, time.Duration(i) * time.Hour, deferred} }), []string{"DeliveryDeferred warning 192.0.2.25 203.0.113.1"}},
		{"deferred, then taken", append(times(4, func(i int) talk { return talk{other, out, time.Duration(i) * time.Hour, deferred} }),
			talk{other, out, 4 * time.Hour, delivered}, talk{other, out, 5 * time.Hour, deferred}), nil},
		{"one attacker behind a proxy", times(5, func(i int) talk {
			return talk{"192.0.2.30", mx, time.Duration(i) * time.Second, proxied(in) + wrongPassword("honey")}
		}), []string{"PlaintextCredentials critical 192.0.2.25 honey", "AuthBruteForce critical " + in}},
		{"one attacker, told by XCLIENT", times(5, func(i int) talk {
			return talk{"192.0.2.30", mx, time.Duration(i) * time.Second, hello + "C: XCLIENT ADDR=198.51.100.7\nS: 220 mx.example ESMTP\n" +
				"C: EHLO c.example\nS: 250 mx.example\nC: AUTH PLAIN " + plain("bob") + "\nS: 535 5.7.8 no\n" + bye}
		}), []string{"PlaintextCredentials warning 192.0.2.25 bob", "AuthBruteForce warning " + in}},
		{"many users behind a proxy", times(5, func(i int) talk {
			return talk{"192.0.2.30", mx, time.Duration(i) * time.Second, proxied(fmt.Sprint("198.51.100.", i)) + wrongPassword("bob")}
		}), []string{"PlaintextCredentials warning 192.0.2.25 bob", "DistributedBruteForce warning bob"}},
		{"STARTTLS for all but one", append(times(3, func(i int) talk {
			return talk{fmt.Sprint("198.51.100.", i), mx, time.Duration(i) * time.Second, helloTLS + bye}
		}), talk{"198.51.100.9", mx, 9 * time.Second, hello + bye}, talk{"198.51.100.9", mx, 10 * time.Second, hello + bye}), []string{"StartTLSStripped critical 198.51.100.9 192.0.2.25"}},
		{"STARTTLS for some", times(30, func(i int) talk {
			text := helloTLS
			if i%5 > 2 {
				text = hello
			}
			return talk{fmt.Sprint("198.51.100.", i%7), mx, time.Duration(i) * time.Second, text + bye}
		}), nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := raised(t, captureTalks(t, c.talks), siteFlags...); !slices.Equal(got, c.want) {
				t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(c.want, "\n"))
			}
		})
	}
}

// TestNothingConfigured learns what is inside from who answers, says so once,
// and raises the same for any number of shards.
func TestNothingConfigured(t *testing.T) {
	capture := captureTalks(t, append(times(40, func(i int) talk {
		return talk{"198.51.100.7", "10.0.0.25:25", time.Duration(i) * 2 * time.Minute, delivered}
	}), talk{"10.0.0.40", "203.0.113.1:25", time.Minute, delivered},
		talk{"10.0.0.25", "203.0.113.1:25", 70 * time.Minute, delivered}, talk{"10.0.0.40", "203.0.113.1:25", 71 * time.Minute, delivered}))
	for _, shards := range []string{"1", "2", "5"} {
		if got := raised(t, capture, "--shards", shards); !slices.Equal(got, []string{"RogueSender warning 10.0.0.40"}) {
			t.Errorf("%s shards: got %q", shards, got)
		}
		_, _, log := call(capture, "read", "--shards", shards, "-")
		if strings.Count(log, "home.networks is not set: 10.0.0.25 answered on port 25, so private addresses are taken for ours") != 1 ||
			strings.Count(log, "home.mail_servers is not set: 10.0.0.25 ") != 1 || !strings.Contains(log, `msg="rules are off: they cannot judge without home.domains" rules=OpenRelay,SpoofedSender`) {
			t.Errorf("%s shards: the log says\n%s", shards, log)
		}
	}
}

// TestShippedCapturesRaise holds what the shipped captures raise: no rule is
// missing, none is there that should not be.
func TestShippedCapturesRaise(t *testing.T) {
	want := map[string]string{
		"04b_465_tls12_aes128gcm_keylog":   "",
		"05_auth_plain_clear_success":      "PlaintextCredentials UnencryptedSubmission",
		"06_auth_login_clear_5fail":        "AuthBruteForce AuthSuccessAfterFailures PlaintextCredentials UnencryptedSubmission",
		"08_auth_plain_continuation_abort": "PlaintextCredentials",
		"09a_scram_digestmd5":              "UnencryptedSubmission",
		"20a_bruteforce_spray_one_source":  "AuthBruteForce PasswordSpray PlaintextCredentials",
	}
	files, _ := filepath.Glob("testdata/auth/*/capture.pcap")
	if len(files) != len(want) {
		t.Errorf("%d captures, expectations for %d", len(files), len(want))
	}
	for _, file := range files {
		data, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		var rules []string
		for _, line := range raised(t, string(data)) {
			rules = append(rules, strings.Fields(line)[0])
		}
		slices.Sort(rules)
		name := filepath.Base(filepath.Dir(file))
		if got := strings.Join(slices.Compact(rules), " "); got != want[name] {
			t.Errorf("%s raises %q, want %q", name, got, want[name])
		}
	}
}

// plain is the initial response of AUTH PLAIN with a wrong password.
func plain(user string) string {
	return base64.StdEncoding.EncodeToString([]byte("\x00" + user + "\x00wrong"))
}

// TestPeersRaise holds what the captures of other monitors raise: each alert was
// judged by hand. 600 recipients have 500 Received fields on their mail.
func TestPeersRaise(t *testing.T) {
	dir := peersFolder(t)
	want := map[string]string{
		"arkime/smtp-data-250.pcap":                               "PlaintextCredentials UnencryptedSubmission",
		"arkime/smtp-data-521.pcap":                               "PlaintextCredentials",
		"packetbeat/smtp_auth_login.pcap":                         "PlaintextCredentials",
		"zeek/smtp/smtp.pcap":                                     "PlaintextCredentials",
		"zeek/smtp__smtp-many-addresses/smtp-many-addresses.pcap": "MailLoop",
		"arkime/smtp-starttls.pcap":                               "WeakTLS",
	}
	for _, p := range peers(t) {
		data, err := os.ReadFile(filepath.Join(dir, filepath.FromSlash(p.Capture)))
		if err != nil {
			t.Fatal(err)
		}
		var rules []string
		for _, line := range raised(t, string(data)) {
			rules = append(rules, strings.Fields(line)[0])
		}
		slices.Sort(rules)
		if got := strings.Join(slices.Compact(rules), " "); got != want[p.Capture] {
			t.Errorf("%s raises %q, want %q", p.Capture, got, want[p.Capture])
		}
	}
}
