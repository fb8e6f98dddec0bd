package receivers

import (
	"bufio"
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/mailtap/mailtap/alerts"
)

// frames reads counted messages until the end.
func frames(t *testing.T, r io.Reader) (out []string) {
	in := bufio.NewReader(r)
	for {
		var n int
		if _, err := fmt.Fscanf(in, "%d ", &n); err != nil {
			return out
		}
		m := make([]byte, n)
		if _, err := io.ReadFull(in, m); err != nil {
			t.Errorf("a message of %d octets is cut: %v", n, err)
			return out
		}
		out = append(out, string(m))
	}
}

func TestSyslog(t *testing.T) {
	server, client := certificate(t)
	for _, secure := range []bool{false, true} {
		got := make(chan []string, 1)
		address := serve(t, func(c net.Conn) {
			if secure {
				c = tls.Server(c, server)
				defer c.Close()
			}
			got <- frames(t, c)
		})
		o := SyslogOptions{Address: address, Hostname: "tap 1", Sensor: `s"]\`}
		if secure {
			o.TLS = client
		}
		r, err := NewSyslog(o)
		if err != nil {
			t.Fatal(err)
		}
		a := sample(1, alerts.Firing)
		a.Severity, a.Summary, a.Key = alerts.Critical, "line\n<34>1 forged ü", `x"] [evil@1 a="b`
		sends(t, r, []alerts.Alert{a, sample(2, alerts.Resolved)})
		list := <-got
		if len(list) != 2 {
			t.Fatalf("%q", list)
		}
		head, rest, _ := strings.Cut(list[0], "mailtap ")
		_, rest, _ = strings.Cut(rest, " ") // process
		want := `R [mailtap@32473 rule="R" status="firing" severity="critical" fingerprint="0000000000000001" key="x\"\] [evil@1 a=\"b" value="1" threshold="1"` +
			` started="2026-11-23T12:00:00Z" sensor="s\"\]\\" label.client_ip="192.0.2.1"] ` + "\ufeffFIRING critical R: line?<34>1 forged ü"
		if head != "<130>1 2026-11-23T12:00:00.000000Z tap_1 " || rest != want {
			t.Errorf("got\n%s%s\nwant\n%s", head, rest, want)
		}
		if !strings.HasPrefix(list[1], "<133>1 ") || r.Answer() != "closed after the messages" {
			t.Errorf("%q, %s", list[1], r.Answer())
		}
	}
}

func TestSyslogFailures(t *testing.T) {
	server, client := certificate(t)
	other := client.Clone()
	other.ServerName = "other.test"
	bad := serve(t, func(c net.Conn) { tls.Server(c, server).Handshake() })
	for name, c := range map[string]struct {
		o     SyslogOptions
		words string
	}{
		"refused":     {SyslogOptions{Address: nobody(t)}, "refused"},
		"certificate": {SyslogOptions{Address: bad, TLS: other}, "certificate"},
		"no TLS":      {SyslogOptions{Address: serve(t, func(c net.Conn) { c.Write([]byte("hello hello\n")) }), TLS: client}, "TLS"},
		"hang":        {SyslogOptions{Address: serve(t, silence), TLS: client, Timeout: 50 * time.Millisecond}, "in time"},
	} {
		r, err := NewSyslog(c.o)
		if err != nil {
			t.Fatal(err)
		}
		if how := fails(t, r); how.Final || !strings.Contains(how.What, c.words) {
			t.Errorf("%s: %+v", name, how)
		}
	}
	// A server that resets has not taken the message.
	r, _ := NewSyslog(SyslogOptions{Address: serve(t, reset)})
	if how := fails(t, r); how.Final {
		t.Errorf("%+v", how)
	}
	for _, o := range []SyslogOptions{{}, {Address: "host"}, {Address: ":514"}, {Address: "h:1", Facility: "local9"}} {
		if _, err := NewSyslog(o); err == nil {
			t.Errorf("%+v is taken", o)
		}
	}
}

// A server that keeps its end open has taken the messages too.
func TestSyslogStaysOpen(t *testing.T) {
	release := make(chan struct{})
	r, _ := NewSyslog(SyslogOptions{Timeout: 200 * time.Millisecond, Address: serve(t, func(c net.Conn) { frames(t, c); <-release })})
	sends(t, r, one(alerts.Firing))
	close(release)
	if r.Answer() != "left the connection open" {
		t.Error(r.Answer())
	}
}
