package log

import (
	"fmt"
	"net/netip"
	"testing"
	"time"

	"github.com/mailtap/mailtap/sessions"
)

// smallSession is what a relay's session of one small mail gives, of client i:
// a login (every fourth), its mail and its end.
func smallSession(i int) []sessions.Event {
	begin := start.Add(time.Duration(i) * 1_234_567)
	at := func(us int) time.Time { return begin.Add(time.Duration(us) * time.Microsecond) }
	c := &sessions.Conn{
		ID: fmt.Sprintf("6a0cedfa941e8df3fb75%04x", i), CommunityID: "1:IwrsI77J1LudvUjk5/szGWpe64c=", Role: "relay", Direction: "external", Start: begin,
		Client: netip.AddrPortFrom(netip.AddrFrom4([4]byte{198, 18, 16, byte(i)}), uint16(1025+i)), Server: netip.MustParseAddrPort("203.0.113.16:25"),
		VLANs: []uint16{103, 206},
	}
	m := &sessions.Mail{
		Time: at(5488), Duration: 12_751 * time.Microsecond, From: "grace847@news.example.com", FromKnown: true, To: []string{"grace419@example.org", "ivan784@example.org"},
		Result: sessions.MailAccepted, Code: 250, Enhanced: "2.0.0", Reply: "2.0.0 Ok: queued as ximbgdo", QueueID: "ximbgdo", Size: 2416, DeclaredSize: 2360,
		Header: &sessions.Header{
			Subject: "Test message 4161 about the schedule", From: "<grace847@news.example.com>", To: "<grace419@example.org>",
			MessageID: "<2a49314cac2f7c06.4161@client.example.org>", Date: "Thu, 1 Jan 2026 10:00:00 +0000", Received: 1,
			Hops: []sessions.Hop{{From: "[192.0.2.102]", IP: "192.0.2.102", By: "client.example.org", With: "ESMTPA", Time: at(500_000)}},
		},
	}
	s := &sessions.Session{
		Duration: 23_453 * time.Microsecond, End: sessions.EndQuit,
		Banner:     sessions.Banner{Code: 220, Text: "mx1.example.net ESMTP Postfix", Delay: 1071 * time.Microsecond},
		Helo:       sessions.Helo{Verb: "EHLO", Name: "client858.lists.example.org"},
		Extensions: []string{"PIPELINING", "SIZE 52428800", "ETRN", "ENHANCEDSTATUSCODES", "8BITMIME", "DSN", "SMTPUTF8", "CHUNKING"},
		Mails:      []*sessions.Mail{m},
		Commands:   []sessions.Count{{Name: "DATA", N: 1}, {Name: "EHLO", N: 1}, {Name: "MAIL", N: 1}, {Name: "QUIT", N: 1}, {Name: "RCPT", N: 2}},
		Replies:    []sessions.Count{{Name: "220", N: 1}, {Name: "221", N: 1}, {Name: "250", N: 5}, {Name: "354", N: 1}},
		Bytes:      sessions.Sides{Client: 2546, Server: 290}, Packets: sessions.Sides{Client: 12, Server: 10},
	}
	var events []sessions.Event
	if i%4 == 0 {
		a := sessions.Auth{Time: at(4000), Mechanism: "PLAIN", Username: "grace847@news.example.com", Result: sessions.AuthSuccess, Code: 235, Enhanced: "2.7.0", SecretExposed: true}
		s.Auth = []sessions.Auth{a}
		events = append(events, &sessions.Authenticated{In: sessions.In{Conn: c, Time: at(4500)}, Auth: a, TLSMode: sessions.TLSNone})
	}
	return append(events,
		&sessions.MailDone{In: sessions.In{Conn: c, Time: at(18_239)}, Mail: m, TLSMode: sessions.TLSNone},
		&sessions.Closed{In: sessions.In{Conn: c, Time: at(23_453)}, Session: s})
}

// BenchmarkSmall writes sessions of one small mail, 64 at a time.
func BenchmarkSmall(b *testing.B) {
	var all [][]sessions.Event
	for i := range 64 {
		all = append(all, smallSession(i))
	}
	bench := func(name string, keep func(sessions.Event) bool) {
		b.Run(name, func(b *testing.B) {
			f := NewFile(discard{}, FileOptions{})
			w, _ := NewWriter(Options{Sensor: "tap1", Sinks: []Sink{f}})
			b.ReportAllocs()
			i := 0
			for b.Loop() {
				for _, e := range all[i%len(all)] {
					if keep(e) {
						w.Handle(e)
					}
				}
				i++
			}
		})
	}
	bench("session and mail", func(e sessions.Event) bool { _, no := e.(*sessions.Authenticated); return !no })
	bench("mail", func(e sessions.Event) bool { _, yes := e.(*sessions.MailDone); return yes })
	bench("session", func(e sessions.Event) bool { _, yes := e.(*sessions.Closed); return yes })
	bench("quarter auth", func(e sessions.Event) bool { _, yes := e.(*sessions.Authenticated); return yes })
}
