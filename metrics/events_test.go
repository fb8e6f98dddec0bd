package metrics

import (
	"fmt"
	"net/netip"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/mailtap/mailtap/metrics/deferrals"
	"github.com/mailtap/mailtap/sessions"
)

func testOptions() Options {
	return Options{
		Version: "1.2.3", Revision: "abc", GoVersion: "go1",
		Servers: []string{"mx1"}, Roles: []string{"relay", "submission"}, Sources: []string{"eth1"}, Ignored: []string{"not_tcp", "truncated"},
		Sinks: []string{"file", "loki"}, Receivers: []string{"ops"}, Refusals: []string{"connections", "slow"},
		Rules: []RuleName{{"OpenRelay", "critical"}, {"PlaintextCredentials", "warning"}, {"PlaintextCredentials", "critical"}},
	}
}

func newTest() (*Metrics, *prometheus.Registry) {
	reg := prometheus.NewRegistry()
	return New(reg, testOptions()), reg
}

func conn(role, server string) *sessions.Conn {
	return &sessions.Conn{Role: role, ServerName: server, Direction: "inbound"}
}

// dialog is one session as events: a greeting, an answered EHLO, a failed login
// in clear, a mail of two recipients (one refused) and QUIT.
func dialog(c *sessions.Conn) []sessions.Event {
	in := sessions.In{Conn: c, Time: time.Unix(1_700_000_000, 0)}
	ms := time.Millisecond
	mail := &sessions.Mail{To: []string{"a"}, Rejected: []sessions.Rejection{{To: "b", Code: 550}}, Result: sessions.MailAccepted, Size: 2000, DeclaredSize: -1,
		Header:      &sessions.Header{HopDelay: 90 * time.Second},
		Attachments: []sessions.Attachment{{ContentType: "application/pdf"}, {ContentType: "x-odd/y"}},
		Report: &sessions.Report{Kind: "delivery-status", Recipients: []sessions.Recipient{
			{Action: "failed", Status: "5.1.1"}, {Action: "delayed", Status: "4.4.7 (timeout)"}, {Action: "delivered", Status: "2.0.0"},
			{Action: "what", Status: "5.9.1"}, {Action: "failed", Status: "x"},
		}},
	}
	return []sessions.Event{
		&sessions.Attempt{In: in, Result: "established"},
		&sessions.Opened{In: in},
		&sessions.Greeted{In: in, Banner: sessions.Banner{Code: 220, Delay: 20 * ms}},
		&sessions.Replied{In: in, Verb: "EHLO", Code: 250, Delay: 2 * ms},
		&sessions.Replied{In: in, Verb: "AUTH", Code: 334, Delay: 2 * ms},
		&sessions.Replied{In: in, Verb: "AUTH", Code: 535, Delay: 80 * ms},
		&sessions.Authenticated{In: in, Auth: sessions.Auth{Mechanism: "PLAIN", Result: sessions.AuthFailure, SecretExposed: true}},
		&sessions.Replied{In: in, Verb: "MAIL", Code: 250, Delay: 2 * ms},
		&sessions.Replied{In: in, Verb: "RCPT", Code: 250, Delay: 2 * ms},
		&sessions.Replied{In: in, Verb: "RCPT", Code: 550, Enhanced: "5.1.1", Text: "5.1.1 <b>: no such user", Delay: 2 * ms},
		&sessions.Replied{In: in, Verb: "DATA", Code: 354, Delay: 2 * ms},
		&sessions.Replied{In: in, Verb: ".", Code: 250, Delay: 700 * ms},
		&sessions.MailDone{In: in, Mail: mail},
		&sessions.Replied{In: in, Verb: "NOOP", Delay: -1}, // its reply was lost
		&sessions.Replied{In: in, Verb: "QUIT", Code: 221, Delay: 2 * ms},
		&sessions.Anomaly{In: in, Kind: sessions.ServerGap},
		&sessions.Secured{In: in, TLS: sessions.TLS{
			Mode: sessions.TLSStartTLS, Outcome: sessions.TLSEstablished, Version: "TLSv1.2", Cipher: "AES128-SHA", Handshake: 30 * ms,
			Certificate: &sessions.Certificate{NotAfter: time.Unix(1_800_000_000, 0)},
		}},
		&sessions.Closed{In: in, Session: &sessions.Session{End: sessions.EndQuit, Duration: 3 * time.Second}},
	}
}

// small is a session of one small mail without login, of client i.
func small(i int) []sessions.Event {
	c := conn([]string{"relay", "submission"}[i%2], []string{"mx1", ""}[i/2%2])
	c.Client = netip.AddrPortFrom(netip.AddrFrom4([4]byte{192, 0, 2, 1}), uint16(20_000+37*i))
	c.Start = time.Unix(1_700_000_000, int64(i)*7_654_321)
	in := sessions.In{Conn: c, Time: c.Start}
	d := func(n int) time.Duration { return time.Duration(n*(i+1)) * 10 * time.Microsecond }
	return []sessions.Event{
		&sessions.Attempt{In: in, Result: "established"},
		&sessions.Opened{In: in},
		&sessions.Greeted{In: in, Banner: sessions.Banner{Code: 220, Delay: d(20)}},
		&sessions.Replied{In: in, Verb: "EHLO", Code: 250, Delay: d(2)},
		&sessions.Replied{In: in, Verb: "MAIL", Code: 250, Delay: d(3)},
		&sessions.Replied{In: in, Verb: "RCPT", Code: 250, Delay: d(4)},
		&sessions.Replied{In: in, Verb: "RCPT", Code: 250, Delay: d(5)},
		&sessions.Replied{In: in, Verb: "DATA", Code: 354, Delay: d(6)},
		&sessions.Replied{In: in, Verb: ".", Code: 250, Delay: d(90)},
		&sessions.MailDone{In: in, Mail: &sessions.Mail{To: []string{"a", "b"}, Result: sessions.MailAccepted, Size: int64(2000 + i)}},
		&sessions.Replied{In: in, Verb: "RSET", Code: 250, Delay: d(1)},
		&sessions.Replied{In: in, Verb: "QUIT", Code: 221, Delay: d(1)},
		&sessions.Secured{In: in, TLS: sessions.TLS{Mode: sessions.TLSNone, Outcome: sessions.TLSNotUsed}},
		&sessions.Closed{In: in, Session: &sessions.Session{End: sessions.EndQuit, Duration: d(300)}},
	}
}

// play counts events in a shard of their own.
func play(m *Metrics, events []sessions.Event) {
	s := m.Shard()
	s.play(events)
	s.Publish()
}

func (s *Shard) play(events []sessions.Event) {
	for _, e := range events {
		s.Handle(e)
	}
}

// publishAll publishes something of everything that cmd publishes.
func publishAll(m *Metrics) {
	m.Capture("eth1", CaptureCounts{Packets: 10, Bytes: 1000, DroppedKernel: 3, DroppedInterface: 2, DroppedQueue: 1})
	m.CaptureLag("eth1", 1500*time.Millisecond)
	m.Ignored([]uint64{5, 6})
	m.Stream(sessions.Stats{Opening: 1, Established: 2, Closing: 3, HeldBytes: 4, Gaps: 5, LostBytes: 6, RetransmittedBytes: 7, Overlaps: 8, EvictedMemory: 9, EvictedIdle: 10, EvictedTable: 11})
	m.Log("loki", LogCounts{Written: 7, Dropped: 8, Retried: 9, Waiting: 10})
	d := m.Deferred()
	d.Retried(conn("relay", "mx1"), deferrals.Deferred)
	d.Retried(conn("relay", "mx1"), deferrals.Accepted)
	d.Delivered(conn("relay", "mx1"), 700*time.Second)
	d.Publish(deferrals.Status{
		Waiting: []deferrals.Waiting{{Server: "mx1", Ages: deferrals.Ages{1, 2}}, {Ages: deferrals.Ages{0, 0, 0, 0, 0, 3}}, {Server: "mx9", Ages: deferrals.Ages{4}}},
		Oldest:  90_000 * time.Second, Expired: 5, Dropped: 6,
	})
	m.Alert("OpenRelay", "critical", "firing")
	m.Notified("ops", "sent", 2)
	m.Queued("ops", 3)
	m.Reloaded(true, time.Unix(1_700_000_000, 0))
}

// odd is a dialog whose every name is one that no list has.
func odd(i int) []sessions.Event {
	name := fmt.Sprintf("x%d", i)
	c := &sessions.Conn{Role: name, ServerName: name, Direction: name}
	in := sessions.In{Conn: c}
	return []sessions.Event{
		&sessions.Attempt{In: in, Result: name},
		&sessions.Opened{In: in},
		&sessions.Greeted{In: in, Banner: sessions.Banner{Code: 600 + i, Delay: time.Second}},
		&sessions.Replied{In: in, Verb: name, Code: -i - 1, Delay: 1},
		&sessions.Secured{In: in, TLS: sessions.TLS{Mode: name, Outcome: name, Version: name, Cipher: name, Handshake: 1, Certificate: &sessions.Certificate{NotAfter: time.Unix(1, 0)}}},
		&sessions.Authenticated{In: in, Auth: sessions.Auth{Mechanism: name, Result: name, SecretExposed: true}},
		&sessions.Replied{In: in, Verb: "RCPT", Code: 550, Text: name},
		&sessions.MailDone{In: in, Mail: &sessions.Mail{
			Result: sessions.MailAccepted, Header: &sessions.Header{HopDelay: 1}, Attachments: []sessions.Attachment{{ContentType: name + "/" + name}},
			Report: &sessions.Report{Kind: "delivery-status", Recipients: []sessions.Recipient{{Action: name, Status: name}}},
		}},
		&sessions.Anomaly{In: in, Kind: name},
		&sessions.Closed{In: in, Session: &sessions.Session{End: name}},
	}
}
